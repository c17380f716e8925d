"""Conditions: where --until ends a run, what --break does to one, and what is said of bad ones."""
import json

import common

BASELINE = common.SCENARIOS / "m0_baseline.yaml"
PROCESSES = common.SCENARIOS / "process_mixed.yaml"
LINKS = common.SCENARIOS / "latency_loss.yaml"
FAULTY = """
simulation: { duration: 6s, quantum: 1ms, seed: 3 }
network: { model: latency, default_latency: 20ms }
nodes:
  - { id: sensor, type: sensor }
  - { id: gateway, type: gateway }
faults:
  - { at: 2500ms, link: [sensor, gateway], latency: 70ms, for: 1s }
"""


class Until(common.Case):
    def check_end(self, scenario, condition, matches, *args):
        """Ends at the barrier of the quantum in which the first record matches, with that record in the cause."""
        self.batch(scenario, "whole", *args)
        self.batch(scenario, "part", "--until", condition, *args)
        whole, part = self.records("whole"), self.records("part")
        first = next(r for r in whole if matches(r))
        end = part[-1]
        self.assertEqual((end["kind"], end["outcome"]), ("end", "until"))
        self.assertEqual(end["cause"], f"record {first['n']}: {condition}")
        self.assertEqual(part[:-1], whole[:len(part) - 1])
        self.assertGreater(len(part) - 1, first["n"])
        quantum = whole[0]["quantum"]
        self.assertEqual(end["t"] % quantum, 0)
        self.assertTrue(all(r["t"] <= end["t"] for r in part))
        summary = self.summary("part")
        self.assertEqual((summary["outcome"], summary["cause"], summary["exit_code"]), ("until", end["cause"], 0))
        return first, end

    def test_it_ends_with_the_first_record_that_matches(self):
        first, end = self.check_end(BASELINE, "type == TRANSMIT && payload.sample_id >= 3",
                                    lambda r: r.get("type") == "TRANSMIT" and r["payload"]["sample_id"] >= 3)
        self.assertEqual((first["t"], end["t"]), (3000000, 3001000))

    def test_idle_quanta_make_no_difference(self):
        self.check_end(BASELINE, "kind == local && time > 4s", lambda r: r["kind"] == "local" and r["t"] > 4000000)
        self.batch(BASELINE, "long", "--until", "kind == local && time > 4s", "--no-skip")
        self.assertEqual(self.events("part"), self.events("long"))

    def test_drops_links_and_counts(self):
        self.check_end(LINKS, "kind == drop && cause == loss", lambda r: r["kind"] == "drop")
        self.batch(LINKS, "three", "--until", "count(kind == drop) >= 3")
        drops = [r for r in self.records("three") if r["kind"] == "drop"]
        self.assertGreaterEqual(len(drops), 3)
        self.assertIn(f"record {drops[2]['n']}: ", self.records("three")[-1]["cause"])

    def test_what_happens_at_a_barrier_ends_it_there(self):
        path = self.write("faulty.yaml", FAULTY)
        first, end = self.check_end(path, "kind == link && latency == 70ms", lambda r: r["kind"] == "link")
        self.assertEqual((first["t"], end["t"]), (2500000, 2500000))

    def test_nodes_in_processes(self):
        self.check_end(PROCESSES, "src =~ '^(far|third)$' && time >= 2s",
                       lambda r: r.get("src") in ("far", "third") and r["t"] >= 2000000)

    def test_one_that_never_holds_changes_nothing(self):
        self.batch(BASELINE, "whole")
        _, err = self.batch(BASELINE, "out", "--until", "payload.temperature > 1000")
        self.assertIn("held for no record", err)
        self.assertEqual(self.events("whole"), self.events("out"))

    def test_a_bad_one_is_bad_usage_with_a_mark_below_the_place(self):
        _, err = self.lockstep("--batch", "--until", "type == A && payload.x >", BASELINE, expect=2)
        self.assertEqual(err.splitlines()[1:], ["  type == A && payload.x >", "                          ^"])
        self.assertIn("--until: column 25: expected a value after '>'", err)
        _, err = self.lockstep("--batch", "--until", "tpye == A", BASELINE, expect=2)
        self.assertIn("did you mean 'type'?", err)
        _, err = self.lockstep("--batch", "--until", "node.step_time > 1ms", BASELINE, expect=2)
        self.assertIn("depends on the wall clock", err)
        _, err = self.lockstep("--keys", "x", "--break", "hit 0 size > 1", BASELINE, expect=2)
        self.assertIn("--break: column 5: ", err)
        _, err = self.lockstep("--batch", "--break", "size > 1", BASELINE, expect=2)
        self.assertIn("--until", err)


    HINT = "type is a message's own, from its node; drop records are kind == drop"

    def test_a_kind_in_the_place_of_a_type_is_told(self):
        _, err = self.batch(BASELINE, "until", "--until", "count(type == DROP) > 0")
        self.assertEqual(err.splitlines()[0], "lockstep: --until count(type == DROP) > 0: " + self.HINT)
        keys = self.write("keys", "c\nuntil FINISHED\n")
        _, err = self.lockstep("--keys", keys, "--out", self.dir / "break", "--break", "2s", "--break",
                               "once type == drop", BASELINE, expect=None)
        self.assertIn("lockstep: --break once type == drop: " + self.HINT + "\n", err)
        self.assertEqual(err.count("lockstep: --break"), 1)
        _, err = self.batch(BASELINE, "quiet", "--quiet", "--until", "type == DROP")
        self.assertEqual(err, "")
        _, err = self.batch(BASELINE, "none", "--until", "type == TRANSMIT && kind == message")
        self.assertNotIn("type is", err)


class Break(common.Case):
    def by_keys(self, out, lines, *args, scenario=BASELINE, **options):
        keys = self.write("keys", "\n".join(lines) + "\n")
        self.lockstep("--keys", keys, "--out", self.dir / out, *args, scenario, **options)

    def hits(self, out):
        lines = [json.loads(line) for line in (self.dir / out / "wall.jsonl").read_text().splitlines()]
        return [(line["t"], line["text"], line.get("record")) for line in lines if line["event"] == "breakpoint"]

    def test_a_run_that_was_stopped_is_that_of_one_that_was_not(self):
        self.batch(BASELINE, "whole")
        self.by_keys("out", ["Space", "until PAUSED"] * 4 + ["Space", "until FINISHED"], "--break",
                     "src == sensor2 && payload.sample_id == 2", "--break", "4.5s", "--break", "once 1.0005s",
                     "--break", "hit 2 type == AGGREGATE || type == PROCESS && time > 9s",
                     "--break", "note src == sensor1 && type == TRANSMIT")
        self.assertEqual(self.events("whole"), self.events("out"))
        records = self.records("out")
        hits = self.hits("out")
        pauses = [h for h in hits if not h[1].startswith("note")]
        sent = [r for r in records if r.get("src") == "sensor2" and r["kind"] == "message"]
        late = [r["n"] for r in records if r.get("type") == "PROCESS" and r["t"] > 9000000]
        self.assertEqual(pauses[:3], [(1001000, "once 1.0005s", None),
                                      (2001000, "src == sensor2 && payload.sample_id == 2", sent[1]["n"]),
                                      (4500000, "4.5s", None)])
        self.assertEqual([(h[2] in late) for h in pauses[3:]], [True])
        self.assertEqual(len(hits) - len(pauses), 7) # of nine; two come with a pause

    def test_nodes_in_processes_do_not_notice(self):
        self.batch(PROCESSES, "whole")
        self.by_keys("out", ["Space", "until PAUSED"] * 3 + ["c", "until FINISHED"], "--break",
                     "once src == far && time > 1s", "--break", "once node.state == idle && time > 2s", "--break",
                     "once node.step_time > 1us && time > 3s", scenario=PROCESSES)
        self.assertEqual(self.events("whole"), self.events("out"))
        self.assertEqual(len(self.hits("out")), 3)

    def test_what_happens_at_a_barrier_pauses_there(self):
        path = self.write("faulty.yaml", FAULTY)
        self.by_keys("out", ["Space", "until PAUSED", "see Break 1, record", "c", "until FINISHED"], "--break",
                     "once kind == link", scenario=path)
        link = next(r for r in self.records("out") if r["kind"] == "link")
        self.assertEqual(self.hits("out"), [(2500000, "once kind == link", link["n"])])

    CHATTY = """
simulation: {{ duration: 3s, quantum: 1ms, seed: 3 }}
network: {{ model: latency, default_latency: 50ms }}
nodes:
  - {{ id: s, type: sensor, config: {{ interval: 200ms, destination: gw }} }}
  - {{ id: gw, type: gateway }}
  - {{ id: p, type: device, implementation: process, command: [python3, "{}"] }}
"""
    NODE = """
import sys
for line in sys.stdin:
    if line.startswith("INIT"):
        print("READY", flush=True)
    elif line.startswith("ADVANCE"):
        sys.stdin.readline()
        if line == "ADVANCE 1500000\\n":
            sys.stderr.write("valve 3 does")
            sys.stderr.flush()
        if line == "ADVANCE 1510000\\n":
            print(" not\\x1b[31m answer", file=sys.stderr, flush=True)
        print("DONE\\n[]", flush=True)
"""

    def test_a_line_of_a_log_pauses_at_the_barrier_behind_it(self):
        scenario = self.write("s.yaml", self.CHATTY.format(self.write("chat.py", self.NODE)))
        for text, found in (('log =~ "valve [0-9] does not"', True), ("log p =~ valve.*answer$", True),
                            ("log gw =~ valve", False), ("log =~ ^valve$", False)):
            with self.subTest(text=text):
                out = f"out{len(text)}"
                self.by_keys(out, ["until PAUSED", "c", "until PAUSED" if found else "until FINISHED",
                                   f"screen {self.dir}/s"],
                             "--break", text, scenario=scenario, expect=None)
                screen = (self.dir / "s").read_text()
                if found:
                    self.assertRegex(screen, r"PAUSED +1\.510 000 s")
                    self.assertIn("p: valve 3 does not\\x1b[31m answer", screen)

    def test_a_command_is_done_at_the_barrier_and_the_run_goes_on(self):
        scenario = self.write("s.yaml", self.CHATTY.format(self.write("chat.py", self.NODE)))
        self.by_keys("out", ["until PAUSED", "c", "until FINISHED"], "--break",
                     'do "drop 8" type == TRANSMIT && payload.sample_id == 9', scenario=scenario)
        acts = [r for r in self.records("out") if r["kind"] in ("command", "drop")]
        self.assertEqual([(r["t"], r.get("text") or r.get("id")) for r in acts], [(2601000, "drop 8"), (2601000, 8)])
        self.by_keys("bad", ["until PAUSED", "c", "until PAUSED", f"screen {self.dir}/s"], "--break",
                     'do "drop me" type == TRANSMIT', scenario=scenario, expect=None)
        self.assertRegex((self.dir / "s").read_text(), "Break 1: drop me: column")

    def test_abort_ends_it(self):
        self.by_keys("out", ["Space", "until ABORTED"], "--break", "abort payload.sample_id == 4", expect=130)
        self.assertEqual(self.records("out")[-1]["outcome"], "aborted")
        self.assertIn("abort payload.sample_id == 4", self.records("out")[-1]["cause"])

    def test_until_holds_in_the_terminal_ui_too(self):
        self.by_keys("ui", ["Space", "until FINISHED"], "--until", "payload.sample_id == 4")
        self.batch(BASELINE, "out", "--until", "payload.sample_id == 4")
        self.assertEqual(self.events("ui"), self.events("out"))


if __name__ == "__main__":
    common.main()
