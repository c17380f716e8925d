"""What comes of nodes that fail and of faults that a scenario asks for: on_failure, restarts, taken ports, and the same
bytes each time."""
import os
import pathlib
import re
import secrets
import socket
import time

import common
import terminal
from test_hostile import COMMAND, HOSTILE, SLOW, STEP, STOP, TOKEN, left_behind, processes_with

EVIL_FAILS = 3000000  # the quantum that ends then is the one in which it fails


class Failing(common.Case):
    def setUp(self):
        super().setUp()
        self.cwd = self.dir / "cwd"
        self.cwd.mkdir()

    def scenario(self, how="3", times=100, more="", faults="", at=EVIL_FAILS, duration="8s", step=10 * SLOW):
        step = STEP if how == "silence" else step
        return self.write("failing.yaml", f"""
name: failing
simulation: {{ duration: {duration}, quantum: 1s, seed: 1 }}
nodes:
  - {{ id: sensor1, type: sensor, config: {{ destination: evil }} }}
  - id: evil
    type: custom
    implementation: process
    command: [{COMMAND}, fails-at, "{at}", "{how}", "{times}"]
    working_dir: {self.cwd}
    timeouts: {{ start: {10 * SLOW}s, step: {step}s, stop: {STOP}s }}
    {more}
  - {{ id: gateway, type: gateway }}
{faults}
""")

    def run_it(self, path, out, *args, expect):
        """Runs it anew: the node has never been started. Nothing is left of it."""
        (self.cwd / "incarnations").unlink(missing_ok=True)
        token = secrets.token_hex(8)
        result = self.batch(path, out, *args, expect=expect, env={TOKEN: token})
        self.assertEqual(left_behind(token), [])
        return result

    def states(self, out, node="evil"):
        return [r["state"] for r in self.records(out) if r["kind"] == "node" and r["node"] == node]

    def messages(self, out, src):
        return [r for r in self.records(out) if r["kind"] == "message" and r["src"] == src]

    def node(self, out, node="evil"):
        return next(n for n in self.summary(out)["nodes"] if n["id"] == node)

    def assert_repeats(self, path, out, expect):
        """Once more, and once with every idle quantum: the same bytes."""
        for name, args in (("again", ()), ("no-skip", ("--no-skip",))):
            self.run_it(path, f"{out}-{name}", *args, expect=expect)
            self.assertEqual(self.events(out), self.events(f"{out}-{name}"), f"{out}: {name}")


class OnFailure(Failing):
    HOW = {"3": r"exit code 3", "error": "out of order", "garbage": "oops",
           "silence": f"no answer to ADVANCE {EVIL_FAILS} within {STEP:g} ?s"}

    def test_abort_ends_the_run_with_the_cause_everywhere(self):
        for how, cause in self.HOW.items():
            with self.subTest(how=how):
                path, out = self.scenario(how), f"abort-{how}"
                _, err = self.run_it(path, out, expect=1)
                self.assertRegex(err, cause)
                summary = self.summary(out)
                self.assertEqual((summary["outcome"], summary["exit_code"]), ("failed", 1))
                self.assertEqual(summary["failed_node"], "evil")
                self.assertRegex(summary["cause"], cause)
                self.assertIn(f"lockstep: failed: {summary['cause']}\n", err)
                self.assertRegex(summary["cause"], r"^nodes\[1\] evil: (?!failed)")
                self.assertEqual(self.node(out)["state"], "failed")
                self.assertEqual(self.states(out), ["failed"])
                end = self.records(out)[-1]
                self.assertEqual((end["kind"], end["outcome"]), ("end", "failed"))
                self.assertRegex(end["cause"], cause)
                self.assertLessEqual(end["t"], EVIL_FAILS)
                self.assert_repeats(path, out, 1)

    def test_continue_freezes_the_node_and_drops_what_is_sent_to_it(self):
        for how, cause in self.HOW.items():
            with self.subTest(how=how):
                path, out = self.scenario(how, more="on_failure: continue"), f"continue-{how}"
                self.run_it(path, out, expect=0)
                self.assertIn("frozen", self.states(out))
                self.assertNotIn("restarted", self.states(out))
                frozen = next(r for r in self.records(out) if r["kind"] == "node" and r["state"] == "frozen")
                self.assertTrue(2000000 <= frozen["t"] <= EVIL_FAILS, frozen)
                causes = [r.get("cause") or "" for r in self.records(out) if r["kind"] == "node"]
                self.assertTrue(any(re.search(cause, text) for text in causes), causes)
                self.assertEqual(max(r["t"] for r in self.messages(out, "evil")), 1999999)
                drops = {r["id"]: r["reason"] for r in self.records(out) if r["kind"] == "drop"}
                late = [r for r in self.messages(out, "sensor1") if r["t"] >= EVIL_FAILS]
                self.assertEqual(len(late), 5)
                for r in late:
                    self.assertEqual(drops.get(r["id"]), "node failed", r)
                    self.assertNotIn("due", r)
                summary = self.summary(out)
                self.assertEqual((summary["outcome"], summary["exit_code"], summary["virtual_time_us"]),
                                 ("finished", 0, 8000000))
                self.assertEqual(summary["dropped"], len(drops))
                self.assert_repeats(path, out, 0)

    def test_restart_starts_it_again_with_the_state_that_it_then_has(self):
        for how in self.HOW:
            with self.subTest(how=how):
                path = self.scenario(how, 1, "on_failure: restart\n    restart: { max: 3, backoff: 10ms }")
                out = f"restart-{how}"
                self.run_it(path, out, expect=0)
                self.assertEqual(self.states(out)[:2], ["failed", "restarted"])
                self.assertEqual((self.cwd / "incarnations").stat().st_size, 2)
                lives = [(r["type"], r["t"]) for r in self.messages(out, "evil")]
                self.assertEqual(lives[:2], [("LIFE1", 999999), ("LIFE1", 1999999)])
                self.assertEqual(lives[-1], ("LIFE2", 7999999))
                self.assertEqual({life for life, t in lives if t > EVIL_FAILS}, {"LIFE2"})
                self.assertEqual(self.node(out)["restarts"], 1)
                self.assertEqual(self.summary(out)["outcome"], "finished")
                self.assert_repeats(path, out, 0)

    def test_the_last_restart_that_does_not_help_ends_the_run(self):
        path = self.scenario("3", 100, "on_failure: restart\n    restart: { max: 2, backoff: 10ms }")
        _, err = self.run_it(path, "out", expect=1)
        self.assertRegex(err, "exit code 3")
        self.assertRegex(self.summary("out")["cause"], r"(?i)restart|exit code 3")
        self.assertEqual(self.states("out"), ["failed", "restarted", "failed", "restarted", "failed"])
        self.assertEqual(self.node("out")["restarts"], 2)
        self.assertEqual((self.cwd / "incarnations").stat().st_size, 3)
        self.assert_repeats(path, "out", 1)

    def test_backoff_is_waited_before_a_restart(self):
        path = self.scenario("3", 1, "on_failure: restart\n    restart: { max: 1, backoff: 1s }")
        began = time.monotonic()
        self.run_it(path, "out", expect=0)
        self.assertGreater(time.monotonic() - began, 1)

    def test_the_log_has_all_lives_of_a_node(self):
        path = self.scenario("3", 2, "on_failure: restart\n    restart: { max: 3, backoff: 1ms }")
        self.run_it(path, "out", expect=0)
        log = (self.dir / "out" / "logs" / "evil.log").read_text()
        self.assertIn("incarnation 1 ends", log)
        self.assertIn("incarnation 2 ends", log)

    def test_a_node_that_dies_between_two_quanta_is_noticed_when_it_dies(self):
        quantum = 3 if common.SANITIZED else 1.5  # seconds of wall time
        path = self.write("dies.yaml", f"""
simulation: {{ duration: 10s, quantum: 1s, seed: 1, pace: {1 / quantum} }}
nodes:
  - {{ id: evil, type: custom, implementation: process, command: [{COMMAND}, exits-between-quanta] }}
""")
        began = time.monotonic()
        self.batch(path, "out", expect=1)
        took = time.monotonic() - began
        self.assertRegex(self.summary("out")["cause"], "exit code 3")
        self.assertGreater(took, 2 * quantum)
        self.assertLess(took, 2.7 * quantum, "the next quantum would have come at 3 times that")

    def test_a_node_that_is_killed_while_the_run_is_paused_is_noticed_at_once(self):
        path = self.write("paused.yaml", f"""
simulation: {{ duration: 10s, quantum: 1s, seed: 1 }}
nodes:
  - {{ id: evil, type: custom, implementation: process, command: [{COMMAND}, good] }}
""")
        token = secrets.token_hex(8)
        p = terminal.Pty(self, "--out", "out", path, **{TOKEN: token})
        p.wait(b"PAUSED")
        pid = next(pid for pid, name in processes_with(token) if str(HOSTILE) in name)
        os.kill(pid, 9)
        p.wait(b"SIGKILL", timeout=3 * SLOW)
        p.send(b"Q")
        p.end()
        self.assertEqual(left_behind(token), [])


class Launch(Failing):
    def node_scenario(self, rest):
        return self.write("launch.yaml", f"""
simulation: {{ duration: 1s, seed: 1 }}
nodes:
  - {{ id: evil, type: custom, implementation: process, {rest} }}
""")

    def test_a_taken_port_is_told_before_anything_starts(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            mark = self.dir / "started"
            path = self.node_scenario(f'transport: tcp, port: {port}, command: [touch, "{mark}"]')
            _, err = self.batch(path, "out", expect=3)
            name = pathlib.Path("/proc/self/comm").read_text().strip()
            self.assertRegex(err, rf"launch\.yaml:\d+:\d+: nodes\[0\]\.port: .*\b{port}\b")
            self.assertRegex(err, rf"\b{os.getpid()}\b")
            self.assertIn(name, err)
            self.assertFalse(mark.exists() or (self.dir / "out").exists())
            self.lockstep("--dry-run", path, expect=3)

    def test_a_port_that_is_free_again_is_not_taken(self):
        """What is left of old connections on it is no listener."""
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", 0))
            server.listen()
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)):
                server.accept()[0].close()
        self.lockstep("--dry-run", self.node_scenario(f"transport: tcp, port: {port}, command: [cat]"))

    def test_a_program_that_is_not_there_or_may_not_be_run_is_told_before_anything_starts(self):
        plain = self.write("plain", "#!/bin/sh\n")
        for command in ("/no/such/program", "no-such-program-anywhere", str(plain), str(self.dir), "./absent.py"):
            with self.subTest(command=command):
                _, err = self.batch(self.node_scenario(f'command: ["{command}"]'), "out", expect=3)
                self.assertRegex(err, r"launch\.yaml:\d+:\d+: nodes\[0\]\.command")
                self.assertIn(command, err)
                self.assertFalse((self.dir / "out").exists())

    def test_a_program_that_the_system_refuses_is_a_launch_that_failed(self):
        broken = self.write("broken", "#!/no/such/interpreter\n")
        broken.chmod(0o755)
        _, err = self.batch(self.node_scenario(f'command: ["{broken}"]'), "out", expect=4)
        self.assertIn(str(broken), err)
        self.assertIn("No such file or directory", err)

    def test_a_tcp_node_that_never_listens_fails_the_launch(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        path = self.node_scenario(f"transport: tcp, port: {port}, command: [sleep, '100'], timeouts: {{ start: 1s }}")
        began = time.monotonic()
        token = secrets.token_hex(8)
        _, err = self.batch(path, "out", expect=4, env={TOKEN: token})
        self.assertLess(time.monotonic() - began, 10 * SLOW)
        self.assertRegex(err, rf"evil.*127\.0\.0\.1:{port}")
        self.assertRegex(err, r"within 1 ?s")
        self.assertEqual(left_behind(token), [])


class Faults(Failing):
    NEVER = 10 ** 15

    def faulty(self, faults, **more):
        return self.scenario(at=self.NEVER, faults=f"faults:\n{faults}", **more)

    def changes(self, out, node="evil"):
        return [(r["t"], r["state"]) for r in self.records(out) if r["kind"] == "node" and r["node"] == node]

    def test_kill_follows_on_failure(self):
        kill = "  - { at: 3s, node: evil, action: kill }"
        path = self.faulty(kill)
        _, err = self.run_it(path, "abort", expect=1)
        self.assertRegex(err, r"(?i)fault|kill")
        self.assertEqual(self.changes("abort"), [(3000000, "failed")])
        self.assertEqual(max(r["t"] for r in self.messages("abort", "evil")), 2999999)
        self.assert_repeats(path, "abort", 1)

        path = self.faulty(kill, more="on_failure: continue")
        self.run_it(path, "continue", expect=0)
        self.assertIn((3000000, "frozen"), self.changes("continue"))
        self.assertEqual(max(r["t"] for r in self.messages("continue", "evil")), 2999999)
        self.assertIn("node failed", [r["reason"] for r in self.records("continue") if r["kind"] == "drop"])
        self.assert_repeats(path, "continue", 0)

        path = self.faulty(kill, more="on_failure: restart\n    restart: { max: 1, backoff: 1ms }")
        self.run_it(path, "restart", expect=0)
        self.assertEqual(self.changes("restart")[:2], [(3000000, "failed"), (3000000, "restarted")])
        self.assertEqual(self.messages("restart", "evil")[-1]["type"], "LIFE2")
        self.assert_repeats(path, "restart", 0)

    def test_restart_is_recorded_and_the_node_is_another_one(self):
        path = self.faulty("  - { at: 3s, node: evil, action: restart }")
        self.run_it(path, "out", expect=0)
        self.assertIn((3000000, "restarted"), self.changes("out"))
        lives = [(r["t"], r["type"]) for r in self.messages("out", "evil")]
        self.assertEqual(lives, [(s * 1000000 - 1, "LIFE1" if s <= 3 else "LIFE2") for s in range(1, 9)])
        self.assert_repeats(path, "out", 0)

    def test_a_paused_node_stands_still_until_it_is_resumed(self):
        path = self.faulty("  - { at: 2s, node: evil, action: pause }\n  - { at: 5s, node: evil, action: resume }")
        self.run_it(path, "out", expect=0)
        self.assertEqual([c for c in self.changes("out") if c[1] != "finished"],
                         [(2000000, "paused"), (5000000, "resumed")])
        times = [r["t"] for r in self.messages("out", "evil")]
        self.assertEqual([t for t in times if 2000000 <= t < 5000000], [])
        self.assertEqual(times[:2] + times[-3:], [999999, 1999999, 5999999, 6999999, 7999999])
        self.assert_repeats(path, "out", 0)

    def test_pausing_while_the_wall_clock_runs_is_no_failure(self):
        """It is not asked while it is paused, so that it cannot be late."""
        path = self.faulty("  - { at: 2s, node: evil, action: pause }\n  - { at: 5s, node: evil, action: resume }",
                           step=STEP)
        self.run_it(path, "out", "--pace", str(1.5 / STEP), expect=0)  # it stands still for twice its limit

    def links(self, fault):
        return self.write("links.yaml", f"""
name: links
simulation: {{ duration: 5s, quantum: 10ms, seed: 3 }}
network: {{ model: latency, default_latency: 20ms }}
nodes:
  - {{ id: sensor1, type: sensor, config: {{ interval: 100ms, destination: evil }} }}
  - {{ id: sensor2, type: sensor, config: {{ interval: 100ms, destination: evil }} }}
  - {{ id: gateway, type: gateway }}
  - id: evil
    type: custom
    implementation: process
    command: [{COMMAND}, echoes, next]
    working_dir: {self.cwd}
faults:
  - {fault}
""")

    def link_changes(self, out):
        return [(r["t"], r["src"], r["dst"], r["cause"]) for r in self.records(out) if r["kind"] == "link"]

    def test_a_link_that_loses_all_for_a_while(self):
        path = self.links("{ at: 2s, link: [sensor1, evil], loss: 1.0, for: 500ms }")
        self.run_it(path, "out", expect=0)
        self.assertEqual(self.link_changes("out"), [(2000000, "sensor1", "evil", "fault"),
                                                    (2500000, "sensor1", "evil", "fault")])
        changes = [r for r in self.records("out") if r["kind"] == "link"]
        self.assertEqual([r["loss"] for r in changes], [1, 0])
        lost = {r["id"] for r in self.records("out") if r["kind"] == "drop" and r["reason"] == "loss"}
        self.assertEqual([r["t"] for r in self.messages("out", "sensor1") if r["id"] in lost],
                         [2000000, 2100000, 2200000, 2300000, 2400000])
        self.assertEqual([r for r in self.messages("out", "sensor2") if r["id"] in lost], [])
        self.assert_repeats(path, "out", 0)

    def test_a_link_that_is_slow_for_a_while(self):
        path = self.links("{ at: 2s, link: [sensor1, evil], latency: 70ms, for: 1s }")
        self.run_it(path, "out", expect=0)
        self.assertEqual([t for t, *_ in self.link_changes("out")], [2000000, 3000000])
        self.assertEqual([r["latency"] for r in self.records("out") if r["kind"] == "link"], [70000, 20000])
        for src, slow in (("sensor1", 70000), ("sensor2", 20000)):
            for r in self.messages("out", src):
                self.assertEqual(r["due"] - r["t"], slow if 2000000 <= r["t"] < 3000000 else 20000, r)
        self.assert_repeats(path, "out", 0)

    def test_faults_off_the_grid_come_at_a_barrier_and_the_same_each_time(self):
        path = self.faulty("  - { at: 2500ms, node: evil, action: restart }\n"
                           "  - { at: 2500ms, link: [evil, gateway], loss: 1.0, for: 1700ms }")
        text = path.read_text().replace("nodes:", "network: { model: latency }\nnodes:", 1)
        path.write_text(text)
        self.run_it(path, "out", expect=0)
        times = [r["t"] for r in self.records("out") if r["kind"] == "link" or r.get("state") == "restarted"]
        self.assertEqual(len(times), 3)
        for t in times[:2]:
            self.assertTrue(2000000 <= t <= 3000000, times)
        self.assert_repeats(path, "out", 0)


if __name__ == "__main__":
    terminal.main(terminal.JOBS)
