"""Whatever ends a run, nothing of it stays on a container engine: kill -9 at any moment, of the guard process, too;
signals; and two runs of one scenario do not touch each other.

    SEED=… RUNS=100 python3 tests/e2e/test_docker_ends.py Killed     that many kills on each engine"""
import concurrent.futures
import functools
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time
import unittest

import common
import engines
from terminal import SLOWNESS

RUNS = common.number("KILLS", 4, 3, 30) # on each engine
# seconds, and once more what a whole run takes, until an engine has nothing of a killed one any more
GRACE = 2 * SLOWNESS
LATE = 15 * SLOWNESS    # and until the guard process has looked for the last time
DOCKERFILE = """FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY node.sh /node.sh
CMD ["/bin/sh", "/node.sh"]
"""
# With "deaf" it does not end when it is asked to.
NODE = """#!/bin/sh
trap 'test "$1" = deaf || exit 0' TERM
while read -r line; do
    case $line in
    INIT*) echo READY ;;
    ADVANCE*) read -r messages; test "$granted" || echo "$line" >&2; granted=yes; echo DONE; echo "[]" ;;
    *) test "$1" = deaf || exit 0 ;;
    esac
done
while test "$1" = deaf; do sleep 1; done
"""


def on_each(test):
    """Runs a case on all engines at once."""
    @functools.wraps(test)
    def run(case):
        with concurrent.futures.ThreadPoolExecutor(len(ENGINES)) as pool:
            for done in [pool.submit(test, case, At(case, engine)) for engine in ENGINES]:
                done.result()
    return run


class At:
    """One engine, and the runs that use it."""

    def __init__(self, case, engine):
        self.case, self.engine = case, engine
        self.dir = case.dir / engine.name
        self.env = {**os.environ, "DOCKER_HOST": engine.address}
        (self.dir / "image").mkdir(parents=True)
        (self.dir / "image" / "Dockerfile").write_text(DOCKERFILE)
        (self.dir / "image" / "node.sh").write_text(NODE)
        shutil.copy("/bin/busybox", self.dir / "image" / "busybox")

    def scenario(self, duration="1h", deaf=""):
        """Two containers that need one of everything that lockstep makes on an engine."""
        lines = "".join(
            f"  - {{ id: {id}, type: x, tier: device, implementation: docker, timeouts: {{ start: 60s, stop: 60s }}, "
            f"docker: {{ image: made, build_context: image, network: net, volumes: [\"data:/data\"]{command} }} }}\n"
            for id, command in (("a", ""), ("b", f", command: [/bin/sh, /node.sh, {deaf or 'plain'}]")))
        path = self.dir / "s.yaml"
        path.write_text(f"simulation: {{ duration: {duration}, quantum: 10ms, seed: 1, pace: 1 }}\nnodes:\n{lines}")
        return path

    def start(self, scenario, out="out"):
        with open(self.dir / f"{out}.said", "wb") as said:
            p = subprocess.Popen([common.LOCKSTEP, "-b", "-q", "-o", self.dir / out, scenario], env=self.env,
                                 stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        self.case.addCleanup(p.wait)
        self.case.addCleanup(p.kill)  # before that; where the case has failed, it runs still
        return p

    def said(self, out="out"):
        return (self.dir / f"{out}.said").read_text()

    def there_is(self, *pids):
        return self.engine.made_by(pids)

    def wait_for(self, condition, what, seconds=60):
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                raise AssertionError(f"{self.engine.name}: not within {seconds} s: {what()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def wait_until_running(self, p, out="out"):
        """All of it is there, and both containers have been granted something."""
        def runs():
            assert p.poll() is None, self.said(out)
            logs = [self.dir / out / "logs" / f"{id}.log" for id in "ab"]
            return all(log.exists() and "ADVANCE" in log.read_text() for log in logs)
        self.wait_for(runs, lambda: f"{self.there_is(p.pid)} are there, but do not run: {self.said(out)}")
        def is_all_there():
            kinds = [t.split()[0] for t in self.there_is(p.pid)]
            return set(kinds) == {"container", "network", "volume", "image"} and kinds.count("container") == 2
        self.wait_for(is_all_there, lambda: f"only {self.there_is(p.pid)} are there")
        return p

    def wait_until_gone(self, p, seconds=LATE):
        return self.wait_for(lambda: not self.there_is(p.pid), lambda: self.there_is(p.pid), seconds)


def guards():
    """The guard processes on this machine, and their parents."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        if "(lockstep-guard)" in text:
            found[int(path.parent.name)] = int(text.rpartition(")")[2].split()[1])
    return found


def guard_of(p):
    return next(guard for guard, parent in guards().items() if parent == p.pid)


def cmdline(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Killed(common.Case):
    @on_each
    def test_nothing_stays_after_a_kill_at_any_moment(self, at):
        rng = random.Random(f"{SEED}/{at.engine.name}")
        path = at.scenario(duration="500ms")
        began = time.monotonic()
        p = at.start(path, "whole")
        self.assertEqual(p.wait(60), 0, at.said("whole"))
        whole, pids, slowest = time.monotonic() - began, [], 0
        for i in range(RUNS):
            moment = rng.uniform(0, whole)
            p = at.start(path, f"out{i}")
            time.sleep(moment)
            p.kill()
            p.wait()
            pids.append(p.pid)
            try:
                slowest = max(slowest, at.wait_until_gone(p, GRACE + whole))
            except AssertionError as e:
                where = f"run {i} of SEED={SEED}, killed after {moment:.3f} of {whole:.3f} s"
                raise AssertionError(f"{where}: {e}") from None
        print(f"{at.engine.name}: {RUNS} runs of {whole:.1f} s were killed, all was gone after {slowest:.2f} s at most",
              flush=True)
        at.wait_for(lambda: not [g for g in guards() if str(at.dir).encode() in cmdline(g)],
                    lambda: "the guard processes end", LATE)
        self.assertEqual(at.there_is(*pids), [])

    @on_each
    def test_what_a_lost_guard_cannot_remove_clean_does(self, at):
        p = at.wait_until_running(at.start(at.scenario()))
        other = at.wait_until_running(at.start(at.scenario(), "other"), "other")
        p.send_signal(signal.SIGSTOP)  # it would begin to end the run
        os.kill(guard_of(p), signal.SIGKILL)
        p.kill()
        p.wait()
        self.assertEqual(len([t for t in at.there_is(p.pid) if t.startswith("container")]), 2)
        said = self.clean(env=at.env)
        for words in ("removed container ", " of node a (", " of node b (", "removed network ", "removed volume ",
                      "removed image ", at.engine.address):
            self.assertIn(words, said)
        self.assertEqual(at.there_is(p.pid), [])
        self.assertEqual(len([t for t in at.there_is(other.pid) if t.startswith("container")]), 2)
        other.terminate()
        self.assertEqual(other.wait(30), 128 + signal.SIGTERM, at.said("other"))
        self.assertEqual(at.there_is(other.pid), [])

    @on_each
    def test_of_two_runs_one_ends_and_the_other_goes_on(self, at):
        path = at.scenario(duration="4s")
        one, two = at.start(path, "one"), at.start(path, "two")
        at.wait_until_running(one, "one")
        at.wait_until_running(two, "two")
        one.kill()
        one.wait()
        at.wait_until_gone(one)
        self.assertEqual(two.wait(60), 0, at.said("two"))
        self.assertEqual(at.there_is(two.pid), [])


class Ended(common.Case):
    def ended_by(self, at, *numbers, deaf=""):
        p = at.wait_until_running(at.start(at.scenario(deaf=deaf)))
        for number in numbers:
            p.send_signal(number)
            time.sleep(0.3)
        began = time.monotonic()
        self.assertEqual(p.wait(30), 128 + numbers[0], at.said())
        self.assertLess(time.monotonic() - began, 5 * SLOWNESS)
        self.assertEqual(at.there_is(p.pid), [])

    @on_each
    def test_by_sigterm(self, at):
        self.ended_by(at, signal.SIGTERM)

    @on_each
    def test_by_ctrl_c(self, at):
        self.ended_by(at, signal.SIGINT)

    @on_each
    def test_by_ctrl_c_twice_also_with_a_container_that_does_not_obey(self, at):
        self.ended_by(at, signal.SIGINT, signal.SIGINT, deaf="deaf")


class BrokenOff(common.Case):
    """A build that a run no longer needs. Podman lets its step come to an end all the same."""

    def begun(self, at, stop):
        path = at.scenario()
        path.write_text(path.read_text().replace("stop: 60s", f"stop: {stop}"))
        (at.dir / "image" / "Dockerfile").write_text(DOCKERFILE.replace("CMD",
                                                                        f"COPY node.sh /{stop}.sh\nRUN sleep 6\nCMD"))
        p, log = at.start(path, stop), at.dir / stop / "logs" / "a.log"
        at.wait_for(lambda: log.exists() and "RUN sleep" in log.read_text(), lambda: f"the step runs: {at.said(stop)}")
        return p

    @on_each
    def test_its_end_is_waited_for(self, at):
        p = self.begun(at, f"{10 * SLOWNESS}s")
        p.terminate()
        self.assertEqual(p.wait(30 * SLOWNESS), 128 + signal.SIGTERM)
        self.assertNotIn("left on", at.said(f"{10 * SLOWNESS}s"))
        self.assertEqual(at.there_is(p.pid), [])

    @on_each
    def test_or_what_stays_is_told_and_removed_by_clean(self, at):
        for numbers in [signal.SIGTERM], [signal.SIGTERM, signal.SIGTERM]:
            stop = "1s" if len(numbers) == 1 else "40s"
            p = self.begun(at, stop)
            for number in numbers:
                p.send_signal(number)
                time.sleep(0.3)
            self.assertEqual(p.wait(30 * SLOWNESS), 128 + signal.SIGTERM)
            left = [t for t in at.there_is(p.pid) if t.startswith("image")]
            self.assertTrue(at.engine.name == "podman" or not left, left)
            if left:
                self.assertRegex(at.said(stop),
                                 r"left on a container engine: image [0-9a-f]{12} \(a step of its build goes on")
            def clean():
                self.clean(expect=None, env=at.env)
                return not at.there_is(p.pid)
            at.wait_for(clean, lambda: at.there_is(p.pid))


if __name__ == "__main__":
    ENGINES = engines.need()
    SEED = os.environ.get("SEED", str(time.time_ns() % 1000000))
    print(f"SEED={SEED}", flush=True)
    unittest.main()
