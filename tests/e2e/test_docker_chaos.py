"""Runs with containers, processes and models among their nodes, on engines of their own, that are ended at a random moment
by a random means. The engine is among the victims, too: it is stopped, started again, loses its socket, or answers as no
engine should. After each run nothing may be left, what was written must be true, and the cause is in the engine's words.

    SEED=… RUNS=100 python3 tests/e2e/test_docker_chaos.py    the same runs again, that many on each engine
    SEED=… ONE=17 python3 tests/e2e/test_docker_chaos.py      only run 17 of them, with all that is known of it
"""
import collections
import concurrent.futures
import ctypes
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import aftermath
import common
import engines
import middleman
import terminal
import test_docker
from aftermath import processes_with, read, sockets_at
from terminal import SLOWNESS

PROCESS = common.SOURCE / "tests" / "nodes" / "chaos.py"
IMAGE = "lockstep-test/chaos:1"
END_LIMIT = 12 * SLOWNESS     # seconds beside timeouts.stop until lockstep has ended: 6 for engines, 5 for its guard process
KILLED_LIMIT = 12 * SLOWNESS  # until a run whose lockstep was killed has nothing on an engine that answers
GUARD_LIMIT = 20 * SLOWNESS   # and until its guard process has looked for the last time
CLEAN_TRIES = 3               # where an engine has only just begun to answer again
PR_SET_CHILD_SUBREAPER = 36
ORPHANS = ("lockstep-guard", *engines.PROGRAMS)
# What its arguments say: stubborn (it ignores SIGTERM), deaf (it obeys nothing), mute@N (no answer from the Nth ADVANCE on).
NODE = r"""#!/bin/sh
count=0
acts=" $* "
does() { case "$acts" in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
does stubborn && trap '' TERM || trap 'exit 0' TERM
while read -r line; do
    case $line in
    INIT*) does mute@0 || echo READY ;;
    ADVANCE*) count=$((count + 1)); read -r messages; does mute@$count && acts="$acts silent "
        does silent || { echo DONE; echo "[]"; } ;;
    *) does deaf || exit 0 ;;
    esac
done
while does deaf; do sleep 1; done
"""
SIGNALS = {"SIGINT": (signal.SIGINT,), "SIGINT twice": (signal.SIGINT,) * 2, "SIGTERM": (signal.SIGTERM,),
           "SIGHUP": (signal.SIGHUP,), "SIGTERM early": (signal.SIGTERM,),
           "kill lockstep": (signal.SIGKILL,), "kill lockstep early": (signal.SIGKILL,)}
CONTAINER = {"container: kill": ("POST", "/containers/{}/kill"), "container: stop": ("POST", "/containers/{}/stop?t=0"),
             "container: remove": ("DELETE", "/containers/{}?force=1"), "container: pause": ("POST", "/containers/{}/pause")}
DAEMON = ("engine: SIGKILL", "engine: SIGTERM", "engine: SIGKILL and again", "engine: SIGTERM and again",
          "engine: without its socket", "engine: its socket is another")
WAYS = {f"engine: {way}": way for way in ("error", "slow", "drip", "cut", "silent", "endless")}
MEANS = [*SIGNALS, "kill guard", *CONTAINER, *DAEMON, *DAEMON, *WAYS, *WAYS]
# What the cause may say where that was done and the run has failed.
NO_ANSWER = r"no (answer|READY|connection)"
GONE = (r"nobody listens on the socket|no such socket|the connection (ended|broke)|closed the connection|"
        r"its container ended with exit code|removed by someone else")
WORDS = {"kill guard": "guard", "engine: cut": GONE + "|in the middle|within the", "engine: slow": NO_ANSWER + "|within",
         "engine: drip": NO_ANSWER + "|within", "engine: silent": NO_ANSWER + "|within",
         "engine: endless": "larger than the|connection ended|broke",
         **{means: GONE for means in DAEMON},
         **{means: f"its container ended with exit code|removed by someone else|{NO_ANSWER}|not running|[Nn]o such container|"
                   "container state improper|is paused|cannot exec in|is marked for removal" for means in CONTAINER}}


class Plan:
    """All that is random in run `number` of a seed on an engine."""

    def __init__(self, seed, engine, number):
        rng = self.rng = random.Random(f"{seed}/{engine}/{number}")
        deck = list(MEANS)
        random.Random(f"{seed}/{engine}/means/{number // len(deck)}").shuffle(deck)
        self.means = deck[number % len(deck)]
        self.moment = rng.uniform(0, 2.5) if rng.random() < 0.6 else 10 ** rng.uniform(-2.5, 0.17)
        if self.means.endswith("early"):
            self.moment = rng.uniform(0, 0.4)
        self.moment *= SLOWNESS
        self.between = rng.choice((0, rng.uniform(0, 0.02), rng.uniform(0, 0.5)))
        self.patience = rng.uniform(0.1, 2)  # until a run that goes on in spite of the means is ended
        self.heals = rng.random() < 0.3      # and the engine is well again before that
        self.last = rng.choice((signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGKILL))  # by that
        self.victim = rng.random()
        self.delay = rng.uniform(0.5, 4)
        self.pause = 10 ** rng.uniform(-3.5, -1)
        self.words = f"the engine has a headache of degree {rng.randrange(10**6)}"
        self.quantum = 10000
        self.duration = "1h" if rng.random() < 0.8 else f"{rng.randint(1, 100)}0ms"
        self.network = rng.choice(("{ model: direct }", "{ model: latency, default_latency: 7ms, default_loss: 0.2 }"))
        self.stop = rng.choice((1, 2))
        self.nodes = [self.container(i) for i in range(rng.randint(1, 3))]
        for i in range(len(self.nodes), len(self.nodes) + rng.randint(0, 3)):
            self.nodes.append(rng.choice((self.process, self.model))(i))

    def container(self, i):
        rng = self.rng
        return {"id": f"c{i}", "kind": "container", "transport": rng.choice(("attach", "attach", "exec", "unix", "tcp")),
                "does": rng.choice(([], [], ["stubborn"], ["deaf"], ["stubborn", "deaf"], [f"mute@{rng.randint(0, 40)}"])),
                "health": rng.random() < 0.2, "build": rng.random() < 0.15,
                "asset": rng.choice(("", "", "network: net", 'volumes: ["data:/data"]')),
                "failure": rng.choice(("abort", "abort", "continue", "restart"))}

    def process(self, i):
        return {"id": f"n{i}", "kind": "process", "does": self.rng.choice(("plain", "fork", "stubborn", "slow", "deaf"))}

    def model(self, i):
        return {"id": f"m{i}", "kind": "model"}

    def line(self, n):
        if n["kind"] == "model":
            return f"  - {{ id: {n['id']}, type: sensor, config: {{ interval: 20ms, destination: c0 }} }}"
        times = f"timeouts: {{ start: {20 * SLOWNESS}s, step: {3 * SLOWNESS}s, stop: {self.stop * SLOWNESS}s }}"
        if n["kind"] == "process":
            command = json.dumps([sys.executable, "-I", "-S", str(PROCESS), n["does"], "7"])
            return f"  - {{ id: {n['id']}, type: x, tier: device, implementation: process, command: {command}, {times} }}"
        docker = [f'image: "{"made" if n["build"] else IMAGE}"', f"transport: {n['transport']}"]
        shell = ["/bin/sh", "/node.sh", *n["does"]]
        listens = n["transport"] in ("unix", "tcp")
        if listens:
            shell = ["/bin/sh", "-c", "trap '' TERM; exec /gateway"] if "stubborn" in n["does"] else ["/gateway"]
        docker.append(f"command: {json.dumps(shell if n['transport'] != 'exec' else ['/bin/busybox', 'sleep', '1000'])}")
        docker += [f"exec: {json.dumps(shell)}"] if n["transport"] == "exec" else []
        docker += ['ports: ["5000"]'] if n["transport"] == "tcp" else []
        docker += ["build_context: image"] if n["build"] else []
        docker += ["healthcheck: { command: [CMD, /bin/busybox, \"true\"], interval: 300ms, timeout: 2s, retries: 3 }"] * n["health"]
        docker += [n["asset"]] if n["asset"] else []
        failure = f"on_failure: {n['failure']}" + (", restart: { max: 2, backoff: 50ms }" if n["failure"] == "restart" else "")
        dialect = "dialect: node, " if listens else ""
        return (f"  - {{ id: {n['id']}, type: gateway, implementation: docker, {dialect}{failure}, {times}, "
                f"docker: {{ {', '.join(docker)} }} }}")

    def scenario(self):
        return "\n".join(["name: chaos", f"network: {self.network}", f"simulation: {{ duration: {self.duration}, "
                          f"quantum: {self.quantum}us, seed: 7, pace: 1 }}", "nodes:", *map(self.line, self.nodes)]) + "\n"

    def may_be_mute(self):
        return any(d.startswith("mute") for n in self.nodes if n["kind"] == "container" for d in n["does"])


def reap_orphans():
    """What has ended and has no other parent. To an engine that starts again its containerd would seem to live."""
    for pid in terminal.children(os.getpid()):
        text = read(f"/proc/{pid}/stat").decode(errors="replace")
        if ") Z " in text and text.partition("(")[2].startswith(ORPHANS):
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


class Victim:
    """An engine of this test alone, which may be killed."""

    def __init__(self, place):
        self.place, self.daemon = place, None
        self.address = f"unix://{place}/engine.sock"
        self.engine = engines.Engine(self.address)
        self.name = self.engine.name
        self.engine.build(IMAGE, test_docker.DOCKERFILE, FILES)
        self.before = self.there_is()

    def there_is(self):
        end = time.monotonic() + engines.LIST_LIMIT_S * SLOWNESS
        while True:
            try:
                return self.engine.all_there_is()
            except AssertionError as error:  # as Podman answers while something that would be listed is removed
                if "500" not in str(error) or time.monotonic() > end:
                    raise
                # Killed while it wrote an image, it lists none any more until that one is removed.
                broken = re.search(r'image with ID \\*"([0-9a-f]{64})\\*" \(consider removing the image', str(error))
                if broken:
                    self.engine.ask("DELETE", f"/images/{broken[1]}?force=1")

    def left(self):
        """What was not there before."""
        now = self.there_is()
        return [f"{kind}: {thing}" for kind, things in now.items() for thing in things if thing not in self.before[kind]]

    def end(self, number):
        pid = int((self.place / "pid").read_text())
        os.kill(pid, number)
        end = time.monotonic() + engines.STOP_LIMIT_S * SLOWNESS
        while not self.has_ended(pid):
            if time.monotonic() > end:
                raise AssertionError(f"{self.name} does not end by signal {number}")
            time.sleep(0.01)

    def has_ended(self, pid):
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            return True

    def runs(self):
        return not self.has_ended(int((self.place / "pid").read_text()))

    def start_again(self):
        time.sleep(0.05)  # what ends with it
        reap_orphans()
        engine = engines.run(self.place)
        engine.returncode = 0  # it is waited for here, not there
        engines.wait_until_it_answers(self.place, None, time.monotonic() + engines.START_LIMIT_S, reap_orphans)


class Run(aftermath.Aftermath, common.Case):
    """One run. No test of unittest's own: it collects what is wrong."""

    def __init__(self, victim, seed, number):
        super().__init__()
        self.victim, self.plan, self.number = victim, Plan(seed, victim.name, number), number
        self.took, self.ended_by, self.cause = 0, None, ""

    def prepare(self):
        self.tmp = self.dir / "tmp"
        self.tmp.mkdir()
        self.out = self.dir / "out"
        self.write("scenario.yaml", self.plan.scenario())
        (self.dir / "image").mkdir()
        for name, (mode, data) in FILES.items():
            (self.dir / "image" / name).write_bytes(data)
            (self.dir / "image" / name).chmod(mode)
        self.write("image/Dockerfile", test_docker.DOCKERFILE.replace("COPY node.sh", "COPY unique /unique\nCOPY node.sh"))
        self.write("image/unique", self.token.decode())
        self.middle = middleman.Middleman(self.dir / "engine.sock", self.victim.place / "engine.sock")
        self.addCleanup(self.middle.close)
        self.middle.delay, self.middle.words, self.middle.pause = self.plan.delay, self.plan.words, self.plan.pause
        self.env = {"TMPDIR": str(self.tmp), "LOCKSTEP_TEST_TOKEN": self.token.decode(), "LOCKSTEP_TEST_QUANTUM": "10000",
                    "DOCKER_HOST": f"unix://{self.middle.path}", "LOCKSTEP_TEST_PEERS": "c0"}

    def start(self):
        with open(self.dir / "said", "wb") as said:
            self.p = subprocess.Popen([common.LOCKSTEP, "--batch", "--out", self.out, self.dir / "scenario.yaml"],
                                      stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=self.dir,
                                      env=terminal.environment(**self.env))

    # What is done to it.

    def kill_guard(self):
        self.within(5 * SLOWNESS, lambda: not (self.guard() or self.p.poll() is not None))
        guard = self.guard()
        if guard:
            os.kill(guard, signal.SIGKILL)

    def to_container(self, method, path):
        def ours():
            found = self.victim.engine.containers().items()
            return sorted((node, c["Id"]) for node, c in found)
        self.within(5 * SLOWNESS, lambda: not (ours() or self.p.poll() is not None))
        there = ours()
        if not there:
            self.facts["no container in time"] += 1
            return
        status, _ = self.victim.engine.ask(method, path.format(there[int(self.plan.victim * len(there))][1]))
        self.facts["done to a container" if status // 100 == 2 else "a container was not to be had"] += 1

    def to_engine(self, means):
        if means in WAYS:
            self.middle.way = WAYS[means]
        elif means == "engine: without its socket":
            self.middle.remove_socket()
        elif means == "engine: its socket is another":
            self.middle.remove_socket()
            self.middle.listen()
        else:
            self.victim.end(signal.SIGKILL if "SIGKILL" in means else signal.SIGTERM)
            if "again" in means:
                self.victim.start_again()

    def disturb(self):
        means = self.plan.means
        if means in SIGNALS:
            for i, number in enumerate(SIGNALS[means]):
                time.sleep(self.plan.between if i else 0)
                self.signal_lockstep(number)
        elif means == "kill guard":
            self.kill_guard()
        elif means in CONTAINER:
            self.to_container(*CONTAINER[means])
        else:
            self.to_engine(means)

    def heal(self):
        self.middle.way = "pass"
        if not os.path.exists(self.middle.path):
            self.middle.listen()
        if not self.victim.runs():
            self.victim.start_again()

    # Its end.

    def killed(self):
        return self.plan.means.startswith("kill lockstep") or self.ended_by == signal.SIGKILL

    def wait(self, seconds):
        try:
            self.p.wait(max(seconds, 0.1))
            return True
        except subprocess.TimeoutExpired:
            return False

    def end(self):
        """Waits for the end. Where the means does not end the run, a signal does."""
        plan, begin = self.plan, time.monotonic()
        limit = plan.stop * SLOWNESS + END_LIMIT
        if not self.wait(limit if plan.means in SIGNALS else plan.patience):
            if plan.heals:
                self.heal()
            self.facts[f"without effect: {plan.means}" if plan.means in SIGNALS else "a signal had to follow"] += 1
            self.ended_by, begin = plan.last, time.monotonic()
            self.signal_lockstep(plan.last)
        if not self.wait(begin + limit - time.monotonic()):
            self.check(False, f"lockstep has not ended within {limit:.1f} s; left:", processes_with(self.token))
            self.p.kill()
            self.p.wait()
        self.took = time.monotonic() - begin

    # What must hold after it.

    def is_ill(self):
        return self.plan.means.startswith("engine:")

    def left(self):
        """Of a build that did not come to its end an engine keeps layers that have no name and no label, and, where it was
        killed, the container of the step. They are known to the guard process only, not to `lockstep clean`: where it was
        killed, or the engine was well again too late, they stay."""
        spares = (self.is_ill() or self.plan.means == "kill guard") and any(n.get("build") for n in self.plan.nodes)
        nameless = r"images: .*(\[\]|<none>:<none>'\])$"
        if self.plan.means in DAEMON:
            nameless += r"|containers: \['/[a-z]+_[a-z]+\d*'\]$"
        return [thing for thing in self.victim.left() if not (spares and re.match(nameless, thing))]

    def check_engine(self):
        self.heal()
        lost_guard = self.plan.means == "kill guard"
        waits = self.killed() or lost_guard
        left = self.within(KILLED_LIMIT if waits else 0, self.left)
        if left and (self.is_ill() or lost_guard):
            self.facts["lockstep clean was needed"] += 1
            self.check(waits or "lockstep clean" in read(self.out / "summary.json").decode(),
                       "it is not told that something is left:", left)
            self.within(GUARD_LIMIT if self.killed() else 0, lambda: processes_with(self.token))
            left = self.clean()
        self.check(not left, "left on the engine:", left)

    def clean(self):
        for _ in range(CLEAN_TRIES):
            with common.leftovers_of_its_own():
                done = subprocess.run([common.LOCKSTEP, "clean"], stdin=subprocess.DEVNULL, capture_output=True,
                                      env=terminal.environment(**{**self.env, "LOCKSTEP_TEST_TOKEN": "none"}),
                                      text=True, timeout=60)
            left = self.left()
            if not left:
                return left
        self.check(False, "lockstep clean:", done.returncode, done.stdout, done.stderr)
        return left

    def check_nothing_left(self):
        left = self.within(0 if not self.killed() else GUARD_LIMIT, lambda: processes_with(self.token))
        self.check(not left, "processes are left:", left)
        left = self.within(1, lambda: sockets_at(set(), str(self.tmp)))
        self.check(not left, "sockets are left:", left)
        left = os.listdir(self.tmp)
        self.check(not left, "temporary files are left:", left)
        self.check_names()

    def check_exit_code(self, s, code):
        outcome = s["outcome"]
        codes = {"finished": (0,), "failed": (1, 4), "aborted": (129, 130, 143)}[outcome]
        self.check(s["exit_code"] in codes, "exit code and outcome:", s)
        late = outcome == "aborted" and self.plan.means == "SIGINT twice" and code == -signal.SIGINT  # on its way out
        self.check(code in (s["exit_code"], -signal.SIGKILL) or late, f"ended with {code}, but its summary says", s)
        sent = SIGNALS[self.plan.means][0] if self.plan.means in SIGNALS else self.ended_by
        if outcome == "aborted":
            self.check(s["exit_code"] == 128 + (sent or 0), f"signal {sent}, but", s)
        if outcome == "failed":
            self.cause = s["cause"]
            self.check_cause(s["cause"])

    def check_cause(self, cause):
        plan = self.plan
        may_be = [re.escape(plan.words)] if plan.means == "engine: error" else [WORDS.get(plan.means, "^$")]
        if plan.may_be_mute():
            may_be.append(NO_ANSWER)
        self.check(re.search("|".join(may_be), cause), "the cause is not in the engine's words:", cause)

    def go(self):
        self.setUp()
        try:
            self.prepare()
            self.start()
            time.sleep(self.plan.moment)
            self.disturb()
            self.end()
            self.check_engine()
            self.check_nothing_left()
            self.check_records()
            self.check_summary()
        except Exception as error:
            self.check(False, f"{type(error).__name__}: {error}")
        finally:
            reap_orphans()
            if self.wrong:
                self.wrong.append(self.story())
            self.within(10, self.kill_all)
            self.wipe()
            if self.wrong and os.environ.get("KEEP"):
                shutil.copytree(self.dir, pathlib.Path(os.environ["KEEP"]) / f"{self.victim.name}-{self.number}",
                                dirs_exist_ok=True, ignore=lambda *_: ["tmp", "image", "engine.sock"])
            self.doCleanups()
        return self

    def wipe(self):
        """After a failure, or a build that was broken off: so that the next run is not blamed for it."""
        self.heal()
        if not self.victim.left():
            return
        engine = self.victim.engine
        containers = engine.get("/libpod/containers/json?all=true&external=true" if self.victim.name == "podman" else
                                "/containers/json?all=1")
        for container in containers:
            engine.ask("DELETE", f"/containers/{container['Id']}?force=1&v=1")
        for kind, path in ("networks", "/networks/"), ("volumes", "/volumes/"), ("images", "/images/"):
            for name in [n for n in self.victim.there_is()[kind] if n not in self.victim.before[kind]]:
                engine.ask("DELETE", path + name.split()[0] + ("?force=1" if kind != "networks" else ""))
        self.victim.before = self.victim.there_is()

    def story(self):
        plan = self.plan
        return (f"{self.victim.name}, {plan.means} after {plan.moment:.4f} s, then {plan.between:.4f} and {plan.patience:.2f} s, "
                f"{'healed, ' if plan.heals else ''}by {plan.last!r}; ended with {self.p and self.p.returncode} in "
                f"{self.took:.2f} s; {dict(self.facts)}\n{plan.scenario()}"
                f"summary: {read(self.out / 'summary.json').decode(errors='replace')[:900]}\nlast said: {read(self.dir / 'said')[-700:]}")


def all_on(place, seed, numbers):
    """All runs on one engine, one after the other."""
    victim = Victim(place)
    totals, causes, failed, longest = collections.Counter(), collections.Counter(), 0, 0
    for number in numbers:
        run = Run(victim, seed, number).go()
        totals.update({**run.facts, f"means: {run.plan.means}": 1})
        totals.update(f"node: {n.get('transport', n['kind'])}" for n in run.plan.nodes)
        causes[f"{run.plan.means}: {run.cause}"] += bool(run.cause)
        longest = max(longest, run.took)
        failed += bool(run.wrong)
        if run.wrong:
            print(f"\nSEED={seed} ONE={number}, {victim.name}:\n" + "\n".join(run.wrong), flush=True)
    return victim.name, totals, causes, failed, longest


class Chaos(common.Case):
    def test_no_end_of_a_run_or_of_its_engine_leaves_anything_behind_or_untrue(self):
        seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
        print(f"SEED={seed}", flush=True)
        numbers = [int(os.environ["ONE"])] if "ONE" in os.environ else range(common.number("RUNS", 6, 3, 100))
        only, all_failed = os.environ.get("ENGINE", ""), 0
        with concurrent.futures.ThreadPoolExecutor(len(PLACES)) as pool:
            for name, totals, causes, failed, longest in pool.map(lambda place: all_on(place, seed, numbers),
                                                                  [p for p in PLACES if only in p.name]):
                for what, count in sorted(totals.items()):
                    print(f"{name}: {count:4} {what}")
                for what, count in sorted(causes.items()) if os.environ.get("CAUSES") else ():
                    print(f"{name}: {count:4} {what}")
                print(f"{name}: the longest end took {longest:.2f} s", flush=True)
                all_failed += failed
        self.assertEqual(all_failed, 0, "runs that failed; each is repeated by its SEED and ONE above")


class Broken(common.Case):
    def test_a_step_of_a_build_in_which_docker_was_killed_leaves_no_container(self):
        victim = Victim(next(p for p in PLACES if p.name == "docker"))
        (self.dir / "image").mkdir()
        (self.dir / "image" / "busybox").write_bytes(FILES["busybox"][1])
        (self.dir / "image" / "busybox").chmod(0o755)
        self.write("image/Dockerfile", 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sleep", "60"]\n')
        self.write("scenario.yaml", "name: broken\nsimulation: { duration: 1s, seed: 1 }\nnodes:\n  - { id: c, type: x, tier: edge, "
                   "implementation: docker, docker: { image: lockstep-test/broken, build_context: image } }\n")

        def left():
            return [thing for kind, things in victim.there_is().items() for thing in things
                    if kind == "containers" and thing not in victim.before["containers"]]
        with subprocess.Popen([common.LOCKSTEP, "--batch", "--out", self.dir / "out", self.dir / "scenario.yaml"],
                              stdin=subprocess.DEVNULL, cwd=self.dir,
                              env=terminal.environment(DOCKER_HOST=victim.address)) as p:
            self.assertTrue(self.until(left, 30 * SLOWNESS), "the step does not run")
            victim.end(signal.SIGKILL)
            p.kill()
        victim.start_again()
        self.assertTrue(self.until(lambda: not left(), KILLED_LIMIT), left())

    def until(self, holds, seconds):
        end = time.monotonic() + seconds
        while not holds() and time.monotonic() < end:
            time.sleep(0.05)
        return holds()


def prepare():
    with tempfile.TemporaryDirectory(prefix="lockstep-test-") as folder:
        gateway = test_docker.static_gateway(pathlib.Path(folder)).read_bytes()
    return {"busybox": (0o755, pathlib.Path("/bin/busybox").read_bytes()), "node.sh": (0o755, NODE.encode()),
            "gateway": (0o755, gateway)}


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    FOLDER = engines.own()[1]
    PLACES = sorted(FOLDER.resolve().glob("*/"))
    FILES = prepare()
    common.main()
