"""The libraries for those who write nodes: the C one through tests/nodes/probe.c, the Python file through small
nodes."""
import csv
import hashlib
import json
import random
import re
import subprocess
import sys

import common

sys.path.insert(0, str(common.SOURCE / "tests" / "support"))
from talker import BUILD, C, NODES, PATIENCE, PY, PYTHON, WORDS, Talker, exact

PROBE = [str(BUILD / "lockstep-node-probe")]


def random_json(rng, depth=0):
    kind = rng.randrange(8 if depth < 4 else 6)
    if kind == 0:
        return rng.choice([True, False, None])
    if kind == 1:
        return rng.choice([0, -1, 42, 10 ** 15, -(2 ** 63), 2 ** 63 - 1, 2 ** 63, 10 ** 30])
    if kind == 2:
        return rng.choice([0.5, -0.0, 1e-7, 1e300, 12345.678, rng.gauss(0, 1e6)])
    if kind < 6:
        return "".join(rng.choice("ab\"\\/\n\t\x01\x7f é€😀 {}[],:") for _ in range(rng.randrange(12)))
    if kind == 6:
        return [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(["k", "key", "ü", "", "a\"b"]): random_json(rng, depth + 1) for _ in range(rng.randrange(4))}


class Library(common.Case):
    """The C library, through a node that does what it is asked for."""

    def probe(self, mode=None, *args, **how):
        t = Talker(self, "probe", [*PROBE, *args], **how)
        t.init(7, **({"config": {"mode": mode}} if mode else {}))
        return t

    def ask(self, t, kind, payload):
        """The payload, text, of the one answer to a message."""
        t.grant(t.target + 1000, '[{"time_us":%d,"type":"%s","src":"me","payload":%s}]' % (t.target, kind, payload))
        out, = t.answer()
        return out["payload"]

    def test_payloads_go_through_unchanged_but_for_blanks(self):
        rng = common.seeded_random()
        t = self.probe()
        for _ in range(300):
            value = random_json(rng)
            text = json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]),
                              separators=rng.choice([None, (" , ", "\t: ")])).replace("\n", " ")
            self.assertEqual(self.ask(t, "BACK", text), exact(text))
            self.assertNotRegex(re.sub(r'"(\\.|[^"\\])*"', "", t.raw[:-1]), r"\s")
        t.finish()

    def test_members_are_read_as_python_reads_them(self):
        rng = common.seeded_random()
        t = self.probe()
        for i in range(400):
            value = {"x": 1, "k": random_json(rng)} if i % 10 else random_json(rng)
            got = self.ask(t, "MEMBER", json.dumps(value, ensure_ascii=rng.random() < 0.5))
            k = value.get("k") if isinstance(value, dict) else None
            number = isinstance(k, (int, float)) and not isinstance(k, bool)
            whole = isinstance(k, int) and number and -2 ** 63 <= k < 2 ** 63
            fits = isinstance(k, str) and len(k.encode()) < 64
            want = [exact(json.dumps(k)), "#" + repr(float(k)) if number else None, "#%d" % k if whole else None]
            self.assertEqual(got[:3], want)
            self.assertEqual(got[4:], [k if isinstance(k, bool) else None, k if fits else None])
        t.finish()

    def test_times_are_read_as_the_scenario_writes_them(self):
        t = self.probe()
        for text, want in (('"250ms"', 250000), ('"1.5s"', 1500000), ('"2 min"', 120000000), ("0.25", 250000),
                           ("3", 3000000), ('"7us"', 7), ('"1h"', 3600000000), ('"1.5us"', None),
                           ('"-1s"', None), ('"soon"', None), ("true", None), ("[1]", None), ("-1", None),
                           ('""', None)):
            got = self.ask(t, "MEMBER", '{"k":%s}' % text)[3]
            self.assertEqual(got, None if want is None else "#%d" % want, text)
        t.finish()

    def test_what_is_no_json_is_refused_and_what_is_json_is_taken(self):
        """Random damage to a line; Python's reader, made strict, says what it is."""
        rng = common.seeded_random()
        verdicts = {True: 0, False: 0}
        good = (b'[{"time_us":5,"type":"BACK","src":"me",'
                b'"payload":{"a":[1,-2.5e+3,"\\u00e9\\n",true,null],"b":{}}}]')
        parts = [b"", b" ", b"0", b"1", b"\x00", b"\xff", b"\\", b'"', b",", b"]", b"}", b"e"]
        more = [b" ", b"0", b"-", b"\t", b".", b"\xc3\xa9", b"\xed\xa0\x80", b"NaN", b"[", b"'"]
        for i in range(60 if common.SANITIZED else 250):
            line = bytearray(good)
            for _ in range(rng.randint(0, 2)):
                at = rng.randrange(line.index(b"payload") + 9, len(line))
                if rng.random() < 0.5:
                    line[at:at + 1] = rng.choice(parts)
                else:
                    line[at:at] = rng.choice(more)
            valid = strictly_valid(bytes(line))
            t = self.probe()
            t.grant(1000, bytes(line))
            with self.subTest(line=bytes(line)):
                if valid:
                    t.options(t.hear(), "DONE")
                    t.hear()
                    t.finish()
                else:
                    t.fails("JSON|time_us|type|object")
            verdicts[valid] += 1
        self.assertGreater(verdicts[True], 5)
        self.assertGreater(verdicts[False], 20)

    def test_the_corners_of_json(self):
        t = self.probe()
        for good in ("-0", "0e0", "1E+5", "0.5", '""', r'"\ud83d\ude00"', r'"\ud800"', " [ ] ", '{"":{}}',
                     '"\x7f"', "null"):
            self.assertEqual(self.ask(t, "BACK", good), exact(good))
        for bad in ("01", "-01", "1.", ".5", "1e", "+1", "-", '"\t"', '"\x01"', r'"\x"', r'"\u12g4"', "nul", "truex",
                    '{"a" 1}', "{a:1}", "[1,]", '{"a":1,}', "'a'", "NaN", "[1 2]", "/**/1", "", "0x1", "[", "]",
                    '{"a"}', "\x00"):
            with self.subTest(bad=bad):
                t = self.probe()
                t.grant(1000, '[{"time_us":5,"type":"BACK","src":"me","payload":%s}]' % bad)
                t.fails("no JSON array, at byte")

    def test_json_nests_64_deep_and_no_deeper(self):
        t = self.probe()
        deep = "[" * 62 + "]" * 62  # inside of the message and the array
        self.assertEqual(self.ask(t, "BACK", deep), exact(deep))
        t.grant(t.target + 1000, '[{"time_us":1,"type":"BACK","src":"me","payload":[%s]}]' % deep)
        t.fails("more than 64")

    def test_random_numbers_are_those_of_python(self):
        for name in ("s", "a" * 35, "b" * 36, "c" * 43, "d" * 44, "x_9.y" * 12):  # around a block of the hash
            t = Talker(self, name, PROBE)
            t.init(2 ** 63 - 1)
            seed = hashlib.sha256(f"{name}_{2 ** 63 - 1}".encode()).digest()[:8]
            rng = random.Random(int.from_bytes(seed, "big"))
            for _ in range(700):
                want = ["#" + repr(rng.random()), "#" + repr(rng.gauss(20.0, 2.0))]
                self.assertEqual(self.ask(t, "RANDOM", "1"), want)
            t.finish()

    def test_events_come_in_the_order_of_their_times_and_equal_ones_as_they_came(self):
        t = self.probe("order")
        self.assertEqual(t.next, 1000)
        line = '[{"time_us":%d,"type":"M%d","src":"me","payload":0}]'
        messages = [{"time_us": at, "type": "M%d" % i, "src": "me", "dst": "probe", "payload": 0, "size_bytes": 0}
                    for i, at in enumerate((2500, 2000, 500, 1000, 7000))]
        out = t.advance(2001, messages)
        self.assertEqual([(m["time_us"], m["type"], m["payload"]) for m in out],
                         [("#500", "M2", "#0"), ("#1000", "TIMER", "#0"), ("#1000", "TIMER", "#2"),
                          ("#1000", "M3", "#0"), ("#2000", "TIMER", "#1"), ("#2000", "TIMER", "#3"),
                          ("#2000", "M1", "#0")])
        self.assertEqual(t.next, 2500, "what was handed over early is kept until its time")
        self.assertEqual([m["type"] for m in t.advance(3000, line % (400, 9))], ["M9", "M0"])
        self.assertEqual(t.next, 7000)
        self.assertEqual(t.advance(7000), [])
        self.assertEqual([m["type"] for m in t.advance(7001)], ["M4"])
        self.assertEqual(t.next, 1 << 62)
        t.finish()

    def test_a_node_knows_who_and_when_it_is(self):
        for dialect in ("node", "service"):
            t = Talker(self, "probe", PROBE, dialect=dialect)
            t.init(2 ** 63 - 1)
            words = WORDS[dialect]
            t.grant(900, json.dumps([{words[0]: 300, words[1]: "WHO"}]))
            out, = t.answer()
            self.assertEqual(json.loads(t.raw)[0]["payload"],
                             {"id": "probe", "seed": 2 ** 63 - 1, "now": 300, "target": 900})
            t.finish()
            self.assertIn("a stray line", t.stderr())
            self.assertIn("probe is closed", t.stderr())

    def test_raw_access_gets_every_message_and_says_its_own_next_event(self):
        t = self.probe(None, "raw")
        self.assertEqual(t.next, -1)
        out = t.advance(2000, [{"time_us": at, "type": "X", "src": "a", "dst": "probe", "payload": [at],
                                "size_bytes": 3} for at in (1500, 9000, 10)])
        self.assertEqual([(m["time_us"], m["dst"], m["size_bytes"]) for m in out],
                         [("#1500", "raw", "#3"), ("#9000", "raw", "#3"), ("#10", "raw", "#3")])
        self.assertEqual(t.next, 5000)
        t.advance(5000)
        self.assertEqual(t.next, 1 << 62)
        t.advance(6000)
        self.assertEqual(t.next, -1)
        t.finish()

    def test_what_a_node_does_wrong_is_told_with_a_reason(self):
        for mode, why in (("fail", "^ERROR no coffee left\n"), ("past", "at 999 us is in the past"),
                          ("payload", "not JSON, at byte 1"), ("size", "negative"),
                          ("no destination", "without a destination"), ("no type", "without a type"),
                          ("flood", "more than 100000"), ("long", "longer than 16777216"),
                          ("timers", "1000000 timers")):
            with self.subTest(mode=mode):
                t = self.probe(mode)
                t.grant(2000)
                t.fails(why)
                self.assertIn("probe is closed", t.stderr())
        for mode, why in (("init fails", "no tea"), ("init sends", "before its first ADVANCE")):
            t = Talker(self, "probe", PROBE)
            t.say('INIT probe {"seed": 1, "config": {"mode": "%s"}}\n' % mode)
            t.fails(why)

    def test_metrics_are_in_the_file_when_the_answer_comes(self):
        t = self.probe("metrics")
        t.advance(2000)
        self.assertEqual((self.dir / "probe_metrics.csv").read_bytes(), b"time_us,value\r\n1000,1\r\n")
        t.finish()
        for command in (C["sensor"], PY["sensor"]):
            t = Talker(self, "s", command)
            for done, rows in ((t.init, 1), (lambda: t.advance(1000001), 3), (lambda: t.advance(2000001), 5)):
                done()
                self.assertEqual((self.dir / "s_metrics.csv").read_bytes().count(b"\n"), rows)
            t.finish()

    def test_a_node_ends_when_lockstep_has_gone(self):
        for command in (PROBE, [*PYTHON, str(NODES / "echo.py")]):
            t = Talker(self, "probe", command)
            t.init(1)
            t.reader.close()
            t.process.stdout.close()
            t.process.stdout = None
            t.grant(1000)
            t.grant(2000)
            self.assertIn(t.process.wait(PATIENCE), (0, 1))

    def test_the_library_defines_no_names_but_its_own(self):
        listing = subprocess.run(["nm", "-g", "--defined-only", str(BUILD / "liblockstep_node.a")], capture_output=True,
                                 text=True, check=True).stdout
        names = [m.group(1) for m in re.finditer(r"^\S+ [A-Z] (\S+)$", listing, re.M) if not m.group(1).startswith("_")]
        self.assertGreater(len(names), 20)
        self.assertEqual([n for n in names if not n.startswith("lockstep_")], [])

    def test_the_example_of_the_header_is_a_node(self):
        header = (common.SOURCE / "include" / "lockstep" / "node.h").read_text()
        example = "\n".join(line[7:] for line in header.splitlines()
                            if line.startswith(" *     ") and "$(pkg-config" not in line)
        source = self.write("battery.c", example + "\n")
        command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-I",
                   str(common.SOURCE / "include"), str(source)]
        if common.SANITIZED:  # the library then wants the runtime of the compiler that it was built with
            subprocess.run([*command, "-fsyntax-only"], check=True, timeout=PATIENCE)
            return
        subprocess.run([*command, str(BUILD / "liblockstep_node.a"), "-lm", "-o", str(self.dir / "battery")],
                       check=True, timeout=PATIENCE)
        self.battery([str(self.dir / "battery")])

    def test_the_example_of_the_python_file_is_a_node(self):
        text = (NODES / "lockstep_node.py").read_text()
        example = "\n".join(line[4:] for line in text.split('"""')[1].splitlines()
                            if line.startswith("    ") or not line)
        source = self.write("battery.py", f"import sys\nsys.path.insert(0, {str(NODES)!r})\n{example}\n")
        self.battery([*PYTHON, str(source)])

    def battery(self, command):
        t = Talker(self, "battery", command)
        t.init(1)
        self.assertEqual(t.next, 60000000)
        ping = {"time_us": 60000000, "type": "PING", "src": "me", "dst": "battery", "payload": 1.50,
                "size_bytes": 9}
        out = t.advance(60000001, [ping])
        self.assertEqual([(m["type"], m["dst"], m["size_bytes"]) for m in out],
                         [("BATTERY", "gateway", "#16"), ("PONG", "me", "#16")])
        self.assertEqual(t.next, 120000000)
        t.finish()


def strictly_valid(line):
    """Whether it is RFC 8259 and holds messages with a time and a type."""
    def refuse(_):
        raise ValueError("no JSON")
    try:
        messages = json.loads(line.decode("utf-8"), parse_constant=refuse)
        return isinstance(messages, list) and all(
            isinstance(m, dict) and type(m.get("time_us")) is int and isinstance(m.get("type"), str) for m in messages)
    except ValueError:
        return False


class PythonFile(common.Case):
    """What the Python file does beyond what the examples show."""

    def node(self, body):
        return [*PYTHON, str(self.write("node.py", f"import sys\nsys.path.insert(0, {str(NODES)!r})\n"
                                                   f"from lockstep_node import *\n{body}\n"))]

    def test_raw_access_and_next(self):
        t = Talker(self, "n", self.node(
            "class N(Node):\n"
            "    def advance(self, target, messages):\n"
            "        print('a stray line')\n"
            "        for m in messages: self.send('raw', m.type, [m.time, m.src, m.size, self.now], at=m.time)\n"
            "        if target == 2000: self.next(5000)\n"
            "        if target == 3000: self.next(None)\n"
            "N().run()"))
        t.init()
        self.assertEqual(t.next, -1)
        message = {"time_us": 1500, "type": "X", "src": "a", "dst": "n", "payload": 0, "size_bytes": 3}
        out, = t.advance(2000, [message])
        self.assertEqual((out["time_us"], out["payload"]), ("#1500", ["#1500", "a", "#3", "#0"]))
        self.assertEqual(t.next, 5000)
        t.advance(3000)
        self.assertEqual(t.next, 1 << 62)
        t.advance(4000)
        self.assertEqual(t.next, -1)
        t.finish()
        self.assertIn("a stray line", t.stderr())

    def test_an_exception_is_the_nodes_failure_with_its_traceback(self):
        for line, why in (("1 / 0", "ZeroDivisionError: division by zero"),
                          ("raise NodeError('no\\ntea')", "^ERROR no tea\n"),
                          ("self.send('', 'X')", "without a destination"),
                          ("self.timer(now - 1, self.go)", "in the past"),
                          ("self.send('a', 'X', float('nan'))", "cannot be written as JSON"),
                          ("self.send('a', 'X', {1, 2})", "cannot be written as JSON"),
                          ("for i in range(100001): self.report('X')", "more than 100000"),
                          ("self.report('X', 'x' * (16 << 20))", "longer than 16777216")):
            with self.subTest(line=line):
                t = Talker(self, "n", self.node("class N(Node):\n    def init(self): self.timer(1000, self.go)\n"
                                                f"    def go(self, now):\n        {line}\nN().run()"))
                t.init()
                t.grant(2000)
                t.fails(why)
                self.assertIn("Traceback", t.stderr())

    def test_rows_are_those_of_the_csv_module(self):
        values = [1, 2.5, "a,b", 'say "x"', "", None, "line\nbreak", 1e-7, True]
        t = Talker(self, "n", self.node(f"class N(Node):\n    def init(self):\n        self.metrics('a', 'b')\n"
                                        f"        self.row(*{values!r})\nN().run()"))
        t.init()
        t.finish()
        with open(self.dir / "want.csv", "w", newline="") as f:
            csv.writer(f).writerows([["a", "b"], values])
        self.assert_same_file(self.dir / "want.csv", self.dir / "n_metrics.csv")


if __name__ == "__main__":
    common.main()
