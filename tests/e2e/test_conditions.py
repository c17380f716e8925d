"""Conditions: where --until ends a run, what --break does to one, and what is said of bad ones."""
import json

import common

BASELINE = common.SCENARIOS / "m0_baseline.yaml"
PROCESSES = common.SCENARIOS / "process_mixed.yaml"
LINKS = common.SCENARIOS / "latency_loss.yaml"


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

    def test_nodes_in_processes(self):
        self.check_end(PROCESSES, "src =~ '^(far|third)$' && time >= 2s",
                       lambda r: r.get("src") in ("far", "third") and r["t"] >= 2000000)

    def test_one_that_never_holds_changes_nothing(self):
        self.batch(BASELINE, "whole")
        self.batch(BASELINE, "out", "--until", "payload.temperature > 1000")
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


class Break(common.Case):
    def by_keys(self, out, lines, *args, **options):
        keys = self.write("keys", "\n".join(lines) + "\n")
        self.lockstep("--keys", keys, "--out", self.dir / out, *args, BASELINE, **options)

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
