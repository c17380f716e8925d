"""Runs that are ended at a random moment by a random means, over nodes of which many behave badly. After each nothing
may be left, and what was written must be true.

    SEED=… RUNS=500 python3 tests/e2e/test_chaos.py       the same runs again
    SEED=… ONE=17 python3 tests/e2e/test_chaos.py         only run 17 of them, with all that is known of it
"""
import collections
import concurrent.futures
import ctypes
import fcntl
import itertools
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import aftermath
import common
import terminal
import test_terminal_care
from aftermath import processes_with, read, sockets_at
from common import free_port
from terminal import SLOWNESS

NODE = common.SOURCE / "tests" / "nodes" / "chaos.py"
JOBS = 3
GRACE = 2 * SLOWNESS          # seconds until a run whose lockstep was killed has left nothing
END_LIMIT = 5 * SLOWNESS      # seconds beside timeouts.stop until lockstep has ended
PR_SET_CHILD_SUBREAPER = 36
SHELL = "trap '' TERM; sleep 60 & read i; echo READY; while read a && read m; do echo DONE; echo '[]'; done"
BEHAVIOURS = ("fork", "fork-term", "daemon", "daemon-open", "respawn", "stubborn", "deaf", "flood", "slow", "next")
FAILINGS = ("mute", "half", "close", "exit", "crash")
ANSWERS = FAILINGS + ("next",)  # what shows in the records
BATCH = ("SIGINT", "SIGINT twice", "SIGTERM", "SIGHUP", "SIGQUIT", "kill lockstep", "kill node", "stop node",
         "close pipes", "kill guard", "full disk", "file size", "kill lockstep early", "SIGTERM early")
UI = ("SIGINT", "SIGINT twice", "SIGTERM", "SIGHUP", "kill lockstep", "kill node", "stop node", "close pipes",
      "full disk", "key a", "key Q", "keys q y", "Ctrl-C", "Ctrl-C twice", "hang up", "kill lockstep early")
MEANS = [("batch", m) for m in BATCH] + [("ui", m) for m in UI]
KEYS = {"key a": (b"a",), "key Q": (b"Q",), "keys q y": (b"qy",), "Ctrl-C": (b"\003",),
        "Ctrl-C twice": (b"\003", b"\003")}
SIGNALS = {"SIGINT": (signal.SIGINT,), "SIGINT twice": (signal.SIGINT,) * 2, "SIGTERM": (signal.SIGTERM,),
           "SIGHUP": (signal.SIGHUP,), "SIGQUIT": (signal.SIGQUIT,), "SIGTERM early": (signal.SIGTERM,),
           "kill lockstep": (signal.SIGKILL,), "kill lockstep early": (signal.SIGKILL,)}
TO_NODE = {"kill node": signal.SIGKILL, "stop node": signal.SIGSTOP, "close pipes": signal.SIGUSR1}


class Plan:
    """All that is random in run `number` of a seed."""

    def __init__(self, seed, number):
        rng = self.rng = random.Random(f"{seed}/{number}")
        deck = list(MEANS)
        random.Random(f"{seed}/means/{number // len(deck)}").shuffle(deck)
        self.front, self.means = deck[number % len(deck)]
        self.moment = rng.uniform(0, 1.5) if rng.random() < 0.5 else 10 ** rng.uniform(-3.5, 0.17)
        if self.means.endswith("early"):
            self.moment = rng.uniform(0, 0.06)
        self.moment *= SLOWNESS
        self.between = rng.choice((0, rng.uniform(0, 0.02), rng.uniform(0, 0.3)))  # what is done twice
        self.patience = rng.uniform(0.3, 1)  # until a run that goes on in spite of the means is ended
        self.disk = rng.choice((64, 128, 256))  # KiB
        self.victim = rng.random()
        full = self.means in ("full disk", "file size")
        self.quantum = rng.choice((1000, 2000, 5000, 10000))
        self.duration = int(10 ** rng.uniform(6, 9.5))
        self.pace = 0 if full else rng.choice((0, 1))
        self.network = rng.choice(("{ model: direct }", "{ model: latency, default_latency: 7ms, default_loss: 0.2 }"))
        self.nodes = [self.node(i) for i in range(rng.randint(2, 8))]
        if all(n["kind"] == "model" for n in self.nodes):
            self.nodes[0] = self.node(0, "chaos")

    def node(self, i, kind=None):
        rng = self.rng
        kind = kind or rng.choices(("chaos", "shell", "model"), (12, 1, 4))[0]
        does = rng.sample(BEHAVIOURS, rng.choice((0, 1, 1, 2, 3)))
        if rng.random() < 0.3:
            does.append(f"{rng.choice(FAILINGS)}:{int(10 ** rng.uniform(0, 2.5))}")
        return {"id": f"{'m' if kind == 'model' else 'n'}{i}", "kind": kind, "does": does or ["plain"],
                "seed": rng.getrandbits(30),
                "transport": "stdio" if kind == "shell" else rng.choices(("stdio", "tcp", "unix"), (3, 1, 1))[0],
                "on_failure": rng.choice(("abort", "continue", "restart")), "restarts": rng.randint(1, 3),
                "step": rng.randint(300, 1000), "stop": rng.randint(400, 1000), "port": 0}

    def stop_s(self):
        return max(n["stop"] for n in self.nodes) * SLOWNESS / 1000

    def scenario(self, harmless=False):
        """`harmless`: with the same records, as fast as it goes and without what makes an end hard."""
        text = ["name: chaos", f"network: {self.network}",
                f"simulation: {{ duration: {self.duration}us, quantum: {self.quantum}us, seed: 7, "
                f"pace: {0 if harmless else self.pace} }}", "nodes:"]
        for i, n in enumerate(self.nodes):
            if n["kind"] == "model":
                text.append(f"  - {{ id: {n['id']}, type: gateway }}" if i == 0 else
                            f"  - {{ id: {n['id']}, type: sensor, config: {{ interval: {10 + n['seed'] % 500}ms, "
                            f"destination: {self.nodes[0]['id']} }} }}")
                continue
            # That an output is closed is not seen where a child holds it too.
            whole = not harmless or any(d.startswith("close") for d in n["does"])
            does = [d for d in n["does"] if whole or d.partition(":")[0] in ANSWERS] or ["plain"]
            command = ["sh", "-c", SHELL] if n["kind"] == "shell" else [
                sys.executable, "-I", "-S", str(NODE), ",".join(does), str(n["seed"])]
            timeouts = (f"start: {60 if harmless else 3 * SLOWNESS}s, step: {n['step'] * SLOWNESS}ms, "
                        f"stop: {40 if harmless else n['stop'] * SLOWNESS}ms")
            port = f"port: {n['port']}, " if n["port"] else ""
            restart = f", restart: {{ max: {n['restarts']}, backoff: 10ms }}" if n["on_failure"] == "restart" else ""
            text.append(f"  - {{ id: {n['id']}, type: chaos, tier: device, implementation: process, command: "
                        f"{json.dumps(command)}, transport: {n['transport']}, {port}timeouts: {{ {timeouts} }}, "
                        f"on_failure: {n['on_failure']}{restart} }}")
        return "\n".join(text) + "\n"


def reap():
    """Whether this process still has children."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    except ChildProcessError:
        return False


class Run(aftermath.Aftermath, test_terminal_care.Care):
    """One run. No test of unittest's own: it lends the Pty what that asks of a case, and collects what is wrong."""

    def __init__(self, seed, number):
        super().__init__()
        self.plan, self.number = Plan(seed, number), number
        self.full = self.plan.means in ("full disk", "file size")
        self.pty = None
        self.ended_by_term = False
        self.took = 0

    # The run itself.

    def prepare(self):
        plan, self.tmp, self.notes = self.plan, self.dir / "tmp", self.dir / "notes"
        for folder in (self.tmp, self.notes, self.dir / "disk"):
            folder.mkdir()
        for n in plan.nodes:
            if n["transport"] == "tcp" and n["kind"] == "chaos":
                n["port"] = free_port(plan.rng)
        self.ports = {n["port"] for n in plan.nodes if n["port"]}
        self.write("scenario.yaml", plan.scenario())
        self.out = self.dir / "disk" / "out"
        self.env = {"TMPDIR": str(self.tmp), "LOCKSTEP_TEST_TOKEN": self.token.decode(),
                    "LOCKSTEP_TEST_NOTES": str(self.notes), "LOCKSTEP_TEST_QUANTUM": str(plan.quantum),
                    "LOCKSTEP_TEST_PEERS": ",".join(n["id"] for n in plan.nodes)}

    def start(self):
        plan = self.plan
        args = ["--out", self.out, self.dir / "scenario.yaml"]
        program = [common.LOCKSTEP, *(["--batch"] if plan.front == "batch" else ["--run"]), *map(str, args)]
        if plan.means == "full disk" and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={plan.disk}k", "tmpfs",
                                                         self.dir / "disk"], capture_output=True).returncode == 0:
            self.addCleanup(subprocess.run, ["umount", "-l", self.dir / "disk"], capture_output=True)
        elif plan.means in ("full disk", "file size"):
            program = ["/bin/sh", "-c", f"ulimit -f {plan.disk * 2}; exec {shlex.join(program)}"]
        if plan.front == "ui":
            self.pty = terminal.Pty(self, *program[1:], program=program[0], **self.env)
            self.p = self.pty.process
        else:
            self.said = open(self.dir / "said", "wb")
            self.addCleanup(self.said.close)
            self.p = subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said,
                                      cwd=self.dir, env=terminal.environment(**self.env))

    def nodes_of(self, guard):
        """Those that run their command."""
        return [pid for pid in sorted(terminal.children(guard)) if read(f"/proc/{pid}/comm") != b"lockstep-guard\n"]

    def outside(self, means):
        """What is done to the guard or a node; where there is none in time, nothing."""
        self.within(5 * SLOWNESS, lambda: not (self.guard() or self.is_over()))
        guard = self.guard()
        if not guard:
            self.facts["over before the means"] += 1
            return
        try:
            if means == "kill guard":
                os.kill(guard, signal.SIGKILL)
                return
            self.within(2, lambda: not self.nodes_of(guard))
            nodes = self.nodes_of(guard)
            os.kill(nodes[int(self.plan.victim * len(nodes))], TO_NODE[means])
        except (ProcessLookupError, IndexError):
            self.facts["the victim had ended"] += 1

    def disturb(self):
        plan = self.plan
        if plan.means in KEYS:
            for i, keys in enumerate(KEYS[plan.means]):
                time.sleep(plan.between if i else 0)
                self.pty.send(keys)
        elif plan.means in SIGNALS:
            for i, number in enumerate(SIGNALS[plan.means]):
                time.sleep(plan.between if i else 0)
                self.signal_lockstep(number)
        elif plan.means == "hang up":
            self.pty.hang_up()
        elif plan.means in TO_NODE or plan.means == "kill guard":
            self.outside(plan.means)

    def killed(self):
        return self.plan.means.startswith("kill lockstep")

    def is_over(self):
        """Whether the run is over, as its summary says; a UI stays then."""
        return self.p.poll() is not None or b'"exit_code"' in read(self.out / "summary.json")

    def wait_over(self, seconds):
        return not self.within(seconds, lambda: not self.is_over())

    def end(self):
        """Waits for the end; where the means does not end the run (it hit a node, or came too early), SIGTERM does. A
        UI whose run is over is left by its key."""
        plan, begin = self.plan, time.monotonic()
        limit = plan.stop_s() + END_LIMIT
        ends = plan.means in SIGNALS or plan.means in KEYS or plan.means == "hang up"
        if not self.wait_over(limit if ends and plan.front == "batch" else 3 * SLOWNESS if ends else plan.patience):
            self.facts["SIGTERM had to follow"] += 1
            if ends:
                self.facts[f"without effect: {plan.front}, {plan.means}"] += 1
            self.ended_by_term = True
            begin = time.monotonic()
            self.signal_lockstep(signal.SIGTERM)
            self.wait_over(limit)
        if plan.front == "ui" and plan.means != "hang up":
            for _ in range(3):
                if self.p.poll() is None and not self.killed():
                    time.sleep(0.05)
                    self.pty.send(b"Q")
                self.within(0.5, lambda: self.p.poll() is None)
        try:
            self.p.wait(max(0.1, begin + limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.check(False, f"lockstep has not ended within {limit:.1f} s; left:", processes_with(self.token))
            self.p.kill()
            self.p.wait()
        self.took = time.monotonic() - begin

    # What must hold after it.

    def check_nothing_left(self):
        by_itself = self.p.returncode >= 0
        left = self.within(0 if by_itself else GRACE, lambda: processes_with(self.token))
        self.check(not left, "processes are left:", left)
        # Whoever loses its parent comes to this process: after a `kill -9` that is the guard alone.
        adopted = [(pid, read(f"/proc/{pid}/comm").decode().strip()) for pid in terminal.children(os.getpid())]
        self.check(not [name for _, name in adopted if by_itself or name != "lockstep-guard"],
                   len(adopted), "processes or zombies were left to the parent of lockstep:", adopted[:5])
        self.check(not self.within(GRACE, reap), "they are still there")
        left = self.within(1 if by_itself else GRACE, lambda: sockets_at(self.ports, str(self.tmp)))
        self.check(not left, "sockets are left:", left)
        left = self.within(0 if by_itself else GRACE, lambda: os.listdir(self.tmp))
        self.check(not left, "temporary files are left:", left)
        if (self.out / "events.jsonl").exists():
            with open(self.out / "events.jsonl") as f:
                try:
                    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError as error:
                    self.check(False, "events.jsonl is locked:", error)
        self.check_names()

    def check_terminal(self):
        if not self.pty or self.pty.master < 0 or self.killed():
            return
        try:
            self.pty.end()
            if b"\033[" in self.pty.data:
                self.assert_restored(self.pty)
        except AssertionError as error:
            self.check(False, "the terminal:", error)

    def check_exit_code(self, s, code):
        outcome, means = s["outcome"], self.plan.means
        codes = {"finished": (0,), "failed": (1, 4), "until": (), "aborted": (129, 130, 131, 143)}[outcome]
        self.check(s["exit_code"] in codes, "exit code and outcome:", s)
        if self.killed() and code == -signal.SIGKILL:
            pass  # it was over, and killed on its way out
        elif self.plan.front == "batch":
            self.check(code == s["exit_code"], f"ended with {code}, but its summary says", s)
        else:  # there a signal may also come when the run is over, and a run that never moved is none
            self.check(code == s["exit_code"] or code in (129, 130, 131, 143) or code == 0 == s["quanta"],
                       f"ended with {code}, but its summary says", s)
        if outcome == "aborted" and means in SIGNALS and not self.ended_by_term:
            self.check(s["exit_code"] == 128 + SIGNALS[means][0], f"{means}, but", s)
        if outcome == "failed" and not self.full:
            guard = means == "kill guard" and "guard" in s["cause"]
            self.check("failed_node" in s or "left behind" in s["cause"] or guard, "no node has failed:", s)

    # Against a run of the same scenario that nobody disturbs.

    def finished_before(self):
        """Up to when all quanta are known to have been over: the nodes were granted the next one."""
        notes = [int(note.split()[0]) for note in map(read, self.notes.iterdir()) if len(note) >= 42]
        summary = json.loads(read(self.out / "summary.json") or b"{}") if not self.wrong else {}
        return max([*notes, summary.get("virtual_time_us", 0)])

    def compare(self):
        plan, records = self.plan, [r for r in self.records if r["kind"] != "end"]
        floor = self.finished_before()
        if not records and not floor:
            return
        until = max([floor, *(r["t"] for r in records)]) // plan.quantum * plan.quantum + 2 * plan.quantum
        self.write("reference.yaml", plan.scenario(harmless=True))
        env = {**terminal.environment(**self.env), "LOCKSTEP_TEST_NOTES": str(self.dir)}
        limit = ["--until", f"{until}us"] if until < plan.duration else []
        try:
            subprocess.run([common.LOCKSTEP, "-b", "-q", "-o", self.dir / "reference", *limit,
                            self.dir / "reference.yaml"], stdin=subprocess.DEVNULL, capture_output=True, env=env,
                           cwd=self.dir, timeout=60 * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.check(False, "the reference run takes too long")
            return
        self.compare_lines(self.lines(self.out), self.lines(self.dir / "reference"), floor)

    def compare_lines(self, got, want, floor):
        digest = re.compile(rb'"digest":"[0-9a-f]+"')
        got = [digest.sub(b'"digest":0', line) for line in got if b'"kind":"end"' not in line]
        want = [digest.sub(b'"digest":0', line) for line in want if b'"kind":"end"' not in line]
        own = self.own_failures(got, want, floor)
        self.facts["compared up to a failure of its own" if own is not None else "compared whole"] += 1
        if own is not None:  # in its quantum some nodes' answers may be missing
            floor = min(floor, own - self.plan.quantum)
            got = got[:1] + list(itertools.takewhile(lambda line: json.loads(line)["t"] < floor, got[1:]))
        for i, line in enumerate(got):
            if i >= len(want) or line != want[i]:
                other = want[i][:300] if i < len(want) else "there is none"
                self.check(False, f"line {i} is\n  {line[:300]}\nbut undisturbed\n  {other}")
                return
        # a message that comes late in a quantum is handled in the next one, at its own time: so are local records
        late = {"local": self.plan.quantum}
        missing = [line for line in want[len(got):] if b'"kind":"node"' not in line and
                   json.loads(line)["t"] < floor - late.get(json.loads(line)["kind"], 0)]
        self.check(self.full or not missing,
                   f"{len(missing)} records are missing of the time before {floor} us, the first", missing[:1])

    def own_failures(self, got, want, floor):
        """When a node first failed in one of the runs only: by what was done to it, or as the machine was too slow."""
        here, there = ({(r["t"], r["node"], r["cause"]) for r in map(json.loads, lines)
                        if r["kind"] == "node" and r["state"] == "failed"} for lines in (got, want))
        first = min(here - there, default=None)
        # That it failed only there is to be seen once more has been written here.
        last = max((json.loads(line)["t"] for line in got), default=0)
        early = min((f for f in there - here if f[0] < min(floor, last) and (not first or f[0] < first[0])),
                    default=None)
        done = self.plan.means in TO_NODE or self.plan.means == "kill guard"
        for failure, may_be in ((first, done), (early, False)):
            self.check(not failure or may_be or re.match("no (answer|READY|connection)", failure[2]),
                       "failed in one of the runs only:", failure)
        return min((f[0] for f in (first, early) if f), default=None)

    def go(self):
        self.setUp()
        try:
            self.prepare()
            self.start()
            time.sleep(self.plan.moment)
            self.disturb()
            self.end()
            self.check_nothing_left()
            self.check_terminal()
            self.check_records()
            self.check_summary()
            if not self.wrong:
                self.compare()
            if self.wrong:
                self.wrong.append(self.story())
        finally:
            self.within(10, lambda: self.kill_all() or reap())
            if self.wrong and os.environ.get("KEEP"):
                shutil.copytree(self.dir, pathlib.Path(os.environ["KEEP"]) / str(self.number), dirs_exist_ok=True,
                                ignore=lambda *_: ["tmp"])
            self.doCleanups()
        return self

    def story(self):
        said = bytes(self.pty.data) if self.pty else read(self.dir / "said")
        plan = self.plan
        return (f"{plan.front}, {plan.means} after {plan.moment:.4f} s, again after {plan.between:.4f} s; "
                f"ended with {self.p.returncode} in {self.took:.2f} s; {dict(self.facts)}\n{plan.scenario()}"
                f"summary: {read(self.out / 'summary.json').decode(errors='replace')[:700]}\nlast said: {said[-500:]}")


def one(seed, number):
    """In a process of its own, which adopts whatever lockstep leaves behind."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number_of_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number_of_signal, signal.SIG_DFL)  # lockstep goes on ignoring what it was started to ignore
    try:
        run = Run(seed, number).go()
        return number, run.plan, run.wrong, run.facts, run.took
    except BaseException as error:  # it must reach who waits for it
        return number, Plan(seed, number), [f"{type(error).__name__}: {error}"], {}, 0


def behaviours(plan):
    return [f"node: {d.partition(':')[0]}" for n in plan.nodes if n["kind"] == "chaos" for d in n["does"]]


class Chaos(common.Case):
    def test_no_end_at_any_moment_by_any_means_leaves_anything_behind_or_untrue(self):
        seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
        print(f"SEED={seed}", flush=True)
        numbers = [int(os.environ["ONE"])] if "ONE" in os.environ else range(common.number("RUNS", 50, 12, 500))
        totals, failed, longest = collections.Counter(), 0, 0
        with concurrent.futures.ProcessPoolExecutor(JOBS) as pool:
            for number, plan, wrong, facts, took in pool.map(one, [seed] * len(numbers), numbers):
                totals.update({**facts, f"{plan.front}: {plan.means}": 1})
                totals.update(behaviours(plan))
                longest = max(longest, took)
                failed += bool(wrong)
                if wrong:
                    print(f"\nSEED={seed} ONE={number}:\n" + "\n".join(wrong), flush=True)
        for what, count in sorted(totals.items()):
            print(f"{count:5} {what}")
        print(f"the longest end took {longest:.2f} s")
        self.assertEqual(failed, 0, f"{failed} of {len(numbers)} runs; each is repeated by its SEED and ONE above")


if __name__ == "__main__":
    common.main()
