"""Leaving the terminal UI while node processes run that are well, hang, ignore what ends them, or have left daemons
behind: each way of leaving gives the terminal back as it was, has its exit code, leaves no process, and takes no longer
than it may."""
import concurrent.futures
import json
import os
import random
import signal
import subprocess
import sys
import time

import terminal
import test_chaos
import test_terminal_care
from terminal import SLOWNESS, Pty, main, wait_until

QUANTUM = 20000
HANG = 5                      # the grant that is never answered
STOP = 0.4 * SLOWNESS         # seconds: timeouts.stop
LONG_STOP = 60                # where nobody is to be waited for
BESIDE = 2.5 * SLOWNESS       # seconds beside timeouts.stop until all has ended
AT_ONCE = 2.5 * SLOWNESS      # seconds until that where nobody is waited for
JOBS = 6

# What the nodes do, as tests/nodes/chaos.py knows it; and the grant that the first of them comes to.
NODES = {"well": ("plain", "next"), "hang": (f"mute:{HANG}", "plain"), "stubborn": ("deaf,stubborn", "fork-term"),
         "daemons": ("daemon", "daemon-open,flood")}

# Each way: what is done, one after the other (keys as bytes, a signal, or "hang up"), and the exit code.
WAYS = {"q": ((b"qy",), 130), "Q": ((b"Q",), 130), "Ctrl-C, then q": ((b"\003", "over", b"q"), 130),
        "Ctrl-C twice": ((b"\003", b"\003"), 130), "SIGINT twice": ((signal.SIGINT, signal.SIGINT), 130),
        "SIGTERM": ((signal.SIGTERM,), 143), "SIGTERM twice": ((signal.SIGTERM, signal.SIGTERM), 143),
        "SIGHUP": ((signal.SIGHUP,), 129), "SIGQUIT": ((signal.SIGQUIT,), 131), "hang up": (("hang up",), 129),
        "Space, then Q": ((b" ", b"Q"), 130), "a, then Q": ((b"a", "over", b"Q"), 130)}
FORCED = ("Ctrl-C twice", "SIGINT twice", "SIGTERM twice", "SIGQUIT")  # these wait for no node


def stty(fd):
    return subprocess.run(["stty", "-a"], stdin=fd, capture_output=True, text=True, check=True).stdout


class Leaving(test_terminal_care.Care):
    def setUp(self):
        super().setUp()
        idle = Pty(self, program="/bin/true")  # what the settings of such a terminal are
        idle.end()
        self.settings = stty(idle.slave)

    def begin(self, name, nodes, duration="1h", forced=False):
        """A run in a folder of its own, whose processes are known by a mark in their environment."""
        folder = self.dir / name.replace(" ", "_").replace(",", "")
        (folder / "notes").mkdir(parents=True)
        text = [f"simulation: {{ duration: {duration}, quantum: {QUANTUM}us, seed: 1, pace: 1 }}", "nodes:"]
        for i, does in enumerate(nodes):
            node = [sys.executable, "-I", "-S", str(test_chaos.NODE), does, str(i)] if does else ["sleep", "60"]
            command = json.dumps(node)
            text.append(f"  - {{ id: n{i}, type: chaos, tier: device, implementation: process, command: {command}, "
                        f"timeouts: {{ start: 20s, step: 60s, stop: {LONG_STOP if forced else STOP}s }} }}")
        (folder / "leave.yaml").write_text("\n".join(text) + "\n")
        token = f"{random.SystemRandom().getrandbits(64):016x}"
        p = Pty(self, "--run", "--out", "out", "leave.yaml", cwd=folder, LOCKSTEP_TEST_TOKEN=token,
                LOCKSTEP_TEST_NOTES=str(folder / "notes"), LOCKSTEP_TEST_QUANTUM=str(QUANTUM),
                LOCKSTEP_TEST_PEERS="n0,n1")
        p.folder, p.token = folder, token.encode()
        self.addCleanup(self.kill_left, p.token)
        return p

    def kill_left(self, token):
        for process in test_chaos.processes_with(token):
            os.kill(int(process.split()[0]), signal.SIGKILL)

    def granted(self, p, node):
        """How many quanta it was granted; it notes that itself."""
        note = test_chaos.read(p.folder / "notes" / node).split()
        return int(note[1]) // QUANTUM if len(note) == 2 else 0

    def leave(self, p, steps):
        """Returns the exit code, and how long it took."""
        began = time.monotonic()
        for i, step in enumerate(steps):
            if i and step != "over":
                time.sleep(0.05)
            if step == "over":
                p.wait(b"ABORTED")
            elif step == "hang up":
                p.hang_up()
            elif isinstance(step, bytes):
                p.send(step)
            else:
                os.kill(p.pid, step)
        code = p.process.wait(LONG_STOP / 2) if p.master < 0 else p.end(LONG_STOP / 2)
        if code < 0 and steps[-1] == -code:  # the last signal came behind all that had to be done
            code = 128 - code
        return code, time.monotonic() - began

    def case(self, p, nodes, way):
        """Plays it, and returns what is wrong."""
        steps, code = WAYS[way]
        wait_until("the fifth grant", lambda: all(self.granted(p, n) >= HANG for n in ("n0", "n1")))
        self.assertEqual(len(set(self.nodes_of(p))), len(NODES[nodes]) + self.beside(nodes))
        got, took = self.leave(p, steps)
        left = test_chaos.processes_with(p.token)
        self.assertEqual(left, [], "processes are left")
        self.assertEqual(got, code)
        self.assertLess(took, AT_ONCE if way in FORCED else STOP + BESIDE)
        summary = json.loads((p.folder / "out" / "summary.json").read_text())
        self.assertEqual((summary["outcome"], summary["exit_code"]), ("aborted", code))
        self.assertEqual("left behind" in summary["cause"], nodes == "daemons", summary["cause"])
        self.assertEqual(test_chaos.read(p.folder / "out" / "events.jsonl").count(b'"kind":"end"'), 1)
        if p.master >= 0:
            self.assertEqual(stty(p.slave), self.settings)
            self.assert_restored(p)

    def nodes_of(self, p):
        """The processes beside lockstep and its guard: they run, or the test would prove nothing."""
        return [x for x in test_chaos.processes_with(p.token) if "lockstep" not in x]

    def beside(self, nodes):
        """How many those are that the nodes have started."""
        return {"stubborn": 1, "daemons": 2}.get(nodes, 0)

    def test_every_way_over_every_kind_of_nodes(self):
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            cases = [(nodes, way) for way in WAYS for nodes in NODES]
            for i in range(0, len(cases), JOBS):
                jobs = []
                for nodes, way in cases[i:i + JOBS]:  # programs are started by this thread alone
                    p = self.begin(f"{nodes} {way}", NODES[nodes], forced=way in FORCED)
                    jobs.append((nodes, way, pool.submit(self.case, p, nodes, way)))
                for nodes, way, job in jobs:
                    with self.subTest(nodes=nodes, way=way):
                        job.result()

    def test_leaving_a_run_that_is_over_gives_its_exit_code(self):
        for nodes, code in (("well", 0), ("daemons", 1)):
            with self.subTest(nodes=nodes):
                p = self.begin(f"over {nodes}", NODES[nodes], duration="100ms")
                p.wait(b"FINISHED|FAILED")
                self.assertEqual(self.nodes_of(p), [])
                got, took = self.leave(p, (b"q",))
                self.assertEqual(got, code)
                self.assertLess(took, AT_ONCE)
                self.assertEqual(stty(p.slave), self.settings)
                self.assert_restored(p)

    def test_leaving_while_a_node_does_not_get_ready(self):
        """A run that never moved is not aborted by q."""
        for way, code in (("q", 0), ("Ctrl-C twice", 130), ("SIGTERM", 143), ("hang up", 129)):
            with self.subTest(way=way):
                p = self.begin(f"starting {way}", (None,))
                wait_until("the node", lambda: self.nodes_of(p))
                got, took = self.leave(p, WAYS[way][0])
                self.assertEqual(test_chaos.processes_with(p.token), [])
                self.assertEqual(got, code)
                self.assertLess(took, STOP + BESIDE)
                if p.master >= 0:
                    self.assertEqual(stty(p.slave), self.settings)
                    self.assert_restored(p)


if __name__ == "__main__":
    main(terminal.JOBS)
