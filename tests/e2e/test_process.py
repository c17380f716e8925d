"""What a process is given, what is kept of what it writes, and what is left of it when everything that watched was
killed."""
import json
import os
import pathlib
import resource
import secrets
import signal
import subprocess
import sys
import time

import common
from common import main

NODE = r'''
import json, os, resource, sys
for line in sys.stdin:
    if line.startswith("INIT"):
        about = {"env": dict(os.environ), "cwd": os.getcwd(), "args": sys.argv[1:], "init": line.rstrip("\n"),
                 "leads": [os.getpid() == os.getpgrp(), os.getpid() == os.getsid(0)],
                 "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
                 "size": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
                 "fds": sorted(int(f) for f in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + f)),
                 "ignored": [l for l in open("/proc/self/status") if l.startswith(("SigIgn", "SigBlk"))]}
        print(json.dumps(about), file=sys.stderr, flush=True)
        print("READY", flush=True)
    elif line.startswith("ADVANCE"):
        sys.stdin.readline()
        if line == "ADVANCE 2000000\n":
            print("two seconds", file=sys.stderr, flush=True)
        print("DONE\n[]", flush=True)
    else:
        break
'''

DAEMON = r'''
import os, signal, sys, time
for line in sys.stdin:
    if line.startswith("INIT"):
        if os.fork() == 0:
            os.setsid()
            for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(s, signal.SIG_IGN)
            while True:
                time.sleep(1)
        print("READY", flush=True)
    elif line.startswith("ADVANCE"):
        sys.stdin.readline()
        print("DONE\n[]", flush=True)
'''


def marked(token):
    """The processes that carry the token in their environment."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"LOCKSTEP_TEST_TOKEN={token}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            pass
    return found


class Given(common.Case):
    def about(self, fields, scenario_env=None):
        node = self.write("node.py", NODE)
        path = self.write("p.yaml", f"""
simulation: {{ duration: 3s, quantum: 500ms, seed: 9223372036854775807 }}
nodes:
  - {{ id: p, type: x, implementation: process, command: [{sys.executable}, "{node}", "a b", "$HOME", "*"], {fields} }}
""")
        with open(path) as inherited:  # lockstep itself has one more than it needs
            self.batch(path, "out", env=scenario_env, pass_fds=[inherited.fileno()])
        log = (self.dir / "out" / "logs" / "p.log").read_text().splitlines()
        self.assertTrue(log[0].startswith("[     0.000000 s] {"), log[0])
        self.assertIn("[     1.500000 s] two seconds", log)  # while the quantum that ends at 2 s goes on
        return json.loads(log[0].partition("] ")[2])

    def test_environment_folder_limits_and_nothing_else(self):
        (self.dir / "place").mkdir()
        about = self.about('environment: { GIVEN: "a=b c", HOME: /nowhere }, working_dir: place, config: { x: 1.50 }, '
                           'limits: { open_files: 77, file_size: 2M }',
                           {"LOCKSTEP_RUN": "old", "LOCKSTEP_PORT": "5", "KEPT": "1"})
        env = about["env"]
        self.assertEqual((env["GIVEN"], env["HOME"], env["KEPT"]), ("a=b c", "/nowhere", "1"))
        self.assertEqual((env["LOCKSTEP_NODE"], env["LOCKSTEP_TRANSPORT"]), ("p", "stdio"))
        self.assertNotIn("LOCKSTEP_PORT", env)  # that of a lockstep around this one
        self.assertEqual(env["LOCKSTEP_RUN_DIR"], str(self.dir / "out"))
        self.assertRegex(env["LOCKSTEP_RUN"], r"^\d+-\d+$")
        self.assertTrue(env["PATH"].endswith(os.path.dirname(common.LOCKSTEP)))
        self.assertEqual(about["cwd"], str(self.dir / "place"))
        self.assertEqual(about["args"], ["a b", "$HOME", "*"])  # no shell has seen them
        self.assertEqual(about["init"], 'INIT p {"seed": 9223372036854775807, "config": {"x":1.50}}')
        self.assertEqual((about["files"], about["size"]), (77, 2 << 20))
        self.assertEqual(about["leads"], [True, True])
        self.assertEqual(about["fds"], [0, 1, 2])
        for line in about["ignored"]:  # Python itself ignores SIGPIPE and SIGXFSZ
            name, mask = line.split()
            python = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1) if name == "SigIgn:" else 0
            self.assertEqual(int(mask, 16) & ~python, 0, line)

    def test_limits_are_those_that_lockstep_was_started_with(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))  # lockstep raises its own
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        about = self.about("transport: stdio")
        self.assertEqual(about["files"], 300)
        self.assertEqual(about["size"], resource.getrlimit(resource.RLIMIT_FSIZE)[0])
        self.assertEqual(about["cwd"], str(self.dir))


class OddMoments(common.Case):
    def test_a_node_that_owes_its_answer_can_be_stopped_at_once(self):
        node = self.write("hang.py", NODE.replace("sys.stdin.readline()", "sys.stdin.readline(); import time; "
                                                  "time.sleep(1000 if line == 'ADVANCE 1000000\\n' else 0)", 1))
        path = self.write("h.yaml", f"""
simulation: {{ duration: 3s, quantum: 500ms, seed: 1 }}
nodes:
  - {{ id: h, type: x, tier: device, implementation: process, command: [{sys.executable}, "{node}"],
      timeouts: {{ step: 60s }} }}
  - {{ id: gateway, type: gateway }}
""")
        keys = self.write("k.keys", "c\nsee Waiting for h\ntype g\nj\nx\nsee (y/n)\ny\nuntil FINISHED\n")
        began = time.monotonic()
        self.lockstep("--keys", keys, "--size", "100x30", "--out", self.dir / "out", path)
        self.assertLess(time.monotonic() - began, 30)
        told = [(r["t"], r["kind"], r.get("text") or r.get("state")) for r in self.records("out")[1:-1]]
        self.assertEqual(told, [(1000000, "command", "stop h"), (1000000, "node", "frozen")])

    def test_models_are_paused_killed_and_started_again_too(self):
        path = self.write("m.yaml", """
simulation: { duration: 10s, seed: 1 }
nodes:
  - { id: s, type: sensor, on_failure: restart, restart: { max: 1, backoff: 20ms } }
  - { id: gateway, type: gateway }
faults:
  - { at: 2500ms, node: s, action: pause }
  - { at: 3500ms, node: s, action: kill }
  - { at: 4s, node: s, action: resume }
  - { at: 6200ms, node: s, action: restart }
""")
        files = []
        for args in ([], ["--no-skip"]):
            self.batch(path, "out", *args)
            files.append(self.events("out"))
            sent = [r["t"] for r in self.records("out") if r["kind"] == "message"]
            # from 3.5 s on it counts anew, and from 6.2 s once more
            self.assertEqual(sent, [1000000, 2000000, 4500000, 5500000, 7200000, 8200000, 9200000])
        self.assertTrue(files[0] == files[1])


class Left(common.Case):
    def setUp(self):
        super().setUp()
        self.token = secrets.token_hex(8)
        self.env = {**os.environ, "LOCKSTEP_TEST_TOKEN": self.token, "TMPDIR": str(self.dir)}
        self.addCleanup(self.end_all)

    def end_all(self):
        for pid in marked(self.token):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it has ended meanwhile

    def start(self):
        node = self.write("daemon.py", DAEMON)
        path = self.write("d.yaml", f"""
simulation: {{ duration: 1h, quantum: 100ms, seed: 1, pace: 1 }}
nodes:
  - {{ id: d, type: x, implementation: process, command: [{sys.executable}, "{node}"] }}
  - {{ id: u, type: gateway, implementation: process, transport: unix, command: lockstep-node-gateway }}
""")
        p = subprocess.Popen([common.LOCKSTEP, "-b", "-q", "-o", self.dir / "out", path], env=self.env,
                             stderr=subprocess.DEVNULL)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        wall = self.dir / "out" / "wall.jsonl"
        end = time.monotonic() + 20
        while not (wall.exists() and '"RUNNING"' in wall.read_text()):
            self.assertLess(time.monotonic(), end, "it does not run")
            time.sleep(0.01)
        return p

    def guard_of(self, p):
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(p.pid):
                    return int(folder.name)
            except OSError:
                pass
        self.fail("no guard process")

    def wait_until_none(self):
        end = time.monotonic() + 2
        while marked(self.token) and time.monotonic() < end:
            time.sleep(0.02)
        return marked(self.token)

    def folders(self):
        return list(self.dir.glob("lockstep-*"))

    def test_clean_ends_what_nobody_else_could(self):
        self.leaves_something()
        p = self.start()
        other = self.start_other()
        guard = self.guard_of(p)
        p.send_signal(signal.SIGSTOP)  # it is not to see that its guard has gone, and to end the daemon itself
        os.kill(guard, signal.SIGKILL)
        p.kill()
        p.wait()
        end = time.monotonic() + 10
        while len(left := set(marked(self.token)) - other) > 1 and time.monotonic() < end:  # the nodes see the end of file
            time.sleep(0.02)
        self.assertEqual(len(left), 1, "the daemon alone lives on: there is something to clean")
        self.assertEqual(len(self.folders()), 2)
        said = self.clean(env=self.env)
        for pid in left:
            self.assertRegex(said, rf"ended process {pid} \(.*\) of node d")
        self.assertEqual(set(marked(self.token)), other, "what runs under a lockstep that is there stays")
        self.assertEqual(len(self.folders()), 1)
        again = self.clean(env=self.env)
        self.assertNotIn("of node d", again)

    def start_other(self):
        """A second run, which is to live on. Returns its processes."""
        before = set(marked(self.token))
        (self.dir / "out").rename(self.dir / "out-first")
        self.other = self.start()
        return {pid for pid in marked(self.token) if pid not in before}

    def test_killing_lockstep_leaves_nothing(self):
        p = self.start()
        self.assertEqual(len(self.folders()), 1)
        p.kill()
        p.wait()
        self.assertEqual(self.wait_until_none(), [])
        time.sleep(0.1)
        self.assertEqual(self.folders(), [])

    def test_killing_the_guard_fails_the_run_and_leaves_nothing(self):
        p = self.start()
        os.kill(self.guard_of(p), signal.SIGKILL)
        self.assertEqual(p.wait(10), 1)
        self.assertEqual(self.wait_until_none(), [])
        self.assertIn("guard process", self.summary("out")["cause"])
        self.assertEqual(self.folders(), [])

    def test_a_guard_that_stands_still_does_not_hold_anything_up(self):
        p = self.start()
        os.kill(self.guard_of(p), signal.SIGSTOP)
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(30), 143)
        self.assertEqual(self.wait_until_none(), [])


if __name__ == "__main__":
    main()
