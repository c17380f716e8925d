"""The examples for those who write nodes, and nodes that use no library of lockstep's: what they answer, over every
transport and in both dialects, and the metrics that they write."""
import itertools
import json
import os
import random
import socket
import subprocess
import sys

import common

sys.path.insert(0, str(common.SOURCE / "tests" / "support"))
from talker import C, NODES, PATIENCE, PY, PYTHON, STRANGERS, WORDS, Talker, coordinate, exact, free_port

BASELINE = {"duration": 10000000, "quantum": 1000, "seed": 42, "network": "direct"}
COARSE = {**BASELINE, "quantum": 5000}  # where each quantum is granted; the same metrics, as a row has its event's time
IDS = ["sensor1", "sensor2", "sensor3", "gateway"]


class Golden(common.Case):
    golden = common.SOURCE / "tests" / "golden"

    def baseline(self, commands, config=None, scenario=BASELINE, **how):
        talkers = [Talker(self, i, commands["gateway" if i == "gateway" else "sensor"], **how) for i in IDS]
        for t in talkers:
            t.init(42, **({"config": config} if config else {}))
        record, grants = coordinate(scenario, talkers)
        for t in talkers:
            t.finish()
        for want in (self.golden / "m0_seed42").glob("*.csv"):
            self.assert_same_file(want, self.dir / want.name)
        return record, grants

    def test_the_examples_write_the_golden_metrics_over_every_transport_in_both_dialects(self):
        rng = common.seeded_random()
        for commands, transport, dialect, chunked in itertools.product(
                (C, PY), ("stdio", "tcp", "unix"), ("node", "service"), (False, True)):
            with self.subTest(commands=commands, transport=transport, dialect=dialect, chunked=chunked):
                _, grants = self.baseline(commands, transport=transport, dialect=dialect,
                                          chunks=rng if chunked else None)
                self.assertLess(grants, 200, "with next_us idle quanta are not granted")

    def test_without_next_us_they_are_granted_every_quantum_and_write_the_same(self):
        for commands in (C, PY):
            _, grants = self.baseline(commands, config={"every_quantum": True}, scenario=COARSE)
            self.assertEqual(grants, 4 * 2000)

    def test_nodes_that_know_nothing_of_the_library_write_the_same(self):
        ports = {i: free_port() for i in IDS}
        talkers = []
        for i in IDS:
            name = "xedgesim_gateway.py" if i == "gateway" else "xedgesim_sensor.py"
            talkers.append(Talker(self, i, [*PYTHON, str(STRANGERS / name), str(ports[i])], "tcp", port=ports[i]))
        for t in talkers:
            t.init(42)
            self.assertEqual(t.next, -1)
        _, grants = coordinate(COARSE, talkers)
        self.assertEqual(grants, 4 * 2000)
        for t in talkers:
            t.finish()
        for want in (self.golden / "m0_seed42").glob("*.csv"):
            self.assert_same_file(want, self.dir / want.name)

    def test_a_node_that_knows_nothing_of_the_library_refuses_unknown_and_missing_keys(self):
        good = {"time_us": 5, "type": "X", "src": "a", "dst": "s", "payload": 1, "size_bytes": 1}
        for bad in ({**good, "more": 1}, {k: v for k, v in good.items() if k != "size_bytes"}):
            for name in ("xedgesim_gateway.py", "xedgesim_sensor.py"):
                port = free_port()
                t = Talker(self, "s", [*PYTHON, str(STRANGERS / name), str(port)], "tcp", port=port)
                t.init(1)
                t.grant(10, json.dumps([bad]))
                self.assertEqual(t.hear(), "")
                self.assertIn("TypeError", t.stderr())

    def test_over_a_lossy_network_they_write_the_golden_metrics(self):
        s = {"duration": 60000000, "quantum": 10000, "seed": 5, "network": "latency", "latency": 2500, "loss": 0.5}
        for first, second in ((C, PY), (PY, C)):
            talkers = [Talker(self, "alpha-1", first["sensor"]), Talker(self, "gateway", second["gateway"], "unix")]
            for t in talkers:
                t.init(5)
            coordinate(s, talkers)
            for t in talkers:
                t.finish()
            for want in (self.golden / "lat_default_loss_seed5").glob("*.csv"):
                self.assert_same_file(want, self.dir / want.name)


class AsBuiltIn(common.Case):
    SCENARIO = """
simulation: { duration: 12s, quantum: 1ms, seed: 9 }
network:
  model: latency
  default_latency: 3ms
  default_loss: 0.2
  links: [ { src: b, dst: gateway, latency: 700us, loss: 0.5 } ]
nodes:
  - { id: a, type: sensor, config: { interval: 250ms } }
  - { id: b, type: sensor, config: { interval: 0.7, destination: gateway } }
  - { id: gateway, type: gateway, config: { forward_to: sink } }
  - { id: alone, type: gateway }
  - { id: c, type: sensor, config: { interval: 1.5s, destination: alone } }
  - { id: sink, type: gateway }
"""

    def test_the_examples_send_what_the_built_in_models_send(self):
        self.batch(self.write("s.yaml", self.SCENARIO), "out", "-q")
        want = []
        for line in self.events("out").decode().splitlines():
            r = dict(exact(line))
            if r["kind"] in ("message", "local") and r["src"] != "sink":
                want.append((r["t"], r["src"], r.get("dst"), r["type"], r["payload"], r.get("size", "#0")))
        s = {"duration": 12000000, "quantum": 1000, "seed": 9, "network": "latency", "latency": 3000, "loss": 0.2,
             "links": [{"src": "b", "dst": "gateway", "latency": 700, "loss": 0.5}]}
        config = {"a": {"interval": "250ms"}, "b": {"interval": 0.7, "destination": "gateway"},
                  "gateway": {"forward_to": "sink"}, "alone": {}, "c": {"interval": "1.5s", "destination": "alone"}}
        self.assertGreater(sum(r[3] == "AGGREGATE" for r in want), 3)
        for one, other in ((C, PY), (PY, C)):
            talkers = [Talker(self, i, (one if i in "ac" else other)["sensor" if len(i) == 1 else "gateway"])
                       for i in config]
            for t in talkers:
                t.init(9, config=config[t.id])
            got, _ = coordinate(s, talkers, sinks=["sink"])
            self.assertEqual(got, want)
            for t in talkers:
                t.finish()
                name = t.id + "_metrics.csv"
                self.assert_same_file(self.dir / "out" / name, self.dir / name)

    def test_a_gateway_takes_note_of_readings_that_it_cannot_read(self):
        base = {"time_us": 1500, "src": "x", "dst": "g", "size_bytes": 1}
        odd = [{"type": "TRANSMIT", "payload": p} for p in (
            {"temperature": "20", "sample_id": 1}, {"temperature": 1}, [1], None, "text",
            {"temperature": True, "sample_id": 1})]
        for commands in (C, PY):
            t = Talker(self, "g", commands["gateway"])
            t.init()
            out = t.advance(3000, [dict(base, **m) for m in odd + [{"type": "ALERT", "payload": {}}]])
            self.assertEqual([(m["type"], m["dst"], m["payload"]) for m in out],
                             [("IGNORED", None, "TRANSMIT from x holds no temperature with a sample_id")] * len(odd))
            out = t.advance(4000, [dict(base, type="TRANSMIT", payload={"temperature": 21, "sample_id": 7})])
            self.assertEqual([(m["time_us"], m["payload"]) for m in out], [("#1600", "sample_7")])
            t.finish()
            self.assertTrue((self.dir / "g_metrics.csv").read_bytes().endswith(b"\r\n1600,process,21.0,sample_7\r\n"))

    def test_a_sensor_says_what_is_wrong_with_its_interval(self):
        for commands, interval in itertools.product((C, PY), ("fast", "0s", -1, [], "1.5us")):
            t = Talker(self, "s", commands["sensor"])
            t.say('INIT s {"seed": 1, "config": {"interval": %s}}\n' % json.dumps(interval))
            t.fails("(?i)interval|time|microsecond")


class Others(common.Case):
    def test_the_echo_sends_messages_back_as_they_were(self):
        for dialect in ("node", "service"):
            t = Talker(self, "echo", [*PYTHON, str(NODES / "echo.py")], dialect=dialect)
            t.init(1, config={"delay": "2ms"})
            self.assertEqual(t.next, 1 << 62)
            payload = {"deep": [1, 2.5, None, "grün \n \"q\""], "n": 12345678901234567890}
            self.assertEqual(t.advance(1000, [{"time_us": 100, "type": "PING", "src": "me", "dst": "echo",
                                               "payload": payload, "size_bytes": 17}]), [])
            self.assertEqual(t.next, 2100)
            out, = t.advance(3000)
            self.assertEqual((out["time_us"], out["type"], out["src"], out["dst"]), ("#2100", "PING", "echo", "me"))
            self.assertEqual(json.loads(t.raw)[0]["payload"], payload)
            self.assertEqual(out.get("size_bytes"), "#17" if dialect == "node" else None)
            t.finish()

    def test_the_counter_counts_and_reports_at_whole_seconds(self):
        for dialect, chunked in itertools.product(("node", "service"), (False, True)):
            t = Talker(self, "counter", ["sh", str(NODES / "counter.sh")], dialect=dialect,
                       chunks=random.Random(1) if chunked else None)
            t.init()
            self.assertEqual(t.next, 1000000)
            message = {"time_us": 5, "type": "X", "src": "a", "dst": "counter", "payload": {"a": "\\n"},
                       "size_bytes": 1}
            self.assertEqual(t.advance(1000000, [message] * 3), [])
            self.assertEqual(t.next, 1000000)
            out = t.advance(3000001, [message])
            self.assertEqual([(m["time_us"], m["type"], m["dst"], m["payload"]) for m in out],
                             [("#%d000000" % s, "COUNT", None, [("messages", "#4")]) for s in (1, 2, 3)])
            self.assertEqual(t.next, 4000000)
            t.finish()

    def test_the_counter_refuses_what_it_does_not_know(self):
        t = Talker(self, "counter", ["sh", str(NODES / "counter.sh")])
        t.say("HELLO\n")
        self.assertEqual(t.hear(), "ERROR unknown request\n")
        self.assertEqual(t.process.wait(PATIENCE), 1)


class Protocol(common.Case):
    """Both libraries, at the edges of the protocol."""
    COMMANDS = (C["sensor"], PY["sensor"])

    def test_the_end_of_input_and_shutdown_end_a_node_cleanly_at_any_line(self):
        lines = ['INIT s {"seed": 1}\n', "ADVANCE 5000000\n", "[]\n", "ADVANCE 6000000\n"]
        for command, transport, n in itertools.product(self.COMMANDS, ("stdio", "tcp", "unix"), range(len(lines) + 1)):
            with self.subTest(command=command, transport=transport, n=n):
                t = Talker(self, "s", command, transport)
                t.say("".join(lines[:n]))
                for _ in range((n > 0) + 2 * (n > 2)):
                    self.assertNotEqual(t.hear(), "")
                t.finish(how="")
                self.assertFalse(os.path.exists(t.path), "the socket is left")

    def test_requests_that_cannot_be_are_failures_with_a_reason(self):
        init = 'INIT s {"seed": 1}\n'
        cases = [("ADVANCE 1\n[]\n", "before INIT"), ("HELLO\n", "HELLO"), ("\n", "no request"),
                 ("INIT s\n", "INIT|JSON"), ("INIT s {\n", "JSON"), ("INIT s {}\n", "seed"), ("INIT s []\n", "JSON"),
                 (init + init, "behind INIT"), (init + "ADVANCE x\n", "ADVANCE x"),
                 (init + "ADVANCE -1\n", "ADVANCE -1"), (init + "ADVANCE 10\n[]\nADVANCE 9\n", "ADVANCE 9"),
                 (init + "ADVANCE 10\n{}x\n", "messages of ADVANCE 10"),
                 (init + "ADVANCE 10\n[1]\n", "ADVANCE 10"), (init + "ADVANCE 10\n[{}]\n", "time_us"),
                 (init + 'ADVANCE 10\n[{"time_us":1}]\n', "type"), (init + "ADVANCE 1 \x01\n[]\n", "ADVANCE 1")]
        for command, (text, why) in itertools.product(self.COMMANDS, cases):
            with self.subTest(command=command, text=text):
                t = Talker(self, "s", command)
                t.say(text)
                for _ in range(text.startswith(init) + 2 * ("ADVANCE 10\n[]" in text)):
                    self.assertRegex(t.hear(), r"^(READY|DONE|\[\])")
                t.fails(why)

    def test_a_wrong_environment_is_told_and_the_exit_code_is_2(self):
        for command, (name, value) in itertools.product(self.COMMANDS, (
                ("LOCKSTEP_TRANSPORT", "pigeon"), ("LOCKSTEP_PORT", "70000"), ("LOCKSTEP_PORT", "x"),
                ("LOCKSTEP_SOCKET", ""), ("LOCKSTEP_SOCKET", "/nowhere/at/all"))):
            transport = {"LOCKSTEP_PORT": "tcp", "LOCKSTEP_SOCKET": "unix"}.get(name, "")
            done = subprocess.run(command, env={**os.environ, "LOCKSTEP_TRANSPORT": transport, name: value},
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, f"{name}|/nowhere")
            self.assertEqual(done.stdout, "")

    def test_a_taken_port_is_told(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen(1)
            port = s.getsockname()[1]
            for command in self.COMMANDS:
                env = {**os.environ, "LOCKSTEP_TRANSPORT": "tcp", "LOCKSTEP_PORT": str(port)}
                done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE)
                self.assertEqual(done.returncode, 2)
                self.assertIn(str(port), done.stderr)

    def test_metrics_that_cannot_be_written_are_a_failure(self):
        (self.dir / "s_metrics.csv").symlink_to("/dev/full")
        for command in self.COMMANDS:
            t = Talker(self, "s", command)
            t.say('INIT s {"seed": 1}\n')
            t.fails("(?i)no space")

    def test_a_line_of_more_than_16_mib_is_a_failure(self):
        for command in self.COMMANDS:
            t = Talker(self, "s", command)
            t.init()
            t.say(b"ADVANCE 10\n[" + b" " * (16 << 20) + b"]\n")
            t.fails("longer than 16777216 bytes")
            t = Talker(self, "s", command)
            t.init()
            self.assertEqual(t.advance(10, b"[" + b" " * ((16 << 20) - 2) + b"]"), [])
            t.finish()

    def test_what_the_libraries_find_in_messages_is_what_was_sent(self):
        """Unknown keys are ignored, keys come in any order, escapes are undone, the last of two equal keys counts."""
        text = r'[ {"more": {"type": "no"}, "src":"\u0061b", "payload" :{"temperature":1e1, "sample_id":3}, ' \
               r'"type":"X", "t\u0079pe":"TRANSMIT" ,"time_us" : 70 } ]'
        for command in (C["gateway"], PY["gateway"]):
            t = Talker(self, "g", command)
            t.init()
            out, = t.advance(1000, text)
            self.assertEqual((out["time_us"], out["payload"]), ("#170", "sample_3"))
            t.finish()
            self.assertIn(b"170,process,10.0,sample_3\r\n", (self.dir / "g_metrics.csv").read_bytes())


if __name__ == "__main__":
    common.main()
