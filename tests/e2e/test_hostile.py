"""Nodes that misbehave: the cases of tests/nodes/hostile.py, each in a run of its own, of which nothing may be left.
None may crash lockstep, hang it, grow its memory or reach the terminal; each is told in words.

CASES=REGEX picks some of them."""
import concurrent.futures
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time

import common
import terminal
import test_terminal_care as care

NODES = common.SOURCE / "tests" / "nodes"
sys.path.insert(0, str(NODES))
import hostile_cases  # noqa: E402
from hostile_cases import CASES  # noqa: E402

HOSTILE = NODES / "hostile.py"
PYTHON = [sys.executable, "-S", "-E"]         # starts soon
JOBS = 4                                      # runs side by side: some wait for a limit, and each for its node to start
SLOW = 4 if common.SANITIZED else 1
WAITED = 3 if common.SANITIZED else 1         # limits whose end is waited for are shorter, but not too short for a node
STEP, START, STOP = 0.5 * WAITED, WAITED, 0.5 * WAITED  # that has work to do before it is late; seconds
WALL = 120 if common.SANITIZED else 60        # seconds that a run may take
MEMORY = None if common.SANITIZED else 200    # MiB that lockstep may use
CAUSE_MAX = 2000                              # characters of a cause, which is to be one line
LEAVE = 2 * SLOW                              # seconds in which all that was started is gone
TOKEN = "LOCKSTEP_TEST_TOKEN"
COMMAND = ", ".join([*PYTHON, str(HOSTILE)])
# In a file or on a pipe: bytes that are controls, and the characters that are. Line ends are not.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
RAW = re.compile("[\x00-\x09\x0b-\x1f]")  # in JSON the others may stand as they are


def scenario(name, expect, folder, pace=None):
    def times(seconds):
        step = STEP if seconds == 1 and waits_for(1, expect) else seconds * SLOW * (3 if seconds > 1 else 1)
        return f"{{ start: {START if waits_for(3, expect) else 10 * SLOW}s, step: {step}s, stop: {STOP}s }}"
    sibling = f"""
  - id: talker
    type: custom
    implementation: process
    command: [{COMMAND}, talker, evil]
    timeouts: {times(10)}""" if expect.talker else ""
    pace = expect.pace if pace is None else pace
    return f"""
name: hostile
simulation: {{ duration: 5s, quantum: 1s, seed: 1, pace: {pace} }}
nodes:
  - {{ id: sensor1, type: sensor, config: {{ destination: evil }} }}
  - id: evil
    type: custom
    implementation: process
    command: [{COMMAND}, {name}]
    working_dir: {folder}
    environment: {{ HOSTILE_KEY: a value, HOSTILE_CWD: {folder} }}
    timeouts: {times(expect.step)}
  - {{ id: gateway, type: gateway }}{sibling}
"""


def waits_for(limit, expect):
    """Whether the case goes on until a limit has passed. In hostile_cases.py a step takes 1 s, a start 3 s."""
    return f"within {limit} s" in expect.cause


def slowed(pattern):
    """The limits that a cause names, as they are here."""
    return re.sub(r"within ([13]) s", lambda m: f"within {STEP if m[1] == '1' else START:g} ?s", pattern)


def processes_with(token):
    """What is there, zombies aside, that has the token in its environment: (pid, name)."""
    wanted, found = f"{TOKEN}={token}".encode(), []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        folder = pathlib.Path("/proc", entry)
        try:
            if wanted in folder.joinpath("environ").read_bytes().split(b"\0"):
                found.append((int(entry), folder.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()))
        except OSError:
            pass  # it has gone meanwhile
    return found


def left_behind(token):
    """The same once there was time to go. They are ended here: by their pids, each of which had the token just now."""
    end = time.monotonic() + LEAVE
    while True:
        found = processes_with(token)
        if not found or time.monotonic() > end:
            break
        time.sleep(0.02)
    for pid, _ in found:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass
    return found


def whole(text):
    """Python takes long for a number of a million digits."""
    return int(text) if len(text) < 1000 else text


class Run:
    """One run in batch of a case, and what it left."""

    def __init__(self, name, folder):
        self.expect = CASES[name]
        self.token = secrets.token_hex(8)
        self.out = folder / "out"
        self.temporary = folder / "tmp"
        cwd = folder / "cwd"
        for path in (self.temporary, cwd):
            path.mkdir()
        path = folder / "hostile.yaml"
        path.write_text(scenario(name, self.expect, cwd))
        env = {**os.environ, "TMPDIR": str(self.temporary), "XDG_RUNTIME_DIR": str(self.temporary), TOKEN: self.token}
        self.memory = 0
        self.hangs = False
        began = time.monotonic()
        with subprocess.Popen([common.LOCKSTEP, "--batch", "--out", self.out, path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=env) as process:
            watch = threading.Thread(target=self.watch, args=(process,))
            watch.start()
            try:
                self.stdout, self.stderr = process.communicate(timeout=WALL)
            except subprocess.TimeoutExpired:
                self.hangs = True
                process.kill()
                self.stdout, self.stderr = process.communicate()
            watch.join()
        self.code = process.returncode
        self.seconds = time.monotonic() - began
        self.left = left_behind(self.token)

    def watch(self, process):
        """Peak memory of lockstep itself: what wait4(2) tells has its children's in it."""
        while process.returncode is None:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                self.memory = max(self.memory, int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024)
            except (OSError, TypeError):
                pass
            time.sleep(0.01)

    def read(self):
        """Results, as they are on disk; what is no JSON raises."""
        self.events = (self.out / "events.jsonl").read_bytes()
        self.records = [json.loads(line, parse_int=whole) for line in self.events.decode().split("\n")[:-1]]
        self.summary_text = (self.out / "summary.json").read_bytes()
        self.summary = json.loads(self.summary_text.decode())
        log = self.out / "logs" / "evil.log"
        self.log = log.read_bytes() if log.exists() else b""  # where it has said nothing there is none


def problems_of_results(run):
    """Of the run folder alone."""
    if not run.events.endswith(b"}\n"):
        yield "events.jsonl is not a whole number of lines"
    if (run.records[0]["kind"], run.records[-1]["kind"]) != ("run", "end"):
        yield f"events.jsonl goes from {run.records[0]} to {run.records[-1]}"
    if [r["n"] for r in run.records] != list(range(len(run.records))):
        yield "records are not numbered from 0 on"
    if run.summary["exit_code"] != run.code:
        yield f"summary.json says {run.summary['exit_code']}"
    outcome = "failed" if run.code else "finished"
    if run.summary["outcome"] != outcome or run.records[-1]["outcome"] != outcome:
        yield f"outcome {run.summary['outcome']}, in events.jsonl {run.records[-1]['outcome']}"
    for name, data in (("events.jsonl", run.events), ("summary.json", run.summary_text), ("stdout", run.stdout),
                       ("stderr", run.stderr)):
        try:
            control = (RAW if "json" in name else CONTROL).search(data.decode())
        except UnicodeDecodeError as error:
            yield f"{name} is not UTF-8: {error}"
            continue
        if control:
            at = control.start()
            yield f"{name} has a raw control: {data.decode()[max(0, at - 60):at + 20]!r}"


def problems_of_cause(run):
    cause = run.summary["cause"]
    if not run.code:
        warnings = [r["text"] for r in run.records if r["kind"] == "warning"]
        if run.expect.warning and not any(re.search(run.expect.warning, text) for text in warnings):
            yield f"no warning has /{run.expect.warning}/: {warnings}"
        if run.expect.check:
            try:
                good = run.expect.check(run)
            except (AssertionError, KeyError, IndexError, TypeError) as error:
                yield f"what came of it: {error!r:.300}"
            else:
                if not good:
                    yield f"what came of it is not as it should be: {[str(r)[:200] for r in run.records[1:8]]}"
        return
    pattern = slowed(run.expect.cause)
    if not re.search(pattern, cause, re.IGNORECASE):
        yield f"the cause does not have /{pattern}/: {cause[:300]!r}"
    if "\n" in cause or len(cause) > CAUSE_MAX:
        yield f"the cause is not one short line: {len(cause)} characters, {cause[:200]!r}"
    named = "evil" in cause or "guard" in pattern  # who ended the guard is not known
    if not named or run.summary.get("failed_node") not in ("evil", None):
        yield f"the cause does not name the node: {cause[:300]!r}"
    if cause.split("\n")[0][:60].encode() not in run.stderr:
        yield f"stderr does not have the cause: {run.stderr[:300]}"


def problems(run):
    if run.hangs:
        yield f"no end within {WALL} s; stderr: {run.stderr[-300:]}"
    elif run.code not in run.expect.codes:
        yield f"exit code {run.code}, not {run.expect.codes}; stderr: {run.stderr[-600:].decode(errors='replace')}"
    if run.left:
        yield f"left behind: {run.left}"
    if os.listdir(run.temporary):
        yield f"temporary files: {os.listdir(run.temporary)}"
    if MEMORY and run.memory > MEMORY:
        yield f"{run.memory:.0f} MiB of memory, more than {MEMORY}"
    if run.hangs:
        return
    try:
        run.read()
    except (OSError, ValueError) as error:
        yield f"results that cannot be read: {error!r:.300}"
        return
    yield from problems_of_results(run)
    yield from problems_of_cause(run)


def try_case(name):
    with tempfile.TemporaryDirectory(prefix="lockstep-hostile-") as folder:
        run = Run(name, pathlib.Path(folder).resolve())
        found = list(problems(run))
        if os.environ.get("VERBOSE"):
            print(f"{name}: exit code {run.code}, {run.seconds:.1f} s, {run.memory:.0f} MiB: "
                  f"{getattr(run, 'summary', {}).get('cause', '')[:400]}", flush=True)
        return name, run.seconds, run.memory, found


class Corpus(common.Case):
    def test_every_case_has_its_expectation(self):
        listed = subprocess.run([sys.executable, HOSTILE, "--list"], capture_output=True, text=True, check=True)
        names = listed.stdout.split()
        self.assertEqual(sorted(names), sorted([*CASES, *hostile_cases.HELPERS]))
        self.assertGreaterEqual(len(names), 75)

    def test_no_case_crashes_hangs_grows_or_leaves_anything(self):
        names = [name for name in CASES if re.search(os.environ.get("CASES", ""), name)]
        names = common.seeded_random().sample(names,
                                              min(len(names), common.number("NAMES", 120, 60, len(names))))
        # what takes long first
        names.sort(key=lambda name: CASES[name].step == 1 and "within" not in CASES[name].cause)
        bad = []
        with concurrent.futures.ProcessPoolExecutor(JOBS) as pool:  # threads would wait for each other's large results
            results = list(pool.map(try_case, names))
        for name, _, _, found in results:
            bad += [f"{name}: {problem}" for problem in found]
        slowest = sorted(results, key=lambda r: -r[1])[:5]
        print(f"{len(names)} cases, {len(bad)} problems; slowest:", ", ".join(f"{r[0]} {r[1]:.1f} s" for r in slowest),
              f"; most memory: {max(r[2] for r in results):.0f} MiB", flush=True)
        if bad:
            self.fail("\n".join(bad))

    def test_the_last_lines_of_stderr_are_told_with_the_cause(self):
        path = self.write("hostile.yaml", scenario("exits-with-3", CASES["exits-with-3"], self.dir))
        _, err = self.batch(path, "out", expect=1)
        self.assertIn("last words", err + (self.dir / "out" / "summary.json").read_text())
        self.assertIn(b"last words", (self.dir / "out" / "logs" / "evil.log").read_bytes())


class Screen(care.Care):
    assert_harmless = care.Harm.assert_harmless

    def look(self, p):
        """Details of every node with its log, every event, and all panes, on two sizes."""
        right, close = b"\033OC", b"\033"
        for keys in (b"1gj", b"\r", b"jjjjjjjj", right, b"G", b"kkkk", right, b"G", close, b"gjj", b"l", b"jjjj", close,
                     b"2z", b"g", b"\r", right, right, right, right, b"jjjjjjjj", right, b"G", close, b"G", b"z",
                     b"3z", b"z4z", b"z5", b"w", b"jj", b"w", b"/evil\r", b"n", close):
            p.send(keys)
            # what comes soon behind Escape is a sequence; and each event is to be drawn, at 30 frames a second
            time.sleep((0.15 if keys == close else 0.08 if keys == right else 0.02) * SLOW)
        for columns, rows in ((80, 24), (200, 50)):
            p.resize(columns, rows)
            time.sleep(0.1 * SLOW)
        self.assertIsNone(p.process.poll())
        p.send(b"Q")
        code = p.end()
        self.assert_restored(p)
        return code

    def each(self, test):
        """The cases side by side: most of the time they wait."""
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for name, done in [(name, pool.submit(test, name)) for name in hostile_cases.ON_A_TERMINAL]:
                with self.subTest(case=name):
                    done.result()

    def test_nothing_that_a_node_says_reaches_the_terminal_raw(self):
        def one(name):
            token = secrets.token_hex(8)
            path = self.write(f"{name}.yaml", scenario(name, CASES[name], self.dir))
            p = terminal.Pty(self, "--run", "--out", f"out-{name}", path, columns=160, rows=40,
                             **{TOKEN: token, "TMPDIR": str(self.dir)})
            p.wait(rb"FINISHED|FAILED")
            self.assertIn(self.look(p), (*CASES[name].codes, 130))
            self.assert_harmless(bytes(p.data))
            if name in hostile_cases.SHOWN:
                self.assertIn(b"OWNED", p.data)
            self.assertEqual(left_behind(token), [])
            p.close()

        self.each(one)

    def test_batch_on_a_terminal(self):
        def one(name):
            path = self.write(f"{name}.yaml", scenario(name, CASES[name], self.dir))
            p = terminal.Pty(self, "--batch", "-v", "--out", f"batch-{name}", path)
            self.assertIn(p.end(), CASES[name].codes)
            self.assert_harmless(bytes(p.data))
            p.close()

        self.each(one)


if __name__ == "__main__":
    terminal.main()
