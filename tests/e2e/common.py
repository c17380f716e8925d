"""What every end-to-end test needs: the program, a folder of its own, and random numbers whose seed is printed."""
import collections
import contextlib
import fcntl
import json
import os
import pathlib
import random
import socket
import subprocess
import tempfile
import time
import unittest

LOCKSTEP = os.path.abspath(os.environ.get("LOCKSTEP", "build/release/lockstep"))
SOURCE = pathlib.Path(os.environ.get("LOCKSTEP_SOURCE", ".")).resolve()
SANITIZED = os.environ.get("LOCKSTEP_SANITIZE", "0") == "1"
SCENARIOS = SOURCE / "scenarios"


PORTS = range(20000, 32000)  # none that the system gives to a connection of its own accord
taken = collections.deque(maxlen=100)  # what says to other tests that a port was given


def free_port(rng=random.SystemRandom()):
    """A TCP port of this machine where nobody listens, and that no other test that runs now is given."""
    while True:
        port = rng.choice(PORTS)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0lockstep-test-port-{port}")
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("0.0.0.0", port))
            taken.append(claim)
            return port
        except OSError:
            claim.close()


@contextlib.contextmanager
def leftovers_of_its_own():
    """`lockstep clean` ends what any run of this machine left: whoever calls it, or leaves something for it, takes a
    turn, beside all other tests."""
    with open(pathlib.Path(tempfile.gettempdir()) / f"lockstep-test-clean-{os.getuid()}.lock", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def number(name, usual, sanitized, full):
    """How many random cases a test tries: the environment variable `name` says so, or FULL=1 for as many as the
    specification asks for. Sanitized programs are slower, and say other things."""
    few = sanitized if SANITIZED else usual
    count = int(os.environ.get(name, full if os.environ.get("FULL") == "1" else few))
    print(f"{name}={count}", flush=True)
    return count


def seeded_random():
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    print(f"SEED={seed}", flush=True)
    return random.Random(seed)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lockstep-test-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.has_turn = False
        self.pids = []  # of the programs that it has run

    def lockstep(self, *args, expect=0, cwd=None, env=None, timeout=120, pass_fds=()):
        """Runs the program and returns (stdout, stderr); the exit code must be `expect` (None: any)."""
        with subprocess.Popen([LOCKSTEP, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, cwd=cwd or self.dir, env={**os.environ, **(env or {})},
                              pass_fds=pass_fds) as p:
            self.pids.append(p.pid)
            try:
                out, err = p.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                p.kill()
                raise
        if expect is not None:
            self.assertEqual(p.returncode, expect, f"{args}\n{out}\n{err}")
        return out, err

    def leaves_something(self):
        """Until this test is over, nobody else cleans."""
        turn = contextlib.ExitStack()
        turn.enter_context(leftovers_of_its_own())
        self.addCleanup(turn.close)
        self.has_turn = True

    def clean(self, expect=0, env=None):
        """What `lockstep clean` says."""
        with contextlib.nullcontext() if self.has_turn else leftovers_of_its_own():
            return self.lockstep("clean", expect=expect, env=env)[0]

    def batch(self, scenario, out, *args, **options):
        return self.lockstep("--batch", "--out", self.dir / out, *args, scenario, **options)

    def write(self, name, text):
        path = self.dir / name
        path.write_text(text)
        return path

    def events(self, out):
        return (self.dir / out / "events.jsonl").read_bytes()

    def records(self, out):
        return [json.loads(line) for line in self.events(out).splitlines()]

    def summary(self, out):
        return json.loads((self.dir / out / "summary.json").read_text())

    def assert_same_file(self, a, b):
        self.assertTrue(pathlib.Path(a).read_bytes() == pathlib.Path(b).read_bytes(), f"{a} and {b} differ")


def main():
    unittest.main()
