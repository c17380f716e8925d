"""Messages in flight changed by hand, and nodes and links: saved as a scenario, repeated in batch, byte for byte."""
import json
import os
import random
import re

import common
from common import main

# Sends to the gateway in every second of its quanta what it has got since.
NODE = r'''
import json, sys

got, count = [], 0
for line in sys.stdin:
    words = line.split()
    if words[0] == "INIT":
        print("READY", flush=True)
    elif words[0] == "ADVANCE":
        got += [m["type"] for m in json.loads(sys.stdin.readline())]
        count += 1
        out = []
        if count % 2:
            out = [{"time_us": int(words[1]) - 1, "type": "ECHO", "src": "p", "dst": "gw", "payload": got[-3:]}]
        print("DONE\n" + json.dumps(out), flush=True)
    else:
        break
'''

SCENARIO = """
name: flight
simulation: {{ duration: 600ms, quantum: 10ms, seed: {seed} }}
network: {network}
nodes:
  - {{ id: s1, type: sensor, config: {{ interval: 17ms, destination: gw }}, on_failure: continue }}
  - {{ id: s2, type: sensor, config: {{ interval: 29ms, destination: gw }}, on_failure: continue }}
  - {{ id: gw, type: gateway, config: {{ forward_to: c }}, on_failure: restart, restart: {{ max: 50, backoff: 0ms }} }}
  - {{ id: c, type: cloud, config: {{ reply: true }}, on_failure: restart, restart: {{ max: 50, backoff: 0ms }} }}
  - id: p
    type: device
    implementation: process
    command: [python3, node.py]
    on_failure: {on_failure}
    restart: {{ max: 50, backoff: 0ms }}
faults:
{faults}"""

LATENCY = ("{ model: latency, default_latency: 35ms, default_loss: 0.1, "
           "links: [{ src: s1, dst: gw, latency: 80ms, loss: 0.2 }] }")
NODES = ["s1", "s2", "gw", "c", "p"]
PAYLOADS = ['{"temperature": 99.50, "sample_id": 7}', '{ "temperature":-1e3,"unit":"F", "sample_id": 70 }', "[]",
            "null", '"é \\u00e9 \\n\\"x\\": {"', '{"a":{"b":[1,2.0,true,null,"日本 # : \'"]}}', "0", "true"]
TYPES = ["TRANSMIT", "ACK", '"a b"', "é"]

# Says that it has got something, and fails of what has no temperature.
FRAGILE = r'''
import json, sys

for line in sys.stdin:
    words = line.split()
    if words[0] == "INIT":
        print("READY", flush=True)
    elif words[0] == "ADVANCE":
        got = [m["payload"]["temperature"] for m in json.loads(sys.stdin.readline())]
        out = {"time_us": int(words[1]) - 1, "type": "GOT", "src": "gw", "dst": "cloud", "payload": got}
        print("DONE\n" + json.dumps([out] if got else []), flush=True)
    else:
        break
'''

# Its link is slow for s1: what s2 sends later comes earlier.
FARM = """
simulation: {{ duration: 3s, quantum: 10ms, seed: 7 }}
network: {{ model: latency, default_latency: 20ms, links: [{{ src: s1, dst: gw, latency: 700ms }}] }}
nodes:
  - {{ id: s1, type: sensor, config: {{ interval: 200ms, destination: gw }} }}
  - {{ id: s2, type: sensor, config: {{ interval: 350ms, destination: gw }} }}
  - {{ id: busy, type: sensor, config: {{ interval: 500us, destination: cloud }} }}
  - {{ id: gw, type: gateway, implementation: process, command: [python3, gw.py], on_failure: {on_failure} }}
  - {{ id: cloud, type: cloud }}
"""

# At the end: the node, the chains of its message and of its failure, and the message.
LOOK = [":", "type node gw", "Enter", "see exit code 1", "see TRANSMIT", "screen node", "Esc",
        "2", "g", ":", 'type find src == s1 && time == 1s', "Enter", "m", "screen forward", "Esc", "Enter",
        "screen event", "Esc", ":", "type find state == failed", "Enter", "m", "screen back", "Esc"]


class Flight(common.Case):
    def scenario(self, rng):
        self.write("node.py", NODE)
        faults = ["{ at: 100ms, link: [s1, gw], latency: 55ms, for: 200ms }",
                  "{ at: 100ms, link: [s1, gw], loss: 0.5, for: 100ms }", "{ at: 0s, link: [p, gw], loss: 0.3 }",
                  "{ at: 200ms, node: s1, action: pause }", "{ at: 300ms, node: s1, action: resume }",
                  "{ at: 200ms, node: c, action: kill }", "{ at: 300ms, node: p, action: restart }",
                  "{ at: 100ms, node: s2, action: kill }"]
        latency = rng.random() < 0.7
        chosen = [f for f in faults if rng.random() < 0.4 and (latency or "link" not in f)]
        network = LATENCY if latency else "{ model: direct }"
        text = SCENARIO.format(seed=rng.randrange(1000), network=network, faults="".join(f"  - {f}\n" for f in chosen),
                               on_failure=rng.choice(["continue", "restart"]))
        return self.write("flight.yaml", text if chosen else text.replace("faults:\n", "")), latency

    @staticmethod
    def new_message(rng, at=None):
        at = at or rng.choice(["", " at +15ms", " at +0s", " at 595ms", " at +125ms"])
        payload = rng.choice(PAYLOADS)
        return ["I", f"type {rng.choice(NODES)} {rng.choice(NODES)} {rng.choice(TYPES)} {payload}{at}", "Enter"]

    def act(self, rng, latency, t):
        """Keys of one thing to do; the pane is open before and after."""
        choose = rng.choice(["g", "G", "Down", "Up", "PgDn"])
        kind = rng.randrange(9 if t else 6)  # what restarts a node at 0 would be in the way of the next session
        if kind == 0:
            return [choose, "d"]
        if kind == 1:
            return [choose, "y"]
        if kind in (2, 3):  # where nothing is in flight, what is typed would be keys
            by = rng.choice(["1us", "30ms", "to 595ms", "77.7ms"])
            return [*self.new_message(rng, " at 599ms"), choose, "D", f"type {by}", "Enter"]
        if kind == 4:
            return [*self.new_message(rng, " at 599ms"), choose, "E", "Ctrl-U", f"type {rng.choice(PAYLOADS)}", "Enter"]
        if kind == 5:
            return self.new_message(rng)
        if kind == 6 and latency:
            words = rng.choice(["latency 40ms loss 0.5", "loss 0", "latency 3.5ms", "20ms 0.125"])
            return ["L", "Ctrl-U", f"type {rng.choice(NODES)} gw {words}", "Enter"]
        return ["i", "1", "g", *["j"] * rng.randrange(9), rng.choice("xXrr"), "y", "i"]

    def session(self, rng, latency, end=580):
        keys, t = ["i"], 0
        while t < end:  # of 600 ms
            for _ in range(rng.choice([0, 1, 1, 2, 4])):
                keys += self.act(rng, latency, t)
            if rng.random() < 0.6:
                t += rng.choice([10, 20, 70, 100])
                t = min(rng.choice([t, t // 100 * 100 + 100]), 590)  # where faults are, often
                keys += ["u", f"type {t}ms", "Enter"]
            else:
                t += 10
                keys += ["s"]
            if rng.random() < 0.15:
                keys += ["S", "S", "d", "y", "V"]  # a look back, where nothing can be changed
        return keys

    def assert_repeated(self, one, two):
        a, b = self.events(one).splitlines(), self.events(two).splitlines()
        first, again = json.loads(a[0]), json.loads(b[0])
        self.assertNotEqual(first.pop("digest"), again.pop("digest"))  # the scenarios differ, by nature
        self.assertEqual(first, again)
        for i, (x, y) in enumerate(zip(a[1:], b[1:])):
            self.assertEqual(x, y, f"line {i + 2}")
        self.assertEqual(len(a), len(b))
        for node in ("s1", "gw", "c"):
            self.assert_same_file(self.dir / one / f"{node}_metrics.csv", self.dir / two / f"{node}_metrics.csv")

    def play(self, keys, scenario, name):
        """Plays a session to its end; returns the scenario that it has saved."""
        end = ["W", f"type {name}.yaml", "Enter", "see Saved", "c", "until FINISHED"]
        file = self.write(f"{name}.keys", "\n".join(keys + end) + "\n")
        self.lockstep("--keys", file, "--size", "120x40", "--out", self.dir / name, scenario)
        return self.dir / f"{name}.yaml"

    def test_random_sessions_are_repeated_by_what_they_saved(self):
        rng = common.seeded_random()
        acts = 0
        for i in range(common.number("SESSIONS", 8, 4, 100)):
            seed = rng.randrange(10**9)
            with self.subTest(session=i, seed=seed):
                own = random.Random(seed)
                scenario, latency = self.scenario(own)
                saved = self.play(self.session(own, latency), scenario, f"one{i}")
                self.batch(saved, f"two{i}", cwd="/")
                self.assert_repeated(f"one{i}", f"two{i}")
                self.batch(saved, f"slow{i}", "--no-skip")
                self.assertTrue(self.events(f"two{i}") == self.events(f"slow{i}"))
                acts += sum(r["kind"] == "command" for r in self.records(f"one{i}"))
                if i % 2 == 0:  # once more on top of what was saved
                    again = self.play(self.session(own, latency), saved, f"three{i}")
                    self.batch(again, f"four{i}")
                    self.assert_repeated(f"three{i}", f"four{i}")
        self.assertGreater(acts, 5)

    def test_what_is_done_says_what_it_was(self):
        scenario = self.write("s.yaml", """
simulation: { duration: 3s, quantum: 1ms, seed: 1 }
network: { model: latency, default_latency: 100ms }
nodes: [{ id: s1, type: sensor }, { id: s2, type: sensor }, { id: gw, type: gateway }]
""")
        keys = ["u", "type 1.05s", "Enter", "i", "d", "y",
                "E", "Ctrl-U", 'type { "temperature": 7.50, "sample_id": 3 }', "Enter", "D", "type 1s", "Enter",
                "I", 'type s1 gw "A B" [ 1, 2 ] at 1.5s', "Enter", "L", "Ctrl-U", "type s2 gw 5ms 1", "Enter"]
        self.play(keys, scenario, "one")
        records = [r for r in self.records("one") if r["t"] == 1050000 or r.get("id") in (2, 3)]
        self.assertEqual([r["text"] for r in records if r["kind"] == "command"],
                         ["drop 0", "copy 1", 'edit 1 {"temperature":7.50,"sample_id":3}', "delay 1 to 2.1s",
                          'inject s1 gw "A B" [1,2] at 1.5s', "link s2 gw latency 5ms loss 1.0"])
        kinds = [(r["kind"], r.get("id")) for r in records]
        command = ("command", None)
        self.assertEqual(kinds, [command, ("drop", 0), command, ("message", 2), command, command, command,
                                 ("message", 3), command, ("link", None)])
        drop, copy, new, link = records[1], records[3], records[7], records[9]
        self.assertEqual(drop["reason"], "edited")
        self.assertEqual((copy["t"], copy["due"], copy["src"]), (1000000, 1100000, "s2"))
        self.assertEqual((new["t"], new["due"], new["type"], new["payload"]), (1050000, 1500000, "A B", [1, 2]))
        self.assertEqual((link["latency"], link["loss"], link["cause"]), (5000, 1.0, "command"))
        rows = (self.dir / "one" / "gw_metrics.csv").read_text().splitlines()
        self.assertIn("2100100,process,7.5,sample_3", rows)

    def test_what_a_fault_finds_no_message_for_is_a_warning(self):
        scenario = self.write("s.yaml", """
simulation: { duration: 2s, seed: 1 }
nodes: [{ id: s1, type: sensor }, { id: gw, type: gateway }]
faults:
  - { at: 0s, message: 5, action: drop }
  - { at: 1.001s, message: 0, action: edit, payload: { temperature: 5, sample_id: 9 } }
""")
        self.batch(scenario, "out")
        self.assertEqual([r["text"] for r in self.records("out") if r["kind"] == "warning"],
                         ["the fault 'drop' has no effect: message 5 is not in flight"])
        self.assertIn("sample_9", [r.get("payload") for r in self.records("out")])

    def test_faults_of_the_last_barrier_act_whether_it_was_skipped_to_or_not(self):
        scenario = self.write("s.yaml", """
simulation: { duration: 2s, seed: 1 }
nodes: [{ id: s1, type: sensor, on_failure: continue }, { id: gw, type: gateway }]
faults: [{ at: 500ms, node: s1, action: kill }]
""")
        self.batch(scenario, "skipped", "--until", "500ms")
        self.batch(scenario, "stepped", "--until", "500ms", "--no-skip")
        self.assertTrue(self.events("skipped") == self.events("stepped"))
        self.assertIn("frozen", [r.get("state") for r in self.records("skipped")])

    def test_a_file_of_somebody_else_is_not_overwritten(self):
        own = ["W", "type own.yaml", "Enter", "see Saved"]
        keys = ["W", "type mine.yaml", "Enter", "see is there already", "Esc", *own, *own,
                "W", "type nowhere/x.yaml", "Enter", "see cannot be written", "Esc"]
        self.write("mine.yaml", "mine\n")
        self.lockstep("--keys", self.write("k", "\n".join(keys) + "\n"), common.SCENARIOS / "m0_baseline.yaml")
        self.assertEqual((self.dir / "mine.yaml").read_text(), "mine\n")
        self.batch(self.dir / "own.yaml", "one")
        self.batch(common.SCENARIOS / "m0_baseline.yaml", "two")
        self.assertTrue(self.events("one") == self.events("two"))  # nothing was done: not even the digest differs
        self.assertEqual([f for f in os.listdir(self.dir) if ".tmp" in f], [])

    def test_saved_paths_work_from_every_folder(self):
        (self.dir / "deep").mkdir()
        scenario = self.write("deep/s.yaml", """
simulation: { duration: 100ms, quantum: 10ms, seed: 1 }
nodes:
  - { id: gw, type: gateway }
  - { id: p, type: device, implementation: process, command: [python3, node.py] }
""")
        self.write("deep/node.py", NODE)
        keys = ["s", "I", "type gw p HELLO", "Enter", "W", "type saved.yaml", "Enter", "see Saved with 1 change", "c",
                "until FINISHED"]
        self.lockstep("--keys", self.write("k", "\n".join(keys) + "\n"), "--out", self.dir / "one", scenario)
        self.batch(self.dir / "saved.yaml", "two", cwd="/")
        self.assertEqual(self.events("one").splitlines()[1:], self.events("two").splitlines()[1:])


    def test_what_may_differ_when_it_is_repeated_is_told_in_the_file(self):
        count = "        count += 1\n"
        hang = "        if count == 3:\n            __import__('time').sleep(1000)\n"
        self.write("node.py", NODE.replace(count, count + hang))
        scenario = self.write("s.yaml", """
simulation: { duration: 100ms, quantum: 10ms, seed: 1 }
nodes:
  - { id: p, type: device, implementation: process, command: [python3, node.py], on_failure: continue }
  - { id: gw, type: gateway }
""")
        keys = ["g", "j", "c", "see Waiting for p", "X", "y", "until FINISHED", "W", "type saved.yaml", "Enter",
                "see Saved with 1 change"]
        self.lockstep("--keys", self.write("k", "\n".join(keys) + "\n"), "--out", self.dir / "one", scenario)
        text = (self.dir / "saved.yaml").read_text()
        self.assertIn("# Done before the node had answered", text)
        self.assertIn("{ at: 30ms, node: p, action: kill, by: user }", text)
        self.lockstep("--dry-run", self.dir / "saved.yaml")


class Delivered(common.Case):
    """What a node got is what was delivered to it: what was done to a message on its way counts."""

    def keys(self, arguments, steps, expect=0):
        saved = [s.split()[1] for s in steps if s.startswith("screen ")]
        lines = [f"screen {self.dir / s.split()[1]}" if s.startswith("screen ") else s for s in steps]
        self.lockstep(*arguments, "--keys", self.write("steps.keys", "\n".join(lines) + "\n"), "--size", "160x90",
                      expect=expect)
        return {s: (self.dir / s).read_text() for s in saved}

    def farm(self, on_failure="abort"):
        self.write("gw.py", FRAGILE)
        return self.write("farm.yaml", FARM.format(on_failure=on_failure))

    def ids(self, out, src, at):
        return [r["id"] for r in self.records(out) if r["kind"] == "message" and r["src"] == src and r["t"] == at]

    @staticmethod
    def say(*commands):
        return [key for c in commands for key in (":", f"type {c}", "Enter")]

    @staticmethod
    def came(screen):
        """The rows of a node's last messages: when and how it came, and the rest."""
        rows = re.findall(r"│ +([0-9.]+) (in|out|due|   ) +(\S.*?) *│$", screen, re.M)
        return [(time, way.strip(), re.sub(" +", " ", text)) for time, way, text in rows]

    def edit(self, on_failure="abort", more=()):
        """At 1.02 s the last message of s1 gets another payload and another time, one is put in and dropped again."""
        farm = self.farm(on_failure)
        self.batch(farm, "as is", "--until", "1.02s")
        (self.edited,) = self.ids("as is", "s1", 1000000)
        self.injected = 1 + max(r["id"] for r in self.records("as is") if "id" in r)
        steps = ["u", "type 1.02s", "Enter", *self.say(
            f'edit {self.edited} {{"note": "edited 1"}}', f"delay {self.edited} 500ms", f"delay {self.edited} to 2.95s",
            f'edit {self.edited} {{"count": 99}}', 'inject s1 gw TRANSMIT {"temperature": 3}', f"drop {self.injected}")]
        over = "see FINISHED" if on_failure == "continue" else "see FAILED"
        return self.keys(["--out", "run", farm], steps + list(more) + ["c", over, *LOOK],
                         expect=0 if on_failure == "continue" else 1)

    def assert_shown(self, shown):
        rows = [r for r in self.came(shown["node"]) if "s1" in r[2]]
        self.assertIn(("2.950000", "in", "s1 TRANSMIT edited, delayed count 99"), rows)
        self.assertIn(("1.020000", "in", "s1 TRANSMIT dropped temperature 3"), rows)
        self.assertNotIn("1.700000", [r[0] for r in rows])
        for name in ("forward", "back"):
            chain = shown[name].split("╭─ Chain")[1].split("╰")[0]
            self.assertRegex(chain, r"(?s)s1 → gw +TRANSMIT +edited, delayed +count 99.*gw +failed ")
        self.assertRegex(shown["event"], r'edited on its way by record \d+: \{"count": 99\}')
        self.assertRegex(shown["event"], r"delayed on its way by record \d+: due 2\.95s\b")

    def test_a_failed_node_tells_what_it_was_handed(self):
        shown = self.edit(more=[*self.say("node gw"), "see edited, delayed", "screen due", "Esc"])
        self.assertIn(("2.950000", "due", "s1 TRANSMIT edited, delayed count 99"), self.came(shown["due"]))
        self.assert_shown(shown)
        records = self.records("run")
        commands = [r["n"] for r in records if r["kind"] == "command"]
        came = {r["n"]: dict(r) for r in records if r["kind"] == "message" and r["dst"] == "gw"}
        (edited,) = [r for r in came.values() if r["id"] == self.edited]
        edited.update(payload={"count": 99}, due=2950000, commands=[commands[2], commands[3]])
        came = [r for r in came.values() if r["id"] != self.injected and r["due"] <= 2950000]
        want = sorted(came, key=lambda r: (r["due"], r["n"]))[-5:]
        self.assertEqual(want[-1], edited)
        self.assertNotEqual([r["n"] for r in want], sorted(r["n"] for r in want), "none was overtaken")
        self.assertEqual(self.summary("run")["failed_last_in"], want)
        self.assertGreater(want[0]["n"] - edited["n"], 1000, "it is not far back")

    def test_a_replay_tells_the_same_and_not_before_its_time(self):
        self.edit()
        self.assert_shown(self.keys(["replay", self.dir / "run"], ["c", *LOOK]))
        before = self.keys(["replay", self.dir / "run"],
                           ["c", *self.say("node gw"), "see edited, delayed", "u", "type 1.01s", "Enter", "see due s1",
                            "screen node"])
        self.assertIn(("1.700000", "due"), [r[:2] for r in self.came(before["node"])])
        self.assertNotIn("edited", before["node"])

    def test_a_failure_that_the_run_goes_on_after_is_in_the_chain_too(self):
        self.assert_shown(self.edit("continue"))

    def test_a_saved_session_tells_the_same(self):
        self.edit(more=["W", "type saved.yaml", "Enter", "see Saved"])
        self.batch(self.dir / "saved.yaml", "again", expect=1)
        self.assertEqual(self.summary("again")["failed_last_in"], self.summary("run")["failed_last_in"])
        self.assertEqual(self.summary("again")["failed_last_in"][-1]["payload"], {"count": 99})

    def test_a_node_that_was_killed_did_not_fail_of_a_message(self):
        farm = self.farm()
        self.batch(self.write("kill.yaml", farm.read_text() + "faults: [{ at: 1.02s, node: gw, action: kill }]\n"),
                   "run", expect=1)
        shown = self.keys(["replay", self.dir / "run"],
                          ["c", *self.say("find state == failed"), "m", "screen refused", "Esc",
                           *self.say("find dst == gw && time == 1s && src == s2"), "m", "screen chain"])
        self.assertIn("own failures come of something", shown["refused"])
        self.assertNotIn("failed", shown["chain"].split("╭─ Chain")[-1].split("╰")[0])

    def test_one_that_was_delayed_for_long_is_among_the_last_ones(self):
        scenario = self.write("s.yaml", """
simulation: { duration: 3s, quantum: 10ms, seed: 7 }
network: { model: latency, default_latency: 20ms }
nodes:
  - { id: slow, type: sensor, config: { interval: 10s, destination: gw } }
  - { id: busy, type: sensor, config: { interval: 1ms, destination: gw } }
  - { id: gw, type: cloud }
""")
        shown = self.keys(["--out", "run", scenario], [
            *self.say("inject slow gw LATE {\"temperature\": 3} at 0.5s", "delay 0 to 2.9895s"), "c", "see FINISHED",
            *self.say("node gw"), "see TRANSMIT", "screen node"])
        self.assertIn(("2.989500", "in", "slow LATE delayed temperature 3"), self.came(shown["node"]))


if __name__ == "__main__":
    main()
