"""Back in time: what was shown of a run is shown again, live and of its run folder, and a folder that is not whole opens."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import common
from common import main

UNRECORDED = " wall-clock values are not recorded "
PYTHON_NODES = common.SCENARIOS / "nodes"
LOSSY = """
simulation: {{ duration: {duration}, quantum: 1ms, seed: {seed} }}
network:
  model: latency
  default_latency: 30ms
  default_loss: 0.2
nodes:
  - {{ id: a, type: sensor, config: {{ interval: 70ms }} }}
  - {{ id: b, type: sensor, config: {{ interval: 110ms, destination: gw }} }}
  - {{ id: gw, type: gateway, config: {{ forward_to: top }}{gateway} }}
  - {{ id: top, type: cloud, config: {{ reply: true }} }}
faults:
  - {{ at: 1.5s, node: b, action: pause }}
  - {{ at: 2.1s, node: b, action: resume }}
"""
PROCESS = ', implementation: process, command: [{}, -B, "{}/gateway.py"]'.format(sys.executable, PYTHON_NODES)


class Replay(common.Case):
    def keys(self, arguments, steps, size="120x40", expect=0):
        """Drives the UI; the screens that are saved are returned by their names."""
        script, saved = [], []
        for step in steps:
            if step.startswith("screen "):
                saved.append(step.split()[1])
                step = f"screen {self.dir / saved[-1]}"
            script.append(step)
        path = self.write("steps.keys", "\n".join(script) + "\n")
        self.lockstep(*arguments, "--keys", path, "--size", size, expect=expect)
        return {name: (self.dir / name).read_text() for name in saved}

    def body(self, screen):
        """Without what tells the past from the present: the badge, the status line, the key bar, and why values of the wall clock
        are not there; and without marks of what was active since the screen before."""
        lines = [line.replace(UNRECORDED, "─" * len(UNRECORDED)) for line in screen.splitlines()]
        return [re.sub("[○●]|in the file line [0-9 ]*", "", line) for line in lines[1:-2]] + [re.sub(r"(s\.yaml|folder) +(PAUSED|PAST|REPLAY) +", "", lines[0])]

    maxDiff = None

    def assert_same_screen(self, a, b, what):
        self.assertEqual("\n".join(self.body(a)), "\n".join(self.body(b)), what)

    def moments(self, rng, duration_ms):
        return sorted(rng.sample(range(1, duration_ms), 12))

    def compare(self, scenario):
        """Screens of a run that pauses at random times are those of the same run looked back on, while its nodes wait,
        and of its folder."""
        rng = common.seeded_random()
        times = self.moments(rng, 2900)
        go = lambda ms: ["u", f"type {ms}ms", "Enter"]
        live, seen = ["until PAUSED"], []
        for ms in times:
            live += [*go(ms), f"screen live{ms}", "3", "5", f"screen node{ms}", "Esc"]
        for ms in (back := rng.sample(times[:-1], 8)):
            live += [*go(ms), f"screen past{ms}", "5", f"screen pastnode{ms}", "Esc"]
        live += ["V", "c", "until FINISHED"]
        shown = self.keys([scenario, "--out", self.dir / "folder"], live)
        for ms in back:
            self.assert_same_screen(shown[f"live{ms}"], shown[f"past{ms}"], f"{ms} ms, looked back on")
            self.assert_same_screen(shown[f"node{ms}"], shown[f"pastnode{ms}"], f"{ms} ms, a node")
        replay = ["3"]
        for ms in (order := rng.sample(times, len(times))):
            replay += [*go(ms), f"screen replay{ms}", "5", f"screen replaynode{ms}", "Esc"]
        again = self.keys(["replay", self.dir / "folder"], replay)
        for ms in order:
            self.assert_same_screen(shown[f"live{ms}"], again[f"replay{ms}"], f"{ms} ms, from the folder")
            self.assert_same_screen(shown[f"node{ms}"], again[f"replaynode{ms}"], f"{ms} ms, a node from the folder")

    def test_screens_of_models_are_shown_again(self):
        self.compare(self.write("s.yaml", LOSSY.format(duration="3s", seed=5, gateway="")))

    def test_screens_of_processes_are_shown_again(self):
        self.compare(self.write("s.yaml", LOSSY.format(duration="3s", seed=6, gateway=PROCESS)))

    def test_who_looks_back_leaves_no_trace(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="3s", seed=7, gateway=""))
        self.batch(scenario, "plain", "-q")
        rng = common.seeded_random()
        steps = ["until PAUSED", ".", "."]
        for _ in range(60):
            steps += [rng.choice(["S", ",", "s", ".", "v", "C", "V", "S", ","])]
        self.keys([scenario, "--out", self.dir / "moved"], [*steps, "V", "c", "until FINISHED", "S", ",", "C"])
        self.assert_same_file(self.dir / "plain" / "events.jsonl", self.dir / "moved" / "events.jsonl")

    def test_forward_from_the_past_goes_on_with_the_run(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="3s", seed=7, gateway=""))
        shown = self.keys([scenario, "--out", self.dir / "run"],
                          ["until PAUSED", "u", "type 1s", "Enter", "u", "type -10ms", "Enter", "screen back",
                           "N", "type 10", "Enter", "screen head", "S", "N", "type 5", "Enter", "screen beyond"],
                          expect=130)  # left while it was paused
        self.assertRegex(shown["back"].splitlines()[0], r"PAST +0\.990 000 s")
        self.assertRegex(shown["head"].splitlines()[0], r"PAUSED +1\.000 000 s")
        self.assertRegex(shown["beyond"].splitlines()[0], r"PAUSED +1\.004 000 s")

    def stops(self, shown, prefix, count):
        """Times and selected records of the screens."""
        out = []
        for i in range(count):
            screen = shown[f"{prefix}{i}"]
            time = re.search(r"(PAUSED|PAST|REPLAY|FINISHED) +([0-9. ]+) s", screen.splitlines()[0]).group(2)
            place = re.search(r"2 Events ([0-9,]+) of", screen)
            out.append((time, place and place.group(1)))
        return out

    def test_breakpoints_stop_in_the_past_where_they_stopped_the_run_both_ways(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="8s", seed=5, gateway=""))
        for condition, count in (("kind == drop", 12), ("type == AGGREGATE", 1),
                                 ("count(src == b) >= 9 && src == b && changed(payload.sample_id)", 12), ("2.345s", 1),
                                 ("node.state == paused && src == b", 1), ("src == nobody", 0)):
            with self.subTest(condition=condition):
                out = self.dir / f"run{abs(hash(condition))}"
                live = ["until PAUSED"]
                for i in range(count):
                    live += ["c", "until PAUSED", f"screen live{i}"]
                live += ["c"] if not count else []
                live += [line for i in range(count - 1) for line in ("C", f"screen back{i}")]
                shown = self.keys([scenario, "--out", out, "--break", condition], [*live, "V", "b", "Esc", "a"], expect=None)
                want = self.stops(shown, "live", count)
                self.assertEqual(len(set(want)), count, want)
                self.assertEqual(self.stops(shown, "back", count - 1), want[:-1][::-1])
                self.batch(scenario, out, "-q")
                steps = [line for i in range(count) for line in ("c", f"screen on{i}")]
                steps += [line for i in range(count - 1) for line in ("C", f"screen off{i}")] + ["C", "screen begin"]
                shown = self.keys(["replay", out, "--break", condition], steps)
                self.assertEqual(self.stops(shown, "on", count), want)
                self.assertEqual(self.stops(shown, "off", count - 1), want[:-1][::-1])
                self.assertRegex(shown["begin"].splitlines()[0], r"0\.000 000 s")

    CHATTY = """
import random, sys
rng, count = random.Random({seed}), 0
for line in sys.stdin:
    if line.startswith("INIT"):
        print("READY", flush=True)
    elif line.startswith("ADVANCE"):
        sys.stdin.readline()
        count += 1
        if count % 2 == {odd} and rng.random() < 0.06 and count < 1000:  # going back from the end does not stop there
            sys.stderr.write("half of" if rng.random() < 0.3 else f"alarm {{count}}\\nnothing\\n")
        if count == 900 + {odd}:
            sys.stderr.write(5000 * "x" + " alarm behind a long line\\n")
        sys.stderr.flush()
        print("DONE\\n[]", flush=True)
"""

    def told(self, shown, prefix, count):
        """Times, and what was said of the breakpoint: the line of the log."""
        return [(re.search(r"(?:PAUSED|PAST|REPLAY) +([0-9. ]+) s", shown[f"{prefix}{i}"].splitlines()[0]).group(1),
                 re.search(r"Break 1: .*", self.joined(shown[f"{prefix}{i}"])).group().split("  ")[0]) for i in range(count)]

    def joined(self, screen):
        """Where a word of what is told is too long for what is left of a row it stands on the next."""
        return re.sub(r": *\n +", ": ", screen)

    def test_lines_of_logs_stop_in_the_past_where_they_stopped_the_run_both_ways(self):
        rng, nodes = common.seeded_random(), ""
        for odd, name in enumerate("pq"):  # never at the same barrier: whose line comes first there is up to the machine
            path = self.write(f"{name}.py", self.CHATTY.format(seed=rng.randrange(1000), odd=odd))
            nodes += f"  - {{ id: {name}, type: device, implementation: process, command: [{sys.executable}, -B, {path}] }}\n"
        scenario = self.write("s.yaml", "simulation: { duration: 1s, quantum: 1ms, seed: 1 }\nnodes:\n" + nodes)
        self.batch(scenario, "run", "-q")
        for text in ("log p =~ alarm", "log =~ ^(half of)*alarm.[0-9]*[2-7]$", "hit 4 log =~ 'alarm [0-9]'", "log q =~ long.line",
                     "log =~ nobody says this"):
            with self.subTest(text=text):
                count = {"log q =~ long.line": 1, "log =~ nobody says this": 0}.get(text, 3)
                live = [line for i in range(count) for line in ("c", "until PAUSED", f"screen live{i}")]
                live += [line for i in range(count - 1) for line in ("C", "see PAST", f"screen back{i}")]
                shown = self.keys([scenario, "--out", self.dir / "live", "--break", text], ["until PAUSED", *live], expect=None)
                want = self.told(shown, "live", count)
                self.assertEqual(len({t for t, _ in want}), count, want)
                self.assertEqual(self.told(shown, "back", count - 1), want[:-1][::-1])
                steps = [line for i in range(count) for line in ("c", f"screen on{i}")]
                steps += [line for i in range(count - 1) for line in ("C", f"screen off{i}")] + ["C", "screen begin", "V", "C", "screen last"]
                shown = self.keys(["replay", self.dir / "run", "--break", text], steps)
                self.assertEqual(self.told(shown, "on", count), want)
                self.assertEqual(self.told(shown, "off", count - 1), want[:-1][::-1])
                self.assertRegex(shown["begin"].splitlines()[0], r"0\.000 000 s")
                lines = self.lines_of(text)
                self.assertIn(f"Break 1: {lines[-1]}" if lines else "0.000 000 s", self.joined(shown["last"]))

    def lines_of(self, text):
        """The lines of the logs that match, without their times, in the order in which they came to their ends: a half may have
        come long before."""
        node, regex = re.match(r"(?:hit \d+ )?log (?:(\w+) )?=~ '?(.*?)'?$", text).groups()
        found = []
        for name in "pq":
            for line in (self.dir / "run" / "logs" / f"{name}.log").read_text().splitlines():
                line = re.match(r"\[ *[0-9.]+ s\] (.*)", line).group(1)
                number = re.search(r"alarm (\d+)", line)
                if node in (None, name) and re.search(regex, line):
                    found.append((int(number.group(1)) if number else 900, f"{name}: {line[4096:][:40] or line[:40]}"))
        return [line for _, line in sorted(found)]

    def test_hits_and_steps_stop_in_the_past_as_they_did(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="3s", seed=5, gateway=""))
        for arguments, key in ((["--break", "hit 3 src == a && kind == message"], ["c"]),
                               (["--break", "1.5s"], [":step 2000"])):
            shown = self.keys([scenario, "--out", self.dir / "run", *arguments],
                              ["until PAUSED", *key, "until PAUSED", "screen live"], expect=None)
            self.batch(scenario, "run", "-q")
            again = self.keys(["replay", self.dir / "run", *arguments], [*key, "screen past"])
            self.assertEqual(self.stops({"x0": shown["live"]}, "x", 1)[0][0], self.stops({"x0": again["past"]}, "x", 1)[0][0])

    def test_a_time_behind_the_end_is_never_reached_and_one_at_the_begin_is(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="1s", seed=5, gateway=""))
        self.keys([scenario, "--out", self.dir / "a", "--break", "100s"], ["until PAUSED", "c", "until FINISHED"])
        shown = self.keys([scenario, "--out", self.dir / "b", "--break", "0s", "--run"], ["until PAUSED", "screen begin"])
        self.assertIn("reached 0s", shown["begin"])

    def test_a_run_that_fails_while_somebody_looks_back_is_shown_failed_and_summed_up_as_it_ended(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="3s", seed=5, gateway=""))
        shown = self.keys([scenario, "--out", self.dir / "run"],
                          ["until PAUSED", ":until 1.5s", "1", "type XyS", "see failed at", "screen end"], expect=1)
        self.assertRegex(shown["end"].splitlines()[0], r"FAILED +1\.500 000 s")
        summary = self.summary("run")
        self.assertEqual((summary["virtual_time_us"], summary["quanta"]), (1500000, 1500))
        self.assertIn("--at 1.5s", summary["replay"])
        self.assertEqual({n["state"] for n in summary["nodes"]}, {"failed", "finished"})

    def test_who_leaves_while_looking_back_leaves_the_run(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="3s", seed=5, gateway=""))
        shown = self.keys([scenario, "--out", self.dir / "run"],
                          ["until PAUSED", ":until 1s", "C", "q", "screen asks", "n", "V"], expect=130)
        self.assertIn("End it and quit?", shown["asks"])
        failing = self.write("f.yaml", LOSSY.format(duration="3s", seed=5, gateway="") + "  - { at: 2.5s, node: a, action: kill }\n")
        self.keys([failing, "--out", self.dir / "fails"], ["until PAUSED", "c", "until FAILED", "S", "Ctrl-C"], expect=1)

    def test_with_a_filter_the_selected_event_is_the_one_that_is_viewed(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="8s", seed=5, gateway=""))
        shown = self.keys([scenario, "--out", self.dir / "run"],
                          ["until PAUSED", ":until 6s", "2", ":filter type == AGGREGATE", "v", "screen at"], expect=130)
        self.assertRegex(shown["at"].splitlines()[0], r"PAST +5\.001 000 s")

    def record(self, duration="3s", seed=8):
        self.batch(self.write("s.yaml", LOSSY.format(duration=duration, seed=seed, gateway="")), "whole", "-q")
        return self.dir / "whole"

    def test_a_folder_that_is_cut_anywhere_opens_and_says_what_is_missing(self):
        whole, rng = self.record(), common.seeded_random()
        for name, places in (("history.bin", common.number("CUTS", 12, 6, 130)), ("events.jsonl", 8)):
            size = (whole / name).stat().st_size
            for at in [0, size - 1, *(rng.randrange(size) for _ in range(places))]:
                with self.subTest(name=name, at=at):
                    cut = self.dir / "cut"
                    shutil.copytree(whole, cut)
                    os.truncate(cut / name, at)
                    path = self.write("steps.keys", f"screen {self.dir}/begin\nc\nscreen {self.dir}/end\nS\n,\nC\ns\n.\n")
                    done = subprocess.run([common.LOCKSTEP, "replay", cut, "--keys", path], capture_output=True, text=True,
                                          timeout=60)
                    shutil.rmtree(cut)
                    if name == "events.jsonl" and not at:
                        self.assertEqual(done.returncode, 3, done.stderr)
                        continue
                    first = (whole / name).read_bytes()[:at].find(b"\n") < 0
                    self.assertEqual(done.returncode, 3 if name == "events.jsonl" and first else 0, done.stderr)
                    if done.returncode == 0:
                        text = (self.dir / "begin").read_text() + (self.dir / "end").read_text()
                        self.assertRegex(text, "only the records|before the end of the run|is cut")

    def test_what_a_killed_lockstep_has_recorded_can_be_looked_at(self):
        scenario = self.write("s.yaml", LOSSY.format(duration="1h", seed=9, gateway=""))
        run = subprocess.Popen([common.LOCKSTEP, "-b", "-q", "--pace", "1", "--out", self.dir / "run", scenario])
        events = self.dir / "run" / "events.jsonl"
        end = time.monotonic() + 30
        while not (events.exists() and events.read_bytes().count(b"\n") > 20) and time.monotonic() < end:
            self.assertIsNone(run.poll(), "the run has ended")
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait()
        self.assertGreater(events.read_bytes().count(b"\n"), 20, "a paced run stands still")
        last = json.loads(events.read_bytes().splitlines()[-1])
        shown = self.keys(["replay", self.dir / "run"], ["c", "screen end"])
        self.assertIn("before the end of the run", shown["end"])
        self.assertIn(f"{last['t'] / 1e6:.6f}", shown["end"])

    def test_a_failed_run_says_what_came_last_and_how_to_look_at_it(self):
        text = LOSSY.format(duration="3s", seed=8, gateway="") + "  - { at: 2.5s, node: gw, action: kill }\n"
        out, _ = self.batch(self.write("s.yaml", text), "it's here", expect=1)
        summary, records = self.summary("it's here"), self.records("it's here")
        sent = [r for r in records if r["kind"] == "message" and r["src"] == "gw"]
        came = [r for r in records if r["kind"] == "message" and r["dst"] == "gw" and r.get("due", 1 << 60) <= 2500000]
        self.assertEqual(summary["failed_last_out"], sent[-5:])
        self.assertEqual(summary["failed_last_in"], came[-5:])
        self.assertEqual(summary["failed_quantum"], 2500)
        self.assertIn(summary["replay"], out)
        words = shlex.split(summary["replay"])
        self.assertEqual(words[:2], ["lockstep", "replay"])
        shown = self.keys(words[1:], ["screen at", "S", "screen before"])
        self.assertRegex(shown["at"].splitlines()[0], r"FAILED +2\.500 000 s")
        self.assertRegex(shown["before"].splitlines()[0], r"REPLAY +2\.499 000 s")

    def test_what_is_no_run_is_told(self):
        _, err = self.lockstep("replay", self.dir / "nothing", "--keys", "/dev/null", expect=3)
        self.assertIn("nothing", err)
        self.lockstep("replay", expect=2)
        self.lockstep("replay", self.dir, "--batch", expect=2)
        self.lockstep("replay", self.dir, self.dir, "--keys", "/dev/null", expect=2)


if __name__ == "__main__":
    main()
