"""Terminals for the tests: a pseudo terminal whose bytes are kept with their times, and tmux, which knows what a
screen shows."""
import concurrent.futures
import contextlib
import fcntl
import io
import multiprocessing
import os
import pathlib
import re
import select
import shlex
import shutil
import struct
import subprocess
import sys
import termios
import threading
import time
import unittest

import common

SLOWNESS = 4 if common.SANITIZED else 1
PATIENCE = 20 * SLOWNESS  # seconds until something is said never to come
JOBS = 3                  # tests at a time, where they may run side by side

if not os.path.isfile(common.LOCKSTEP):
    sys.exit(f"{common.LOCKSTEP}: there is no such program; LOCKSTEP names it")


def environment(**changes):
    """That of a usual terminal. A change to None takes the variable away."""
    # The sanitizer's own handlers would hide how the program itself ends.
    env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
           "ASAN_OPTIONS": "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0",
           "UBSAN_OPTIONS": "handle_segv=0",
           "XDG_CONFIG_HOME": "/dev/null/none", "XDG_STATE_HOME": "/dev/null/none", **changes}  # none of a person's own
    if (env["TERM"] or "").startswith("linux"):
        env["ASAN_OPTIONS"] += ":detect_leaks=0"  # ncurses loads libgpm there, which leaks a few bytes of its own
    for name in ("NO_COLOR", "TMUX", "COLUMNS", "LINES"):
        if name not in changes:
            env[name] = None
    return {name: value for name, value in env.items() if value is not None}


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(child) for child in f.read().split()]
    except FileNotFoundError:
        return []


def wait_until(what, condition, timeout=PATIENCE):
    """Polls until the condition gives something true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.02)


class Pty:
    """A program on a pseudo terminal of its own, whose session it leads. The terminal outlives it."""

    def __init__(self, case, *args, columns=100, rows=30, program=None, cwd=None, **env):
        self.master, self.slave = os.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.data = bytearray()
        self.sent = bytearray()
        self.marks = []  # (length of data, time when it had come)
        self.news = threading.Condition()
        self.stopping = False
        self.process = subprocess.Popen([program or common.LOCKSTEP, *map(str, args)], stdin=self.slave,
                                        stdout=self.slave, stderr=self.slave, cwd=cwd or case.dir,
                                        env=environment(**env), start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        case.addCleanup(self.close)

    def _read(self):
        while not self.stopping:
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                chunk = os.read(self.master, 65536)
            except OSError:
                return
            with self.news:
                self.data += chunk
                self.marks.append((len(self.data), time.monotonic()))
                self.news.notify_all()

    @property
    def pid(self):
        return self.process.pid

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, data):
        """Returns how much had come from the program before."""
        with self.news:
            before = len(self.data)
        self.sent += data
        os.write(self.master, data)
        return before

    def condition(self):
        """What the kernel says of the program: running, asleep (where) or stopped."""
        folder = pathlib.Path(f"/proc/{self.pid}")
        try:
            state = folder.joinpath("stat").read_text().rpartition(")")[2].split()[0]
            return f"state {state}, in {folder.joinpath('syscall').read_text().strip()}"
        except OSError as error:
            return f"it is gone ({error})"

    def wait(self, pattern, since=0, timeout=PATIENCE):
        """Waits for bytes that match, behind the first `since`; returns the time when they had come."""
        end = time.monotonic() + timeout
        with self.news:
            while True:
                match = re.compile(pattern).search(self.data, since)
                if match:
                    return next(when for length, when in self.marks if length >= match.end())
                if not self.news.wait(end - time.monotonic()) and time.monotonic() > end:
                    raise AssertionError(f"no {pattern} within {timeout} s, but {bytes(self.data[since:])[-3000:]}")

    def end(self, timeout=PATIENCE):
        """Waits until the program has ended by itself and its last bytes are here; returns its exit code, or minus
        the signal that killed it."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end within {timeout} s, but {self.condition()}, was sent "
                                 f"{bytes(self.sent[-300:])}, wrote {bytes(self.data[-3000:])}") from None
        last = b"<what was written last>"
        os.write(self.slave, last)
        self.wait(re.escape(last))
        with self.news:
            del self.data[-len(last):]
        return code

    def hang_up(self):
        """Closes the terminal."""
        self.stopping = True
        self.reader.join()
        if self.master >= 0:
            os.close(self.master)
            os.close(self.slave)
        self.master = -1

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()


class Tmux:
    """A terminal of tmux on a socket of its own, where a shell runs the program (or a line given to it)."""

    def __init__(self, case, *args, line=None, columns=80, rows=24, term="tmux-256color", **env):
        if not shutil.which("tmux"):
            case.skipTest("there is no tmux")
        number = case.tmux_count = getattr(case, "tmux_count", 0) + 1
        self.socket = str(case.dir / f"tmux{number}")
        self.status = case.dir / f"status{number}"
        self.environment = environment(**env)
        # tmux sometimes misses the end of its child, so that the exit code is kept by the shell.
        line = line or shlex.join([common.LOCKSTEP, *map(str, args)])
        line = f"unset TMUX TMUX_PANE; ulimit -c 0; {line}; echo $? >{self.status}; exec sleep 1000"
        case.addCleanup(self.kill)
        self.tmux("start-server", ";", "set", "-g", "default-terminal", term, ";", "set", "-g", "default-shell",
                  "/bin/sh", ";", "set", "-g", "status", "off", ";",
                  "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(case.dir), line)

    def tmux(self, *args):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, "-f", "/dev/null", *args], capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, env=self.environment, timeout=PATIENCE)
        if done.returncode:
            raise AssertionError(f"tmux {args}: {done.stderr}")
        return done.stdout

    def kill(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)

    def ask(self, variable):
        return self.tmux("display-message", "-p", "#{" + variable + "}").strip()

    def program(self):
        """The process that the shell waits for."""
        return wait_until("a program", lambda: children(int(self.ask("pane_pid"))))[0]

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self):
        """The lines that are to be seen, without blanks at their ends."""
        return self.tmux("capture-pane", "-p").split("\n")[:-1]

    def wait(self, pattern, line=None, timeout=PATIENCE):
        """Waits until the screen (or that line of it) has the pattern; returns the screen."""
        end = time.monotonic() + timeout
        while True:
            screen = self.screen()
            if re.search(pattern, "\n".join(screen) if line is None else screen[line]):
                return screen
            if time.monotonic() > end:
                raise AssertionError(f"no {pattern!r} within {timeout} s:\n" + "\n".join(screen))
            time.sleep(0.02)

    def settled(self, quiet=0.25):
        """The screen once it has not changed for a while."""
        screen, since = self.screen(), time.monotonic()
        end = since + PATIENCE
        while time.monotonic() - since < quiet * SLOWNESS:
            time.sleep(0.03)
            now = self.screen()
            if now != screen:
                screen, since = now, time.monotonic()
            if time.monotonic() > end:
                raise AssertionError("the screen does not come to rest:\n" + "\n".join(screen))
        return screen

    def end(self):
        """Waits for the end of what runs there; returns the exit code as the shell has it."""
        return int(wait_until("the end of the program", lambda: self.status.exists() and self.status.read_text()))


# An hour that follows the wall clock: it is still running whenever it is looked at.
SLOW = """
name: slow
simulation: { duration: 1h, quantum: 1ms, seed: 1, pace: 1 }
nodes:
  - { id: sensor1, type: sensor, config: { interval: 50ms } }
  - { id: sensor2, type: sensor, config: { interval: 70ms } }
  - { id: gateway, type: gateway }
"""


class Terminal(common.Case):
    def slow(self):
        return self.write("slow.yaml", SLOW)

    def assert_whole(self, screen, columns, rows):
        """The header, the key bar, and between them frames that reach to the right edge in every row."""
        text = "\n".join(screen)
        self.assertEqual(len(screen), rows, text)
        self.assertRegex(screen[0], "PAUSED|RUNNING|FINISHED|ABORTED", text)
        self.assertRegex(screen[-1], r"q quit\b", text)
        framed = [line for line in screen if len(line) == columns and line[-1] in "╮│╯┃┤"]
        self.assertGreaterEqual(len(framed), rows - 4, text)
        self.assertTrue(all(len(line) <= columns for line in screen), text)


class Result(unittest.TextTestResult):
    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"SKIPPED {test.id()}: {reason}", flush=True)


def play(name):
    """Runs one test of the program; returns what it said, whether all was well, and whether it was skipped."""
    said = io.StringIO()
    tests = unittest.defaultTestLoader.loadTestsFromName(name, sys.modules["__main__"])
    with contextlib.redirect_stdout(said):
        ran = unittest.TextTestRunner(stream=said, verbosity=2, resultclass=Result).run(tests)
    return said.getvalue(), ran.wasSuccessful(), len(ran.skipped) == ran.testsRun


def play_all(names):
    return [play(name) for name in names]


def main(jobs=1):
    """As unittest.main, but all tests skipped is a skip: exit code 77. Tests mostly wait: so many run side by side,
    except those whose class says `alone`; of those whose class says `in_turn` one at a time, beside the others."""
    if jobs == 1 or [argument for argument in sys.argv[1:] if not argument.startswith("-")]:
        ran = unittest.main(exit=False, testRunner=unittest.TextTestRunner(verbosity=2, resultclass=Result)).result
        sys.exit(77 if ran.testsRun and len(ran.skipped) == ran.testsRun else not ran.wasSuccessful())
    alone, in_turn, others, results = [], [], [], []
    for suite in unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]):
        for test in suite:
            kind = alone if getattr(test, "alone", False) else in_turn if getattr(test, "in_turn", False) else others
            kind.append(test.id().partition(".")[2])
    with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        jobs = [pool.submit(play_all, names) for names in [in_turn] + [[name] for name in others]]
        for job in concurrent.futures.as_completed(jobs):
            for result in job.result():
                results.append(result)
                print(result[0], flush=True)
    for name in alone:
        results.append(play(name))
        print(results[-1][0], flush=True)
    failed = sum(not good for _, good, _ in results)
    print(f"{len(results)} tests, {failed} failed")
    sys.exit(77 if results and all(skipped for _, _, skipped in results) else failed > 0)
