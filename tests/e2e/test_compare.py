"""Runs compared: `diff` of two run folders, `verify` of a scenario, and the JUnit report of a batch run."""
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import common
from common import main

LOSSY = common.SCENARIOS / "latency_loss.yaml"
PACED = """
simulation: { duration: 1h, quantum: 1ms, seed: 1, pace: 1 }
nodes:
  - { id: s, type: sensor }
  - { id: gateway, type: gateway }
"""
# A node whose messages tell what its first argument names.
NODE = r'''
import json, os, sys

what, count = sys.argv[1], 0
if what == "run":  # which run of all it is
    with open(sys.argv[2], "a+") as f:
        f.write("x")
        f.seek(0)
        run = len(f.read())
for line in sys.stdin:
    if line.startswith("INIT"):
        sys.stdout.write("READY\n")
    elif line.startswith("ADVANCE"):
        sys.stdin.readline()
        now, count = int(line.split()[1]), count + 1
        if what == "fail" and now >= 20000:
            sys.stderr.buffer.write(b"\x1b[31m]]> <&\"'> \xff\xfe \xef\xbf\xbe \xe2\x80\xae\nlast line\n")
            sys.stderr.flush()
            os._exit(3)
        value = {"random": os.urandom(8).hex(), "steps": count, "run": what == "run" and run // 3}.get(what, 0)
        sent = []
        if now % 10000 == 0:
            sent = [{"time_us": now - 1, "type": "T", "dst": "gateway", "payload": {"v": value}}]
        next_us = now - now % 10000 + 9999 if now % 10000 < 9999 else now + 9999
        sys.stdout.write('DONE {"next_us": %d}\n%s\n' % (next_us, json.dumps(sent)))
    else:
        break
    sys.stdout.flush()
'''


class Compare(common.Case):
    def node_scenario(self, *acts, fields="", more="", duration="50ms"):
        command = json.dumps([sys.executable, "-B", str(self.write("node.py", NODE)), *map(str, acts)])
        return self.write("node.yaml", f"simulation: {{ duration: {duration}, quantum: 1ms, seed: 1 }}\nnodes:\n"
                          "  - { id: gateway, type: gateway }\n"
                          f"  - {{ id: a, type: x, tier: device, implementation: process, command: {command}, "
                          f"{fields} }}\n{more}")

    def diff(self, *arguments, expect, **options):
        return self.lockstep("diff", *arguments, expect=expect, **options)[0]

    def diff_json(self, a, b, expect=1):
        return json.loads(self.diff("--json", a, b, expect=expect))


def line_of(record):
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


class Diff(Compare):
    def two(self, *options):
        self.batch(LOSSY, "a", "-q", *options)
        shutil.copytree(self.dir / "a", self.dir / "b")
        return self.events("a").decode().splitlines()

    def put(self, lines, out="b"):
        (self.dir / out / "events.jsonl").write_text("".join(line + "\n" for line in lines))

    def test_the_same_runs_are_one_line(self):
        lines = self.two()
        self.batch(LOSSY, "c", "-q", "--no-skip")
        for other in ("b", "c"):
            self.assertEqual(self.diff("a", other, expect=0), f"The same: {len(lines)} records and 3 metrics files\n")
        told = self.diff_json("a", "c", expect=0)
        self.assertEqual((told["same"], told["first"], told["run_differs"], told["metrics_files"]), (True, None, [], 3))

    def test_another_digest_alone_is_a_note(self):
        self.two()
        self.batch(LOSSY, "c", "-q", "--set", "nodes.near.timeouts.step=31s")
        digests = [self.records(out)[0]["digest"][:12] for out in "ac"]
        out = self.diff("a", "c", expect=0).splitlines()
        self.assertEqual(out[0], "Note: the runs differ in digest (A {}, B {})".format(*digests))
        self.assertRegex(out[1], "^The same: ")
        self.assertEqual(self.diff_json("a", "c", expect=0)["run_differs"], ["digest"])

    def test_what_differs_in_the_first_line_is_told_first(self):
        self.batch(LOSSY, "a", "-q")
        self.batch(LOSSY, "b", "-q", "--seed", "8", "--duration", "2500ms", "--quantum", "2ms")
        note = self.diff("a", "b", expect=1).splitlines()[0]
        self.assertRegex(note, r"^Note: the runs differ in seed \(A 7, B 8\), quantum \(A 1ms, B 2ms\), "
                               r"duration \(A 1min, B 2.5s\), digest \(A [0-9a-f]{12}, B [0-9a-f]{12}\)$")

    def test_the_first_record_that_differs_is_found_wherever_it_is(self):
        lines, rng = self.two(), common.seeded_random()
        for case in range(30):
            at, changed = rng.randrange(1, len(lines) - 1), list(lines)
            way = rng.choice(["value", "gone", "put in", "key"])
            if way == "value":
                record = json.loads(lines[at])
                record["t"] += 1
                changed[at] = line_of(record)
            elif way == "key":
                changed[at] = lines[at][:-1] + ',"more":[1]}'
            elif way == "gone":
                del changed[at]
            else:
                changed.insert(at, lines[at])
            self.put(changed)
            told = self.diff_json("a", "b")
            first = next(i for i, (x, y) in enumerate(zip(lines, changed)) if x != y)
            with self.subTest(case=case, way=way, at=at):
                a, b, found = json.loads(lines[first]), json.loads(changed[first]), told["first"]
                self.assertEqual((found["a"], found["b"]), (a, b))
                self.assertEqual((found["record"], found["time_us"], found["quantum"]),
                                 (a["n"], a["t"], a["t"] // 1000))
                self.assertEqual(found["before"], [json.loads(line) for line in lines[max(first - 3, 1):first]])
                top = {key.split(".")[0] for key in found["keys"]}
                self.assertEqual(top, {key for key in {**a, **b} if a.get(key, "-") != b.get(key, "-")})

    def test_both_records_are_shown_with_what_differs_marked(self):
        lines = self.two()
        at = next(i for i, line in enumerate(lines) if i > 50 and '"message"' in line)
        record = json.loads(lines[at])
        record["payload"] = {**record["payload"], "temperature": 99.5, "more.keys": {"x": [1, {"y": 2}]}}
        del record["payload"]["unit"]
        self.put([*lines[:at], line_of(record), *lines[at + 1:]])
        out, was = self.diff("a", "b", expect=1), json.loads(lines[at])
        told = re.search(rf"The first record that differs: {was['n']}, at ([\d.]+)(us|ms|s|min) "
                         rf"\(quantum {was['t'] // 1000}\)\n", out)
        self.assertEqual(round(float(told[1]) * {"us": 1, "ms": 1e3, "s": 1e6, "min": 6e7}[told[2]]), was["t"])
        for text in (*(f"      {line}\n" for line in lines[at - 3:at]), f"    A {lines[at]}\n",
                     f"    B {line_of(record)}\n"):
            self.assertIn(text, out)
        flat = re.sub(" +", " ", out)
        self.assertIn(f" * payload.temperature A {was['payload']['temperature']}\n B 99.5\n", flat)
        self.assertIn(' * payload.unit A "C"\n B (it has none)\n', flat)
        self.assertIn(' * payload.more.keys A (it has none)\n B {"x":[1,{"y":2}]}\n', flat)
        self.assertIn(f' src "{was["src"]}"\n', flat)
        self.assertNotIn("* src", flat)
        self.assertNotIn("sample_id", flat.split("kind")[-1], "a part that is the same was told")

    def test_lists_are_compared_by_place_and_order_alone_is_told(self):
        lines = self.two()
        at = next(i for i, line in enumerate(lines) if '"message"' in line)
        record = json.loads(lines[at])
        for out, payload in (("a", [1, [2, 3], 4]), ("b", [1, [2, 5], 4, None])):
            self.put([*lines[:at], line_of({**record, "payload": payload}), *lines[at + 1:]], out)
        self.assertEqual(self.diff_json("a", "b")["first"]["keys"], ["payload.1.1", "payload.3"])
        self.put([*lines[:at], line_of(dict(reversed(record.items()))), *lines[at + 1:]], "b")
        self.put(lines, "a")
        self.assertEqual(self.diff_json("a", "b")["first"]["keys"], [])
        self.assertIn("The same values, written in another way", self.diff("a", "b", expect=1))

    def test_which_run_is_longer_is_told(self):
        self.batch(LOSSY, "a", "-q")
        self.batch(LOSSY, "b", "-q", "--until", "20s")
        a, b = len(self.events("a").splitlines()), len(self.events("b").splitlines())
        out = self.diff("a", "b", expect=1)
        self.assertIn(f"A a: {a} records, over at 1min (finished); {a - b} records more; longer by 40s\n", out)
        self.assertIn(f"B b: {b} records, over at 20s (until)\n", out)
        self.assertEqual(self.diff_json("a", "b")["first"]["b"]["kind"], "end")
        self.assertIn("look there", out)

    def test_the_command_lines_lead_to_the_record(self):
        lines = self.two()
        os.rename(self.dir / "b", self.dir / "it's b")
        at = next(i for i, line in enumerate(lines) if i > 100 and '"message"' in line)
        changed = lines[at].replace('"TRANSMIT"', '"OTHER"')
        self.assertNotEqual(changed, lines[at])
        self.put([*lines[:at], changed, *lines[at + 1:]], "it's b")
        commands = self.diff("a", "it's b", expect=1).split("To look there:\n")[1].splitlines()
        n, keys = json.loads(lines[at])["n"], self.write("look.keys", f"G\nscreen {self.dir}/screen\n")
        for command, folder in zip(commands, ("a", "it's b")):
            words = shlex.split(command)
            self.assertEqual(words[:3], ["lockstep", "replay", folder])
            self.lockstep(*words[1:], "--keys", keys, "--size", "160x40")
            shown = re.search(r"2 Events (?:[0-9,]+ of )?([0-9,]+)[, ]", (self.dir / "screen").read_text()).group(1)
            count = int(shown.replace(",", ""))
            self.assertGreater(count, n)
            self.assertLess(count, n + 10)

    def test_metrics_files_count_too(self):
        self.two()
        path = self.dir / "b" / "gateway_metrics.csv"
        rows = path.read_bytes().decode().split("\r\n")
        rows[7] = rows[7].replace("process", "procesS")
        path.write_bytes("\r\n".join(rows).encode())
        os.unlink(self.dir / "b" / "far_metrics.csv")
        told = self.diff_json("a", "b")
        self.assertEqual((told["same"], told["first"], told["metrics_files"], told["metrics_differ"]),
                         (False, None, 3, 2))
        self.assertEqual(told["metrics"][1], {"file": "gateway_metrics.csv", "line": 8, "b": rows[7],
                                              "a": rows[7].replace("procesS", "process")})
        out, when = self.diff("a", "b", expect=1), int(rows[7].split(",")[0])
        self.assertIn("2 of 3 metrics files differ, with the same events:\n  far_metrics.csv: only A has it\n", out)
        self.assertIn(f"  gateway_metrics.csv, line 8:\n    A {told['metrics'][1]['a']}\n    B {rows[7]}\n", out)
        self.assertIn(f"lockstep replay b --at {(when // 1000 + 1) / 1000:g}s\n", out)

    def test_a_metrics_file_that_ends_before_the_other_differs(self):
        self.two()
        rows = (self.dir / "a" / "gateway_metrics.csv").read_bytes().splitlines(keepends=True)
        (self.dir / "b" / "gateway_metrics.csv").write_bytes(b"".join(rows[:-1]))
        want = {"file": "gateway_metrics.csv", "line": len(rows), "a": rows[-1].decode().rstrip("\n"), "b": None}
        self.assertEqual(self.diff_json("a", "b")["metrics"], [want])
        self.assertIn("    B (it has nothing here: it ends before)\n", self.diff("a", "b", expect=1))

    def synthetic(self, out, payloads):
        """A run of messages with these payloads."""
        folder = self.dir / out
        folder.mkdir(exist_ok=True)
        with open(folder / "events.jsonl", "w") as f:
            f.write('{"n":0,"t":0,"kind":"run","scenario":"x","digest":"d","seed":1,"quantum":1000,"duration":1000000,'
                    '"nodes":["a"]}\n')
            for n, payload in enumerate(payloads, 1):
                f.write(f'{{"n":{n},"t":{n},"kind":"message","id":{n},"src":"a","dst":"a","type":"T","size":1,'
                        f'"payload":{payload}}}\n')
            f.write(f'{{"n":{len(payloads) + 1},"t":1000000,"kind":"end","outcome":"finished","cause":"","quanta":1000,'
                    '"messages":0,"dropped":0,"in_flight":0}\n')

    def test_places_at_the_edges_of_blocks_are_found(self):
        payloads = ["1" * 40] * 8000
        self.synthetic("a", payloads)
        shutil.copytree(self.dir / "a", self.dir / "b")
        whole, first = self.events("a"), self.events("a").index(b"\n") + 1
        for block in (256 << 10, 512 << 10, 16 << 10):
            for at in range(first + block - 2, first + block + 3):
                with open(self.dir / "b" / "events.jsonl", "r+b") as f:
                    f.seek(at)
                    f.write(b"\n" if whole[at:at + 1] != b"\n" else b"x")
                    f.seek(0)
                    changed = f.read().splitlines()
                found = self.diff_json("a", "b")["first"]
                want = next(i for i, (x, y) in enumerate(zip(whole.splitlines(), changed)) if x != y)
                self.assertEqual(found["record"], want)
                (self.dir / "b" / "events.jsonl").write_bytes(whole)

    def test_huge_records_are_shown_where_they_part(self):
        for size in (100 << 10, 3 << 20):
            texts = ['"' + "x" * size + tail + '"' for tail in ("left side", "right side")]
            self.synthetic("a", [texts[0], '"y"'])
            self.synthetic("b", [texts[1], '"y"'])
            out = self.diff("a", "b", expect=1)
            self.assertIn("The first record that differs: 1, ", out)
            self.assertLess(len(out), 4000)
            if size < 1 << 20:
                self.assertRegex(out, r"A … from byte \d+ on: …x+left side")
                self.assertRegex(out, r"B … from byte \d+ on: …x+right side")
            self.assertEqual(self.diff_json("a", "b")["first"]["record"], 1)

    def test_nothing_that_stands_in_a_run_can_harm_the_terminal(self):
        evil = "\\u001b[31m\u009b\u202e"
        self.synthetic("a", [f'{{"{evil}":"{evil}","k":1}}'] * 3)
        self.synthetic("b", [f'{{"{evil}":"{evil}","k":1}}'] * 2 + [f'{{"{evil}":"{evil} ","k":"\x1b[2J"}}'])
        os.rename(self.dir / "b", self.dir / "b\x1b[1m")
        out = self.diff("a", "b\x1b[1m", expect=1)
        self.assertNotRegex(out, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
        _, err = self.lockstep("diff", "a", "no\x1b[1m", expect=3)
        self.assertNotIn("\x1b", err)

    def measured(self, *arguments):
        """Exit code, what was said, and the most memory, of which some was this program's."""
        with subprocess.Popen([common.LOCKSTEP, "diff", *arguments], cwd=self.dir, stdout=subprocess.PIPE) as p:
            out = p.stdout.read().decode()
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        return p.returncode, out, usage.ru_maxrss

    def test_memory_is_bounded(self):
        self.synthetic("a", ['"' + "z" * 900 + '"'] * 60000)
        shutil.copytree(self.dir / "a", self.dir / "b")
        with open(self.dir / "b" / "events.jsonl", "r+b") as f:
            f.seek(-1000, os.SEEK_END)
            f.write(b"Z")
        code, out, most = self.measured("a", "b")
        self.assertEqual(code, 1)
        self.assertIn("The first record that differs: 60000, ", out)
        if not common.SANITIZED:
            self.assertLess(most - self.measured("--help")[2], 4 << 10)  # KiB; the files have 55 MiB each

    def test_what_is_no_whole_run_is_told(self):
        lines = self.two()
        cases = {"cut off": "".join(line + "\n" for line in lines[:-1]),
                 "is cut off": "".join(line + "\n" for line in lines[:-1]) + lines[-1],
                 "b is cut off": "".join(line + "\n" for line in lines) + '{"n":',
                 "b/events.jsonl does not": "".join(line + "\n" for line in lines[1:]),
                 "does not begin with": "hello\n",
                 "b/events.jsonl does not begin": "", "with the record of a run": lines[0][:40]}
        for words, text in cases.items():
            (self.dir / "b" / "events.jsonl").write_text(text)
            for arguments in (("a", "b"), ("b", "a"), ("--json", "b", "b")):
                out, err = self.lockstep("diff", *arguments, expect=3)
                self.assertEqual(out, "")
                self.assertIn(words, err)
                self.assertEqual(len(err.splitlines()), 1)
        os.unlink(self.dir / "b" / "events.jsonl")
        self.assertIn("is no run folder", self.lockstep("diff", "a", "b", expect=3)[1])
        self.assertIn("nothing", self.lockstep("diff", "nothing", "a", expect=3)[1])
        os.mkfifo(self.dir / "b" / "events.jsonl")
        self.assertIn("no regular file", self.lockstep("diff", "a", "b", expect=3)[1])

    def test_words_that_make_no_sense_are_refused(self):
        for words in ([], ["a"], ["a", "b", "c"], ["--nonsense", "a", "b"], ["-x", "a", "b"], ["--json=1", "a", "b"]):
            self.assertIn("--help", self.lockstep("diff", *words, expect=2)[1])
        self.assertIn("RUN-A RUN-B", self.diff("--help", expect=0))
        self.two()
        with open("/dev/full", "w") as full:
            self.assertEqual(subprocess.run([common.LOCKSTEP, "diff", "a", "b"], cwd=self.dir, stdout=full,
                                            stderr=subprocess.DEVNULL).returncode, 4)


class Verify(Compare):
    def setUp(self):
        super().setUp()
        self.temporary = self.dir / "tmp"
        self.temporary.mkdir()
        self.env = {"TMPDIR": str(self.temporary)}

    def verify(self, *arguments, expect):
        return self.lockstep("verify", *arguments, expect=expect, env=self.env)

    def left(self):
        return sorted(str(path.relative_to(self.temporary)) for path in self.temporary.rglob("*"))

    def kept(self, out):
        folder = pathlib.Path(re.search(r"are kept in (\S+)$", out).group(1))
        self.assertEqual(folder.parent, self.temporary)
        return folder, sorted(name for name in os.listdir(folder) if name.startswith("run"))

    def test_runs_that_are_the_same_leave_nothing(self):
        self.batch(LOSSY, "plain", "-q", "--duration", "20s")
        out, err = self.verify("-n", "4", "--duration", "20s", LOSSY, expect=0)
        self.assertEqual(out.splitlines(), ["run 1 of 4, as it is: finished at 20s",
                                            "run 2 of 4, with --no-skip: the same",
                                            "run 3 of 4, paused and stepped: the same",
                                            "run 4 of 4, as it is: the same",
                                            f"Identical: 4 runs, events.jsonl has SHA-256 "
                                            f"{self.summary('plain')['events_sha256']}"])
        self.assertEqual((err, self.left()), ("", []))
        self.assertEqual(len(self.verify(LOSSY, expect=0)[0].splitlines()), 4)
        self.assertEqual(self.verify("-q", "--runs", "2", LOSSY, expect=0), ("", ""))

    def test_how_many_runs_stands_before_or_behind_the_scenario(self):
        for words in (("-n", "2", LOSSY), (LOSSY, "-n", "2"), (LOSSY, "-n2"), (LOSSY, "--runs", "2")):
            out, _ = self.verify("-d", "1s", *words, expect=0)
            self.assertRegex(out, r"(?m)^Identical: 2 runs,", words)
        for words in (("-n", "2", "verify", LOSSY), ("--seed", "3", "verify", LOSSY)):
            _, err = self.lockstep(*words, expect=2)
            self.assertIn("`verify` stands first: lockstep verify …", err)
        _, err = self.verify("-n", LOSSY, expect=2)
        self.assertIn(f"-n, --runs {LOSSY}: how many runs, from 2 to 1000", err)
        out, _ = self.lockstep("verify", "--help")
        self.assertRegex(out, r"^lockstep verify SCENARIO.yaml ")
        self.assertRegex(out, r"(?m)^  -n, --runs N +how many runs")

    def test_a_condition_ends_each_run_at_the_same_record(self):
        out, _ = self.verify("--until", "count(kind == drop) >= 3", LOSSY, expect=0)
        self.assertRegex(out.splitlines()[0], "until at .*: .*drop")

    def test_chance_in_a_node_is_found_and_two_folders_kept(self):
        out, _ = self.verify(self.node_scenario("random"), expect=1)
        self.assertRegex(out, r"\nrun 2 of 3, with --no-skip: it differs from run 1\nRun 1 \(A\) and run 2 \(B\) "
                              r"differ:\n")
        self.assertIn("* payload.v ", out)
        self.assertRegex(out, "\n2 of 3 runs are not as the first; the two that are shown are kept in ")
        folder, runs = self.kept(out)
        self.assertEqual(runs, ["run1", "run2"])
        self.assertEqual(os.listdir(self.temporary), [folder.name])
        self.assertIn("* payload.v ", self.diff(folder / "run1", folder / "run2", expect=1))
        command = re.search(r"lockstep (replay \S+run2 --at \S+)", out).group(1)
        self.lockstep(*command.split(), "--keys", "/dev/null")
        self.clean(env={**self.env, "DOCKER_HOST": "", "XDG_RUNTIME_DIR": ""}, expect=None)
        self.assertEqual(self.kept(out)[1], ["run1", "run2"], "what is kept is no leftover")

    def test_no_skip_is_one_of_the_ways(self):
        out, _ = self.verify(self.node_scenario("steps"), expect=1)
        self.assertRegex(out, "\n1 of 3 runs is not as the first")
        self.assertIn("run 3 of 3, paused and stepped: the same\n", out)
        folder, runs = self.kept(out)
        skipped = [json.loads((folder / run / "summary.json").read_text())["quanta_skipped"] for run in runs]
        self.assertGreater(skipped[0], 0)
        self.assertEqual((runs, skipped[1]), (["run1", "run2"], 0))

    def test_pausing_and_stepping_is_one_of_the_ways(self):
        out, _ = self.verify(self.node_scenario("run", self.dir / "count"), expect=1)
        folder, runs = self.kept(out)
        self.assertEqual(runs, ["run1", "run3"])
        pauses = [(folder / run / "wall.jsonl").read_text().count('"PAUSED"') for run in runs]
        self.assertEqual(pauses[0], 0)
        self.assertGreaterEqual(pauses[1], 5)  # 50 quanta in steps of 1, 2, 4, …

    def test_runs_that_fail_alike_are_the_same(self):
        out, _ = self.verify(self.node_scenario("fail"), expect=0)
        self.assertRegex(out.splitlines()[0], "^run 1 of 3, as it is: failed at [0-9.]+ms: nodes.1. a: .*exit code 3")
        self.assertEqual(self.left(), [])

    def test_what_cannot_run_has_the_codes_of_batch(self):
        self.assertIn("duration", self.verify(self.write("bad.yaml", "nodes: []\n"), expect=3)[1])
        path = self.node_scenario("x")
        path.write_text(path.read_text().replace(json.dumps(sys.executable), '"./nothing-there"'))
        _, err = self.verify(path, expect=self.lockstep_code("-b", path))
        self.assertIn("nothing-there", err)
        self.assertEqual(self.left(), [])
        _, err = self.lockstep("verify", LOSSY, env={"TMPDIR": str(self.dir / "none")}, expect=4)
        self.assertIn("TMPDIR", err)
        for words in (["-n", "1"], ["-n", "x"], ["--out", "o"], ["--json"], ["-b"], ["--no-skip"], ["--break", "1s"]):
            self.verify(*words, LOSSY, expect=2)
        self.lockstep("-b", "--runs", "3", LOSSY, expect=2)

    def lockstep_code(self, *arguments):
        return subprocess.run([common.LOCKSTEP, *map(str, arguments)], cwd=self.dir, capture_output=True).returncode

    def begin(self, *arguments):
        p = subprocess.Popen([common.LOCKSTEP, "verify", *arguments], cwd=self.dir, env={**os.environ, **self.env},
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (p.poll() is None and p.kill(), p.communicate()))
        end = time.monotonic() + 30
        while not list(self.temporary.glob("*/run1/events.jsonl")) and time.monotonic() < end:
            time.sleep(0.01)
        return p

    def test_signals_end_it_cleanly(self):
        path = self.write("paced.yaml", PACED)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            p = self.begin(path)
            p.send_signal(number)
            _, err = p.communicate(timeout=30)
            self.assertEqual(p.returncode, 128 + number, err)
            self.assertIn("run 1 of 3: aborted", err)
            self.assertEqual(self.left(), [])

    def test_what_a_killed_one_leaves_is_cleaned(self):
        self.leaves_something()
        p = self.begin(self.write("paced.yaml", PACED))
        self.clean(env={**self.env, "DOCKER_HOST": "", "XDG_RUNTIME_DIR": ""}, expect=None)
        self.assertTrue(list(self.temporary.glob("*/run1/events.jsonl")), "it goes on")
        p.kill()
        p.communicate()
        out = self.clean(env={**self.env, "DOCKER_HOST": "", "XDG_RUNTIME_DIR": ""}, expect=None)
        self.assertRegex(out, "removed .*lockstep-verify-")
        self.assertEqual(self.left(), [])


class JUnit(Compare):
    def report(self, path="report.xml"):
        suites = ElementTree.parse(self.dir / path).getroot()
        self.assertEqual(suites.tag, "testsuites")
        suite, = suites
        cases = suite.findall("testcase")
        for part in (suites, suite):
            self.assertEqual(int(part.get("tests")), len(cases))
            for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                self.assertEqual(int(part.get(name)), len(suite.findall(f"testcase/{tag}")), name)
        properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
        return properties, {case.get("name"): case for case in cases}

    def test_each_node_and_the_run_are_test_cases(self):
        self.batch(LOSSY, "out", "-q", "--junit", "report.xml", "--until", "2.5s")
        properties, cases = self.report()
        summary = self.summary("out")
        self.assertEqual(list(cases), ["run", *(n["id"] for n in summary["nodes"])])
        self.assertEqual((properties["seed"], properties["digest"]), (str(summary["seed"]), summary["digest"]))
        self.assertEqual((properties["virtual_time"], properties["outcome"]), ("2.500000", "until"))
        self.assertFalse([case for case in cases.values() if list(case)])
        self.assertEqual(sorted(os.listdir(self.dir)), ["out", "report.xml"])

    def test_a_failure_has_its_cause_and_the_end_of_stderr_as_valid_xml(self):
        self.batch(self.node_scenario("fail"), "out", "-q", "--junit", "report.xml", expect=1)
        _, cases = self.report()
        self.assertFalse(list(cases["gateway"]))
        for name in ("run", "a"):
            failure = cases[name].find("failure")
            self.assertIn("exit code 3", failure.get("message"))
            self.assertIn(failure.get("message"), failure.text)
            self.assertIn("\\x1b[31m]]> <&\"'> \\xff\\xfe \\ufffe \\u202e\nlast line", failure.text)
        self.assertIn(self.summary("out")["cause"], cases["run"].find("failure").text)

    def test_a_node_that_is_left_out_has_failed_and_one_that_was_to_stop_has_not(self):
        stop = "faults: [{ at: 10ms, node: gateway, action: stop }]\n"
        self.batch(self.node_scenario("fail", fields="on_failure: continue", more=stop), "out", "-q", "--junit",
                   "report.xml")
        _, cases = self.report()
        self.assertEqual([name for name, case in cases.items() if list(case)], ["a"])

    def test_names_of_any_kind_are_valid_xml(self):
        path = self.write("s.yaml", LOSSY.read_text().replace("name: latency_loss", 'name: "<&\\"\'>"'))
        self.batch(path, "out", "-q", "--junit", "report.xml")
        self.assertEqual(self.report()[1]["run"].get("classname"), "<&\"'>")

    def test_an_invalid_scenario_and_one_that_cannot_be_launched_are_errors(self):
        self.batch(self.write("bad.yaml", "nodes: []\n"), "out", "--junit", "report.xml", expect=3)
        _, cases = self.report()
        self.assertEqual(list(cases), ["run"])
        self.assertIn("bad.yaml", cases["run"].find("error").text)
        self.write("taken", "")
        self.batch(LOSSY, "taken", "--junit", "report.xml", expect=4)
        _, cases = self.report()
        self.assertIn("taken", cases["run"].find("error").text)
        self.assertTrue(all(case.find("skipped") is not None for name, case in cases.items() if name != "run"))

    def test_an_aborted_run_is_an_error(self):
        p = subprocess.Popen([common.LOCKSTEP, "-b", "-q", "--out", "out", "--junit", "report.xml",
                              self.write("p.yaml", PACED)],
                             cwd=self.dir, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not (self.dir / "out" / "events.jsonl").exists() and time.monotonic() < end:
            time.sleep(0.01)
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(timeout=30), 143)
        self.assertEqual(self.report()[1]["run"].find("error").get("type"), "aborted")

    def test_a_file_that_cannot_be_written_is_told_before_the_run(self):
        os.mkdir(self.dir / "folder")
        for path in ("nowhere/report.xml", "folder", "/dev/null"):
            _, err = self.batch(LOSSY, "out", "--junit", path, expect=4)
            self.assertIn(f"cannot write {path}", err)
            self.assertFalse((self.dir / "out").exists())
        self.lockstep("--junit", "x.xml", "--dry-run", LOSSY, expect=2)
        self.assertTrue(pathlib.Path("/dev/null").is_char_device())

    def test_it_is_written_whole_or_not_at_all(self):
        long = "r" * 250  # the file beside it has too long a name
        self.write(long, "as it was")
        _, err = self.batch(LOSSY, "out", "-q", "--junit", long, expect=4)
        self.assertIn("too long", err)
        self.assertEqual((self.dir / long).read_text(), "as it was")
        self.batch(LOSSY, "out", "-q", "--junit", "report.xml")
        self.batch(LOSSY, "out", "-q", "--junit", "report.xml", "--until", "1s")
        self.assertEqual(self.report()[0]["outcome"], "until")
        self.assertEqual(sorted(os.listdir(self.dir)), sorted(["out", "report.xml", long]))


if __name__ == "__main__":
    main()
