"""Containers rest while the run does, and go on with it; on each engine, at the terminal."""
import signal
import time

import common
import engines
import terminal
import test_docker
from test_docker import node, on_each, wait_until

IMAGE = "lockstep-test/freeze:1"
DOCKERFILE = """FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY node.sh /node.sh
"""
REST_S = 1  # a run that has been paused so long rests
LATE = 3 * terminal.SLOWNESS


class Freezing(common.Case):
    def begin(self, at, nodes):
        p = terminal.Pty(self, "-o", at.dir / "out", at.scenario(nodes.replace(test_docker.IMAGE, IMAGE), duration="1h",
                                                                 quantum="100ms"), **at.env)
        at.runs_as(p.pid)
        p.wait(rb"PAUSED")
        return p

    def condition(self, at):
        """What the engine says of each container: running or paused."""
        return {id: at.engine.get(f"/containers/{c['Id']}/json")["State"]["Status"]
                for id, c in at.containers().items()}

    def becomes(self, at, what):
        wait_until(lambda: self.condition(at) == what, f"the containers become {what}")

    def granted(self, at):
        return at.log().count("] ADVANCE ")

    @on_each
    def test_a_run_at_rest_has_its_containers_frozen_and_each_step_thaws_them(self, at):
        p = self.begin(at, node() + node("", "freeze: false", id="warm"))
        frozen = {"svc": "paused", "warm": "running"}
        self.becomes(at, frozen)
        p.send(b"s")
        wait_until(lambda: self.granted(at) == 1, "it has answered the step, which a frozen one cannot")
        self.becomes(at, frozen)
        p.send(b"c")
        self.becomes(at, {"svc": "running", "warm": "running"})
        wait_until(lambda: self.granted(at) > 5, "it goes on")
        time.sleep(1.5 * REST_S)
        self.assertEqual(self.condition(at), {"svc": "running", "warm": "running"})
        p.send(b" ")
        self.becomes(at, frozen)
        began = time.monotonic()
        p.send(b"Q")
        self.assertEqual(p.end(), 130)
        self.assertLess(time.monotonic() - began, LATE)
        self.assertEqual(at.containers(), {})

    @on_each
    def test_one_that_is_frozen_is_ended_by_a_signal_too(self, at):
        p = self.begin(at, node())
        self.becomes(at, {"svc": "paused"})
        began = time.monotonic()
        p.process.send_signal(signal.SIGTERM)
        self.assertEqual(p.end(), 128 + signal.SIGTERM)
        self.assertLess(time.monotonic() - began, LATE)
        self.assertEqual(at.containers(), {})
        self.assertIn("] SHUTDOWN", at.log())  # it was asked to end, and could


if __name__ == "__main__":
    ENGINES = test_docker.ENGINES = engines.need()
    test_docker.run_all(IMAGE, DOCKERFILE, {"busybox": (0o755, open("/bin/busybox", "rb").read()),
                                            "node.sh": (0o755, test_docker.NODE.encode())})
