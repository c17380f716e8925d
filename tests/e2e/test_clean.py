"""What `lockstep clean` says: what it has looked at, what it has removed, and what to do about the rest."""
import os
import re
import signal
import socket
import subprocess

import common

USUAL = ("/var/run/docker.sock", "/run/podman/podman.sock")


def listens(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


class Cleaning(common.Case):
    def setUp(self):
        super().setUp()
        self.places = (("processes" if os.geteuid() == 0 else "processes of this user") + f", folders in {self.dir}")
        self.gone = subprocess.Popen(["true"])
        self.gone.wait()

    def clean(self, host="", expect=0, **env):
        """What it says of this test alone: others' processes may be among what it ends."""
        said = super().clean(expect=expect, env={"DOCKER_HOST": host, "XDG_RUNTIME_DIR": "", "TMPDIR": str(self.dir),
                                                 **env})
        return re.sub(r"(?m)^ended process .* of node (?!of_this_test\b).*\n", "", said).splitlines()

    def test_without_leftovers_and_engines_it_says_where_it_looked_and_why_not_elsewhere(self):
        if any(listens(path) for path in USUAL):
            self.skipTest("an engine listens at its usual place")
        said, engines = self.clean()
        self.assertRegex(said, rf"^looked at {self.places}: (nothing was left behind there|\d+ ended or removed)$")
        self.assertEqual(engines, "did not look for containers: no engine of Docker or Podman listens at its usual "
                                  "place, and DOCKER_HOST is not set; if a run had containers, start its engine, or set "
                                  "DOCKER_HOST to it, and clean again")

    def test_what_it_removes_is_told_and_counted(self):
        self.leaves_something()
        left = subprocess.Popen(["sleep", "600"], env={"LOCKSTEP_RUN": f"{self.gone.pid}-1", "PATH": os.environ["PATH"],
                                                       "LOCKSTEP_NODE": "of_this_test"})
        self.addCleanup(left.kill)
        folders = [self.dir / f"lockstep-{kind}{self.gone.pid}-1" for kind in ("", "verify-")]
        for folder in folders:
            folder.mkdir(mode=0o700)
        lines = self.clean()
        self.assertEqual(left.wait(30), -signal.SIGKILL)
        self.assertLessEqual({f"ended process {left.pid} (sleep) of node of_this_test",
                              *(f"removed {folder}" for folder in folders)}, set(lines))
        self.assertFalse(any(folder.exists() for folder in folders))
        self.assertRegex(lines[3], rf"^looked at {self.places}.*: ([3-9]|\d\d+) ended or removed$")
        said = self.clean()
        self.assertRegex(said[0], rf"^looked at {self.places}")

    def test_a_folder_that_cannot_be_read_is_told(self):
        said, rest, *_ = self.clean(TMPDIR=str(self.dir / "absent"), expect=1)
        self.assertEqual(said, f"could not look for folders in {self.dir / 'absent'}: No such file or directory; "
                               "set TMPDIR as it was for the run")
        self.assertRegex(rest, r"^looked at processes( of this user)?(, container engines at .*)?: ")

    def test_an_engine_that_is_named_and_not_there_is_told(self):
        for address, why in (("unix:///no/such/engine.sock", "No such file or directory"),
                             (f"unix://{self.write('left.sock', '')}", "Connection refused")):
            said, rest = self.clean(address, expect=1)
            self.assertEqual(said, f"could not look for containers: {address} (DOCKER_HOST): {why}; start that "
                                   "engine, or set DOCKER_HOST to the one that was used")
            self.assertRegex(rest, rf"^looked at {self.places}")
            self.assertNotIn(address, rest)

    def test_an_engine_that_gives_no_right_answer_is_told_and_counts_as_not_looked_at(self):
        path = self.dir / "engine.sock"
        engine = socket.socket(socket.AF_UNIX)
        self.addCleanup(engine.close)
        engine.bind(str(path))
        engine.listen(1)
        answer = subprocess.Popen(["python3", "-c", "import socket, sys\n"
                                   "s = socket.socket(fileno=int(sys.argv[1]))\n"
                                   "while True:\n"
                                   "    with s.accept()[0] as c:\n"
                                   "        c.recv(1) and c.sendall(b'who is there?\\r\\n')\n", str(engine.fileno())],
                                  pass_fds=(engine.fileno(),))
        self.addCleanup(answer.wait)
        self.addCleanup(answer.kill)
        said, *_, rest = self.clean(f"unix://{path}", expect=1)
        self.assertRegex(said, rf"^could not look for containers: unix://{path}: .*; what a run has left there stays "
                               r"until `lockstep clean` can ask that engine$")
        self.assertRegex(rest, rf"^looked at {self.places}")
        self.assertNotIn(str(path), rest)

    def test_an_engine_elsewhere_that_is_away_is_told(self):
        address = f"tcp://127.0.0.1:{common.free_port()}"
        said, *_, rest = self.clean(address, expect=1)
        self.assertRegex(said, rf"^could not look for containers: {address}: connection refused.*; what a run has left "
                               r"there stays until")
        self.assertNotIn(address, rest)

    def test_what_is_no_address_is_told(self):
        said = self.clean("somewhere", expect=1)
        self.assertIn("could not look for containers: the engine's address 'somewhere' is neither", said[0])


if __name__ == "__main__":
    common.main()
