"""The batch front: exit codes, options, the run folder, and what a script relies on."""
import hashlib
import json
import os
import re
import signal
import subprocess
import time

import common
import terminal

BASELINE = common.SCENARIOS / "m0_baseline.yaml"
SLOW = """
simulation: { duration: 1h, quantum: 1ms, seed: 1, pace: 1 }
nodes:
  - { id: s, type: sensor }
  - { id: gateway, type: gateway }
"""


class Results(common.Case):
    def test_the_run_folder_holds_what_the_readme_says(self):
        self.batch(BASELINE, "out")
        names = sorted(os.listdir(self.dir / "out"))
        self.assertEqual(names, ["events.jsonl", "gateway_metrics.csv", "history.bin", "scenario.yaml",
                                 "sensor1_metrics.csv",
                                 "sensor2_metrics.csv", "sensor3_metrics.csv", "summary.json", "wall.jsonl"])

    def test_records_are_numbered_and_their_keys_in_order(self):
        self.batch(common.SCENARIOS / "latency_loss.yaml", "out")
        keys = {"run": ["scenario", "digest", "seed", "quantum", "duration", "nodes"],
                "message": ["id", "src", "dst", "type", "size", "payload", "due"],
                "local": ["src", "type", "payload"], "drop": ["id", "reason"],
                "end": ["outcome", "cause", "quanta", "messages", "dropped", "in_flight"]}
        kinds = set()
        for n, line in enumerate(self.events("out").decode().splitlines()):
            record = json.loads(line)
            self.assertEqual(line, json.dumps(record, separators=(",", ":"), ensure_ascii=False))
            self.assertEqual(record["n"], n)
            want = ["n", "t", "kind"] + keys[record["kind"]]
            if record["kind"] == "message" and "due" not in record:
                want.remove("due")
            self.assertEqual(list(record), want)
            kinds.add(record["kind"])
        self.assertEqual(kinds, set(keys))

    def test_a_lost_message_has_no_due_time_and_a_drop_record(self):
        self.batch(common.SCENARIOS / "latency_loss.yaml", "out")
        records = self.records("out")
        lost = {r["id"] for r in records if r["kind"] == "message" and "due" not in r}
        dropped = {r["id"] for r in records if r["kind"] == "drop"}
        self.assertTrue(lost)
        self.assertEqual(lost, dropped)
        self.assertEqual(self.summary("out")["dropped"], len(dropped))

    def test_the_summary_says_why_messages_were_dropped(self):
        out, _ = self.batch(common.SCENARIOS / "latency_loss.yaml", "out")
        dropped = self.summary("out")["dropped"]
        self.assertRegex(out, rf"\n  dropped    {dropped} loss\n")
        out, _ = self.batch(common.SOURCE / "tests/ui/unknown.yaml", "unknown", "--duration", "1s")
        self.assertIn("\n  dropped    10 no such node clowd, 1 no such node cluod\n", out)
        out, _ = self.batch(BASELINE, "none")
        self.assertNotIn("\n  dropped ", out)

    def test_the_summary_is_true(self):
        self.batch(BASELINE, "out")
        s, events = self.summary("out"), self.events("out")
        self.assertEqual(s["outcome"], "finished")
        self.assertEqual(s["exit_code"], 0)
        self.assertEqual(s["events_sha256"], hashlib.sha256(events).hexdigest())
        self.assertEqual(s["records"], len(events.splitlines()))
        self.assertEqual(s["messages"], 27)
        self.assertEqual(s["virtual_time_us"], 10000000)
        self.assertEqual(s["quanta"], 10000)
        self.assertEqual([n["id"] for n in s["nodes"]], ["sensor1", "sensor2", "sensor3", "gateway"])
        self.assertEqual(s["nodes"][3]["messages_in"], 27)

    def test_json_on_stdout_is_the_summary_file(self):
        out, _ = self.batch(BASELINE, "out", "--json")
        self.assertEqual(out, (self.dir / "out" / "summary.json").read_text())

    def test_the_effective_scenario_repeats_the_run(self):
        for name in ("ml_edge.yaml", "three_tier.yaml", "latency_loss.yaml"):
            self.batch((common.SCENARIOS / name), "a", "--seed", "7", "--set", "simulation.duration=20s")
            self.batch(self.dir / "a" / "scenario.yaml", "b")
            self.assertEqual(self.events("a"), self.events("b"))

    def test_without_out_folders_are_numbered(self):
        for _ in range(2):
            self.lockstep("--batch", BASELINE)
        self.assertEqual(sorted(os.listdir(self.dir / "runs")), ["m0_baseline-seed42-1", "m0_baseline-seed42-2"])

    def test_the_next_event_is_one_key_away(self):
        keys = self.write("next.keys", ".\nscreen one\n.\nscreen two\n")
        self.lockstep("--keys", keys, "--out", "out", common.SCENARIOS / "three_tier.yaml", expect=130)
        self.assertIn("1.001 000 s", (self.dir / "one").read_text().splitlines()[0])
        self.assertIn("1.006 000 s", (self.dir / "two").read_text().splitlines()[0])

    def test_a_scenario_that_was_only_looked_at_leaves_nothing(self):
        keys = self.write("look.keys", "?\nEsc\nEnter\n")
        self.lockstep("--keys", keys, BASELINE)
        self.assertEqual(os.listdir(self.dir), ["look.keys"])
        self.write("look.keys", "s\n")
        self.lockstep("--keys", keys, BASELINE, expect=130)
        self.assertEqual(os.listdir(self.dir / "runs"), ["m0_baseline-seed42-1"])

    def test_an_earlier_run_is_replaced_and_other_files_stay(self):
        self.batch(common.SCENARIOS / "three_tier.yaml", "out")
        self.write("out/notes.txt", "mine")
        self.batch(BASELINE, "out")
        names = os.listdir(self.dir / "out")
        self.assertIn("notes.txt", names)
        self.assertNotIn("north_metrics.csv", names)

    def test_inference_latency_depends_on_the_placement(self):
        p50 = {}
        for place in ("edge", "cloud"):
            self.batch((common.SCENARIOS / f"ml_{place}.yaml"), "out")
            s = self.summary("out")["inference"]
            self.assertEqual(s["placement"], place)
            self.assertGreater(s["count"], 100)
            p50[place] = s["latency_p50_us"]
        self.assertGreater(p50["cloud"], p50["edge"])

    def test_records_reach_the_disk_at_every_barrier(self):
        path = self.write("slow.yaml", SLOW.replace("pace: 1", "pace: 4"))
        p = subprocess.Popen([common.LOCKSTEP, "--batch", "-q", "--out", self.dir / "out", path])
        time.sleep(2.0)
        p.kill()
        p.wait()
        records = self.records("out")
        self.assertGreaterEqual(len([r for r in records if r["kind"] == "message"]), 4)
        rows = (self.dir / "out" / "s_metrics.csv").read_text().splitlines()
        self.assertGreaterEqual(len(rows), 9)
        self.assertEqual(self.summary("out")["outcome"], "unfinished")


class Options(common.Case):
    def test_seed_duration_quantum_and_set_override_the_scenario(self):
        self.batch(BASELINE, "a", "--seed", "7", "--duration", "2.5s", "--quantum", "10ms",
                   "--set", "nodes.sensor1.config.interval=500ms")
        run = self.records("a")[0]
        self.assertEqual((run["seed"], run["duration"], run["quantum"]), (7, 2500000, 10000))
        sent = [r["t"] for r in self.records("a") if r.get("src") == "sensor1"]
        self.assertEqual(sent, [1000000, 1500000, 2000000])

    def test_until_ends_the_run_successfully(self):
        self.batch(BASELINE, "out", "--until", "2.5s")
        end = self.records("out")[-1]
        self.assertEqual((end["outcome"], end["t"]), ("until", 2500000))
        self.batch(BASELINE, "whole")
        self.assertTrue(self.events("whole").startswith(b"".join(self.events("out").splitlines(True)[:-1])))

    def test_pace_follows_the_wall_clock(self):
        began = time.monotonic()
        self.batch(BASELINE, "out", "--pace", "10", "--duration", "5s", "-q")
        self.assertGreater(time.monotonic() - began, 0.45)
        self.batch(BASELINE, "free", "--duration", "5s")
        self.assertEqual(self.events("out"), self.events("free"))

    def test_dry_run_starts_nothing(self):
        out, _ = self.lockstep("--dry-run", BASELINE)
        self.assertIn("10s in quanta of 1ms", out)
        self.assertEqual(os.listdir(self.dir), [])

    def test_an_override_of_an_unknown_field_is_an_error(self):
        for path in ("netwrok.default_loss=1", "nodes.sensor1.typ=x", "simulation.sede=1", "network.links[0].losss=1"):
            _, err = self.batch(BASELINE, "out", "--set", path, expect=3)
            self.assertIn("--set", err)

    def test_quiet_says_nothing(self):
        self.assertEqual(self.batch(BASELINE, "out", "-q"), ("", ""))

    def test_bad_usage_exits_with_2(self):
        for args in (["--nonsense", BASELINE], [], ["--batch"], ["--seed"], [BASELINE, BASELINE], [BASELINE],
                     ["--json", "--run", BASELINE], ["--batch", "--until", "5x", BASELINE],
                     ["--batch", "--set", "x", BASELINE], ["--keys", "k", "--batch", BASELINE],
                     ["--size", "0x0", "--keys", "k", BASELINE]):
            _, err = self.lockstep(*args, expect=2)
            self.assertRegex(err, r"^lockstep: .+\n$")

    def json(self, *args, expect):
        """The one object on stdout, and stderr."""
        out, err = self.lockstep(*args, expect=expect)
        told = json.loads(out)
        self.assertEqual(told["exit_code"], expect)
        return told, err

    def test_json_tells_what_is_wrong_with_a_scenario(self):
        path = self.write("bad.yaml", """
simulation: { duration: 1s, seed: 1 }
nodes:
  - { id: s, type: sensr }
  - { id: gateway, type: gateway, config: { forward_to: "a\\"b" } }
""")
        for front in ("--batch", "--dry-run"):
            for quiet in ((), ("-q",)):
                told, err = self.json(front, "--json", *quiet, "--set", "simulation.sede=1", path, expect=3)
                self.assertEqual((told["outcome"], told["file"]), ("invalid", str(path)))
                first, *others = told["problems"]
                self.assertEqual(first, {"severity": "error", "option": "--set simulation.sede",
                                         "path": "simulation.sede",
                                         "message": "unknown field; did you mean 'seed'?"})
                self.assertEqual([(p["file"], p["line"], p["path"]) for p in others],
                                 [(str(path), 4, "nodes[0].type"), (str(path), 5, "nodes[1].config.forward_to")])
                self.assertTrue(all(p["column"] > 1 and p["message"] for p in others))
                self.assertEqual((told["errors"], told["warnings"]), (3, 0))
                lines = err.splitlines()
                self.assertEqual(len(lines), 3)
                self.assertEqual(told["cause"], lines[0])
        for path in (self.dir / "absent.yaml", "/dev/null"):
            told, err = self.json("--batch", "--json", path, expect=3)
            self.assertEqual(told["cause"] + "\n", err)
            self.assertEqual([(p["file"], "line" in p, "path" in p) for p in told["problems"]],
                             [(str(path), False, False)])

    def test_json_tells_of_a_scenario_that_is_valid(self):
        told, err = self.json("--dry-run", "--json", "--seed", "7", BASELINE, expect=0)
        self.assertEqual((told["outcome"], told["cause"], told["problems"], err), ("valid", "", [], ""))
        self.batch(BASELINE, "out", "--seed", "7")
        run, summary = self.records("out")[0], self.summary("out")
        for key in ("scenario", "digest", "seed", "lockstep"):
            self.assertEqual(told[key], summary[key])
        self.assertEqual((told["duration_us"], told["quantum_us"]), (run["duration"], run["quantum"]))
        self.assertEqual([(n["id"], n["kind"]) for n in told["nodes"]],
                         [(n["id"], n["kind"]) for n in summary["nodes"]])
        told, err = self.json("--dry-run", "--json", "--set", "network.model=latency", "--set",
                              "network.default_latency=1us", BASELINE, expect=0)
        self.assertEqual([p["severity"] for p in told["problems"]], ["warning"])
        self.assertIn("network.default_latency: warning: ", err)

    def test_json_tells_of_a_launch_that_failed(self):
        self.write("file", "x")
        told, err = self.json("--batch", "--json", "--out", "file", BASELINE, expect=4)
        self.assertEqual((told["outcome"], told["scenario"], f"lockstep: {told['cause']}\n"),
                         ("failed", "m0_baseline", err))
        told, err = self.json("--batch", "--json", "--junit", "/nowhere/report.xml", BASELINE, expect=4)
        self.assertEqual((told["outcome"], f"lockstep: {told['cause']}\n"), ("failed", err))
        path = self.write("gone.yaml", """
simulation: { duration: 1s, seed: 1 }
nodes: [{ id: x, type: custom, implementation: process, command: [sh, -c, exit 3] }]
""")
        told, _ = self.json("--batch", "--json", path, expect=4)
        self.assertEqual((told["outcome"], told["failed_node"]), ("failed", "x"))

    def test_json_tells_of_bad_usage_wherever_it_stands(self):
        for args in (["--batch", "--json", "--seed", "x", BASELINE], ["--batch", "--seed", "x", BASELINE, "-j"],
                     ["-bj", "--until", "type ==", BASELINE], ["--json", BASELINE], ["--json"],
                     ["--nonsense", "--json"]):
            told, err = self.json(*args, expect=2)
            self.assertEqual(told["outcome"], "usage")
            self.assertTrue(err.startswith(f"lockstep: {told['cause']}; lockstep"), err)

    def test_a_value_that_an_option_cannot_have_is_bad_usage_whatever_the_scenario_is(self):
        no_scenario = self.dir / "absent.yaml"
        for option, values in (("--seed", ("x", "-1", "1.5", "", "9223372036854775808", "[7]")),
                               ("--duration", ("soon", "5x", "-1s", "", "{a", "~", "285y")),
                               ("--quantum", ("0.1us", "ms", "yes")), ("--pace", ("fast", "2x", "-1", ".inf", "1e999")),
                               ("--until", ("5x", "-1s", "0", "type =", "")), ("--break", ("type ==", "")),
                               ("--at", ("soon", "-1s")), ("--size", ("80", "0x24", "80x24x", "wide")),
                               ("--set", ("x", "=1")), ("--out", ("",)), ("--junit", ("",))):
            for value in values:
                for front in ("--batch", "--dry-run", "--run", "verify"):
                    words = [front, option, value, no_scenario]
                    _, err = self.lockstep(*words, expect=2)
                    self.assertRegex(err, rf"^lockstep: {option}\b", words)
        for value in ("x", "1", "0", "-1", "1001", "3.5", ""):
            _, err = self.lockstep("verify", "-n", value, no_scenario, expect=2)
            self.assertTrue(err.startswith(f"lockstep: -n, --runs {value}: how many runs"), err)
        _, err = self.lockstep("--batch", "--seed", "x", BASELINE, expect=2)
        self.assertEqual(err, "lockstep: --seed: must be a whole number, not 'x'; write for example --seed 42; "
                              "lockstep --help lists what there is\n")

    def test_values_are_read_as_the_scenario_has_them(self):
        self.batch(BASELINE, "a", "--seed", "0x10", "--duration", " 2.5 s ", "--quantum", "'10ms'", "--pace", "1e3")
        run = self.records("a")[0]
        self.assertEqual((run["seed"], run["duration"], run["quantum"]), (16, 2500000, 10000))

    def test_a_word_that_is_spelt_wrong_is_known(self):
        for args, word in ((("dif", "a", "b"), "diff"), (("-b", "verfy", BASELINE), "verify"),
                           (("check",), "check-node")):
            _, err = self.lockstep(*args, expect=2)
            written = [a for a in args if a != "-b"][0]
            self.assertEqual(err, f"lockstep: there is no command '{written}', and no file; did you mean '{word}'?\n")
        self.write("dif", BASELINE.read_text())
        self.lockstep("--dry-run", "dif")
        _, err = self.lockstep("dif", "a", expect=2)
        self.assertIn("one scenario at a time: what is 'a'?", err)

    def test_a_word_that_is_no_command_and_no_file_is_told_as_that(self):
        for args, name in ((("runn", "tour.yaml"), "tour.yaml"), (("nope",), "SCENARIO.yaml"),
                           (("-b", "nope"), "SCENARIO.yaml")):
            _, err = self.lockstep(*args, expect=2)
            self.assertRegex(err, r"^lockstep: there is no command '(runn|nope)', and no file; a scenario is run by its "
                                  f"name alone: lockstep {name};")
        self.assertIn("`verify` stands first", self.lockstep("-b", "verify", expect=2)[1])
        for path in ("nope.yaml", "nope.yml", "there/nope"):  # a scenario that is not there
            self.lockstep("-b", path, expect=3)

    def test_an_option_that_is_spelt_wrong_is_known(self):
        for args, option in ((("--bach",), "--batch"), (("--sed=3",), "--seed"), (("verify", "--rnus", "3"), "--runs"),
                             (("diff", "--jsn"), "--json"), (("check-node", "--confg", "x"), "--config")):
            _, err = self.lockstep(*args, "x", expect=2)
            self.assertRegex(err, rf"unknown option --\w+.*; did you mean '{option}'\?")
        self.assertNotIn("mean", self.lockstep("--qqqqqqqq", "x", expect=2)[1])

    def test_a_run_that_is_not_there_is_told_before_the_terminal_that_is_not(self):
        _, err = self.lockstep("replay", "nope", expect=3)
        self.assertIn("nope/events.jsonl: No such file", err)
        self.batch(BASELINE, "out")
        _, err = self.lockstep("replay", "out", expect=2)
        self.assertIn("there is no terminal here to look at a run in", err)

    def test_each_word_has_a_help_of_its_own_with_the_options_that_go_with_it(self):
        completion = (common.SOURCE / "doc" / "completion" / "lockstep.bash").read_text()
        general, _ = self.lockstep("--help")
        values = {"--runs": "2", "--seed": "1", "--duration": "1s", "--quantum": "1ms", "--set": "name=x",
                  "--until": "1s", "--pace": "0", "--at": "1s", "--keys": "/dev/null", "--size": "80x24"}
        self.batch(BASELINE, "run")
        for word, subject in (("verify", BASELINE), ("replay", "run"), ("diff", None), ("check-node", None),
                              ("clean", None)):
            out, err = self.lockstep(word, "--help")
            self.assertTrue(out.startswith(f"lockstep {word}"), out)
            self.assertRegex(out, r"\n  -h, --help +this text\n(.|\n)*Exit codes: 0 (.|\n)*;\s2 bad usage")
            self.assertEqual(self.lockstep("help", word), (out, err))
            if subject:
                options = set(re.findall(r"(?m)^  (?:-.,|   ) (--[a-z-]+)", out))
                self.assertIn("--no-color", options)
                for option in sorted(options - {"--help"}):
                    with self.subTest(word=word, option=option):
                        more = [] if word == "verify" or option == "--keys" else ["--keys", "/dev/null"]
                        self.lockstep(word, subject, option, *filter(None, [values.get(option)]), *more, expect=0)
            if word == "verify":
                listed = re.search(r'== verify \]\]; then\n +options="([^"]*)"', completion).group(1)
                self.assertEqual(options, set(listed.split()))
        self.assertEqual(self.lockstep("help")[0], general)

    def test_help_and_version(self):
        out, _ = self.lockstep("--help")
        self.assertIn("--no-skip", out)
        self.assertRegex(self.lockstep("--version")[0], r"^lockstep \d+\.\d+\.\d+\n$")


class Failures(common.Case):
    def test_what_is_no_scenario_exits_with_3(self):
        for path in (self.dir / "absent.yaml", self.dir, "/dev/null"):
            _, err = self.batch(path, "out", expect=3)
            self.assertTrue(err.startswith(f"{path}: "), err)
            self.assertFalse((self.dir / "out").exists())

    def test_bad_overrides_exit_with_3_and_name_their_option(self):
        for args in (["--duration", "0"], ["--quantum", "0s"], ["--set", "simulation.seed=x"],
                     ["--set", "duration=soon"], ["--set", "nodes.nobody.config.interval=1s"],
                     ["--set", "network.model=carrier pigeon"]):
            _, err = self.batch(BASELINE, "out", *args, expect=3)
            self.assertIn(args[0], err)

    def test_a_node_that_fails_ends_the_run_with_its_cause(self):
        path = self.write("f.yaml", """
simulation: { duration: 10s, quantum: 1ms, seed: 1 }
nodes:
  - { id: s, type: sensor, config: { interval: 1us, destination: slow } }
  - { id: slow, type: cloud, config: { processing_delay: 1h } }
""")
        _, err = self.batch(path, "out", "-q", expect=1)
        self.assertRegex(err, r"^lockstep: failed: nodes\[1\] slow: it has 1000000 events ahead of it")
        failed, end = map(json.loads, self.events("out").splitlines()[-2:])
        self.assertEqual((failed["kind"], failed["node"], failed["state"]), ("node", "slow", "failed"))
        self.assertEqual((end["outcome"], end["t"]), ("failed", failed["t"]))
        s = self.summary("out")
        self.assertEqual((s["outcome"], s["exit_code"], s["failed_node"]), ("failed", 1, "slow"))
        self.assertEqual([n["state"] for n in s["nodes"]], ["finished", "failed"])

    def test_the_first_warnings_are_told_and_all_are_counted(self):
        path = common.SOURCE / "tests" / "ui" / "process_warns.yaml"
        out, _ = self.batch(path, "out", expect=1)
        for i in (1, 2, 3):
            self.assertIn(f"  warning    at {i}00ms: late: the answer's message 1 (X): its time 9us lies before "
                          f"{i * 100 - 10}ms, the start of its quantum", out)
        self.assertEqual(out.count("  warning  "), 3)
        self.assertIn("  warnings   1 more: w in lockstep replay ", out)
        self.assertEqual(self.summary("out")["warnings"], 4)
        self.assertEqual(sum(r["kind"] == "warning" for r in self.records("out")), 4)

    def test_states_have_the_words_of_the_screen(self):
        path = self.write("states.yaml", """
simulation: { duration: 1s, quantum: 100ms, seed: 1 }
nodes:
  - { id: s, type: sensor }
  - { id: gateway, type: gateway }
  - { id: gone, type: custom, implementation: process, command: [sh, -c, read x; echo READY; read x], on_failure: continue }
""")
        out, _ = self.batch(path, "out", "-v", expect=0)
        self.assertRegex(out, r"(?m)^  s +model +ended ")
        self.assertRegex(out, r"(?m)^  gone +process +left out ")
        self.assertEqual([n["state"] for n in self.summary("out")["nodes"]], ["finished", "finished", "frozen"])

    def test_a_failure_is_told_once_on_a_terminal(self):
        path = common.SOURCE / "tests" / "ui" / "process_warns.yaml"
        pty = terminal.Pty(self, "--batch", "--no-color", "-o", "out", path)
        self.assertEqual(pty.end(), 1)
        self.assertEqual(pty.data.count(b"failed: nodes[1] valve: the valve is stuck"), 1, pty.data)
        _, err = self.batch(path, "again", expect=1) # where they go to different places each has it
        self.assertIn("lockstep: failed: nodes[1] valve: the valve is stuck\n", err)

    def test_the_end_of_what_a_failed_node_wrote_begins_with_a_whole_line(self):
        def said(lines):
            command = f"read -r line; echo READY; {{ {lines}; }} >&2; exit 3"
            self.batch(self.write("says.yaml", json.dumps({
                "simulation": {"duration": "1s", "seed": 1},
                "nodes": [{"id": "sayer", "type": "custom", "implementation": "process",
                           "command": ["sh", "-c", command]}]})), "out", "--junit", "report.xml", expect=1)
            return self.summary("out")["failed_stderr"]
        many = said("for i in $(seq 100 199); do echo line $i of many; done")
        self.assertEqual(many, "".join(f"line {i} of many\n" for i in range(165, 200)))  # 595 bytes of the 600
        self.assertRegex((self.dir / "report.xml").read_text(), r"[>\n]line 165 of many\n")
        exact = said("for i in $(seq 100 199); do echo $i 45678901234; done; echo endings")  # 600 with a line's begin
        self.assertEqual((len(exact), exact[:4]), (600, "163 "))
        self.assertEqual(len(said("printf '%0900d\\n' 1")), 600)  # no line begins in it

    def test_a_model_that_gives_no_number_fails_its_node(self):
        self.write("model.json", json.dumps({"kind": "logistic", "features": ["temperature", "sample_id"],
                                             "mean": [0, 0],
                                             "scale": [1e-300, 1e-300], "weights": [1e300, -1e300], "bias": 0}))
        path = self.write("f.yaml", """
simulation: { duration: 3s, seed: 1 }
ml_inference: { placement: edge, edge_config: { model_path: model.json } }
nodes: [{ id: s, type: sensor }, { id: gateway, type: gateway }]
""")
        _, err = self.batch(path, "out", "-q", expect=1)
        self.assertIn("nodes[1] gateway: model.json gives no number for sample 1", err)

    def test_a_file_size_limit_ends_the_run_as_a_full_disk_does(self):
        large = common.SCENARIOS / "large.yaml"
        limited = f"ulimit -f 100; exec {common.LOCKSTEP} --batch -q --duration 60s --out out {large}"
        done = subprocess.run(["bash", "-c", limited], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertTrue(self.events("out").endswith(b"}\n"))

    def test_a_node_that_sends_without_end_in_one_quantum_fails(self):
        path = self.write("f.yaml", """
simulation: { duration: 10h, quantum: 10h, seed: 1 }
nodes:
  - { id: s, type: sensor, config: { interval: 1us } }
  - { id: gateway, type: gateway }
""")
        _, err = self.batch(path, "out", "-q", expect=1)
        self.assertIn("nodes[0] s: with its messages there are more than 1000000 in one quantum", err)
        self.assertEqual([r["kind"] for r in self.records("out")], ["run", "end"])

    def test_a_run_folder_that_cannot_be_made_exits_with_4(self):
        self.write("file", "x")
        for out in ("/dev/full", "/proc/nowhere/x", self.dir / "file", self.dir / "file" / "x"):
            _, err = self.lockstep("--batch", "--out", out, BASELINE, expect=4)
            self.assertIn(str(out), err)
            self.assertEqual(len(err.splitlines()), 1)

    def test_files_of_somebody_else_are_not_overwritten(self):
        (self.dir / "out").mkdir()
        self.write("out/events.jsonl", "precious\n")
        self.batch(BASELINE, "out", expect=4)
        self.assertEqual((self.dir / "out" / "events.jsonl").read_text(), "precious\n")

        self.write("out/events.jsonl", "")
        for name in ("scenario.yaml", "summary.json", "wall.jsonl", "gateway_metrics.csv"):
            self.write(f"out/{name}", "precious\n")
            self.batch(BASELINE, "out", expect=4)
            self.assertEqual((self.dir / "out" / name).read_text(), "precious\n")
            (self.dir / "out" / name).unlink()
            self.assertEqual(os.listdir(self.dir / "out"), ["events.jsonl"])

    def test_a_launch_that_failed_does_not_stand_in_the_way_of_the_next(self):
        full = self.dir / "full"
        full.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", full], capture_output=True).returncode:
            self.skipTest("no tmpfs may be mounted here")
        self.addCleanup(subprocess.run, ["umount", full])
        (full / "stone").write_bytes(b"x" * 65536)
        _, err = self.lockstep("--batch", "--out", full / "run", BASELINE, expect=4)
        self.assertIn("No space left on device", err)
        (full / "stone").unlink()
        self.lockstep("--batch", "--out", full / "run", BASELINE)

    def test_an_earlier_run_is_replaced_but_nothing_that_looks_like_it(self):
        self.batch(BASELINE, "out")
        self.write("out/mine_metrics.csv", "precious\n")
        self.batch(BASELINE, "out")
        self.assertEqual((self.dir / "out" / "mine_metrics.csv").read_text(), "precious\n")

    def test_the_scenario_that_runs_is_not_replaced_by_its_results(self):
        self.batch(BASELINE, "out")
        before = (self.dir / "out" / "scenario.yaml").read_text()
        _, err = self.batch(self.dir / "out" / "scenario.yaml", "out", expect=4)
        self.assertIn("holds the scenario", err)
        self.assertEqual((self.dir / "out" / "scenario.yaml").read_text(), before)
        (self.dir / "new").mkdir()
        self.write("new/scenario.yaml", before)
        self.batch(self.dir / "new" / "scenario.yaml", "new", expect=4)
        self.assertEqual((self.dir / "new" / "scenario.yaml").read_text(), before)

    def test_a_folder_of_other_things_does_not_become_a_run_folder(self):
        examples = self.dir / "examples"
        examples.mkdir()
        self.write("examples/a.yaml", BASELINE.read_text())
        for name in ("examples", "examples/"):
            _, err = self.lockstep("--batch", "--out", name, BASELINE, expect=4)
            self.assertEqual(err, f"lockstep: {name} holds other things ('a.yaml') and no earlier run; choose a folder "
                                  "that is new or empty with --out, for example --out examples/run\n")
            self.assertEqual(os.listdir(examples), ["a.yaml"])
        self.batch(BASELINE, "examples/run")

        empty = self.dir / "empty"
        empty.mkdir()
        self.write("empty/.gitignore", "*\n")
        self.batch(BASELINE, "empty")
        self.write("empty/notes.txt", "mine\n")  # a run folder still
        self.batch(BASELINE, "empty")
        self.assertEqual((empty / "notes.txt").read_text(), "mine\n")

    def test_two_runs_do_not_share_a_folder(self):
        path = self.write("slow.yaml", SLOW)
        p = subprocess.Popen([common.LOCKSTEP, "--batch", "-q", "--out", self.dir / "out", path],
                             stderr=subprocess.PIPE)
        try:
            while not (self.dir / "out" / "wall.jsonl").exists():
                time.sleep(0.01)
            _, err = self.batch(BASELINE, "out", expect=4)
            self.assertIn("another lockstep", err)
        finally:
            p.terminate()
            p.communicate()
        self.assertEqual(p.returncode, 128 + signal.SIGTERM)

    def test_a_full_disk_ends_the_run_and_leaves_whole_lines(self):
        full = self.dir / "full"
        full.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", full], capture_output=True).returncode:
            self.skipTest("no tmpfs may be mounted here")
        self.addCleanup(subprocess.run, ["umount", full])
        _, err = self.lockstep("--batch", "-q", "--out", full / "run", "--duration", "10min",
                               common.SCENARIOS / "three_tier.yaml", expect=4)
        self.assertEqual(len(err.splitlines()), 1)
        self.assertIn("No space left on device", err)
        events = (full / "run" / "events.jsonl").read_bytes()
        self.assertTrue(events.endswith(b"\n"))
        for line in events.splitlines():
            json.loads(line)
        summary = json.loads((full / "run" / "summary.json").read_text())
        self.assertEqual((summary["outcome"], summary["exit_code"]), ("failed", 4))
        self.assertEqual(summary["events_sha256"], hashlib.sha256(events).hexdigest())

    def test_standard_output_that_is_full_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([common.LOCKSTEP, "--batch", "--out", self.dir / "out", BASELINE], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 4)
        self.assertIn("standard output", done.stderr)


class Signals(common.Case):
    def start(self, out="out"):
        path = self.write("slow.yaml", SLOW)
        p = subprocess.Popen([common.LOCKSTEP, "--batch", "--out", self.dir / out, path], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.stderr.close)
        wall = self.dir / out / "wall.jsonl"
        while not wall.exists() or "RUNNING" not in wall.read_text():
            time.sleep(0.01)
        return p

    def test_a_signal_ends_the_run_cleanly(self):
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=sig):
                p = self.start(sig.name)
                p.send_signal(sig)
                p.communicate(timeout=10)
                self.assertEqual(p.returncode, 128 + sig)
                s = self.summary(sig.name)
                self.assertEqual((s["outcome"], s["exit_code"]), ("aborted", 128 + sig))
                self.assertIn(sig.name, s["cause"])
                self.assertEqual(self.records(sig.name)[-1]["outcome"], "aborted")

    def test_a_signal_that_was_ignored_at_the_start_stays_ignored(self):
        path = self.write("slow.yaml", SLOW.replace("1h", "2s"))
        p = subprocess.Popen(["nohup", common.LOCKSTEP, "--batch", "-q", "--out", self.dir / "out", path],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (self.dir / "out" / "wall.jsonl").exists():
            time.sleep(0.01)
        p.send_signal(signal.SIGHUP)
        self.assertEqual(p.wait(timeout=20), 0)

    def test_two_signals_end_it_too(self):
        p = self.start()
        p.send_signal(signal.SIGINT)
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=10)
        self.assertEqual(p.returncode, 130)

    def test_the_progress_tells_virtual_times_as_they_are_typed(self):
        for duration, pace, typed in (("90s", 2, r"0s|[1-9]\d?0ms|\d+(\.\d?[1-9])?s"),
                                      ("20min", 30, r"0s|[1-9]\d*s|\d+min")):
            pty = terminal.Pty(self, "--batch", "--no-color", "-d", duration, "--pace", pace, "-o", duration, BASELINE)
            pty.wait(rb"  t [\d.]*[1-9]s of .*  t [\d.]*[1-9]s of ")
            os.kill(pty.pid, signal.SIGINT)
            self.assertEqual(pty.end(), 130)
            times = re.findall(r"  t (.*?) of (.*?)(?=  |\r)", pty.data.decode())
            for now, end in times:
                self.assertRegex(now, f"^({typed})$")
                self.assertEqual(end, duration)

    def test_an_aborted_run_is_the_beginning_of_the_whole_one(self):
        large = common.SCENARIOS / "large.yaml"
        duration = "20s" if common.SANITIZED else "40s"
        self.batch(large, "whole", "-q", "--duration", duration)
        p = subprocess.Popen([common.LOCKSTEP, "--batch", "-q", "--duration", duration, "--out", self.dir / "part",
                              large],
                             stderr=subprocess.DEVNULL)
        events = self.dir / "part" / "events.jsonl"
        while not events.exists() or events.stat().st_size < 100000:
            time.sleep(0.001)
        p.send_signal(signal.SIGINT)
        p.wait(timeout=30)
        self.assertEqual(p.returncode, 130)
        lines = self.events("part").splitlines(True)
        self.assertEqual(json.loads(lines[-1])["outcome"], "aborted")
        self.assertTrue(self.events("whole").startswith(b"".join(lines[:-1])))


if __name__ == "__main__":
    common.main()
