"""lockstep check-node: good nodes pass, and each fault of a node is told with what to do."""
import concurrent.futures
import os
import re
import sys

import common

sys.path.insert(0, str(common.SOURCE / "tests" / "support"))
from talker import C, NODES, STRANGERS, free_port

CASES = STRANGERS / "check_cases.py"
PYTHON = [sys.executable, "-S", "-E", "-B"]  # starts soon, and leaves no __pycache__
GOOD = {**{"%s.py" % name: [*PYTHON, NODES / (name + ".py")] for name in ("sensor", "gateway", "echo")},
        "sensor.c": C["sensor"], "gateway.c": C["gateway"], "counter.sh": ["sh", NODES / "counter.sh"]}

# case: (its check, what is said there: patterns)
FAULTS = {
    "NoFlush": ("READY to INIT", "came +READY", "to do +flush after every answer"),
    "NoFlushOfAnswers": ("ADVANCE without messages", "came +DONE", "flush=True"),
    "NoLineEnd": ("READY to INIT", "came +READY", r"end every line with \\n"),
    "Silent": ("READY to INIT", "came +nothing", "no whole answer to INIT within 4s",
              "answer a line that begins with INIT"),
    "DebugFirst": ("READY to INIT", "came +debug: loading", "stdout is for the protocol alone"),
    "DebugBehindReady": ("nothing behind READY", r"came +debug: \\x1b\]0;OWNED\\x07 ready",
              "print everything else to stderr"),
    "DebugBehindAnswer": ("nothing behind the answer", "came +debug: done", "print everything else to stderr"),
    "AnswersTwice": ("nothing behind the answer", "came +DONE", "answer each request once"),
    "OtherDialect": ("READY to INIT", "exit code 1 before it had answered INIT", "check it with --dialect service"),
    "OtherDialectInMessages": ("ADVANCE with a message", "exit code 1", "set `dialect: service`"),
    "SaysError": ("READY to INIT", r"came +ERROR no licence \\x1b\[31m", r"failed: no licence"),
    "NoEmptyList": ("ADVANCE without messages", r"sent +ADVANCE 1000\n +\[\]", "exit code 1", "the second may be"),
    "PythonText": ("ADVANCE without messages", "is not JSON"),
    "AtTarget": ("times of its messages", "is not before", "keep for the next ADVANCE"),
    "InThePast": ("times of its messages", "time 0 lies before", "virtual time of the event that caused it"),
    "IgnoresShutdown": ("SHUTDOWN ends it", "sent +SHUTDOWN", "runs on", "leave the loop"),
    "EndsWith3": ("SHUTDOWN ends it", "exit code 3", "exit with 0"),
    "IgnoresEndOfInput": ("the end of input ends it", "runs on", "exit when reading gives the end of the input"),
    "LeavesChild": ("no process is left behind", r"1 process was still there .*: python3?[.0-9]* \(\d+\)",
              "end and await"),
    "LeavesDaemon": ("no process is left behind", r"1 process was still there .*: python3?[.0-9]* \(\d+\)", "setsid"),
    "RealTime": ("a quantum of 5 s", "no whole answer to ADVANCE", "without waiting for real time"),
    "NextInThePast": ("next_us is not in the past", "lies before", "when the next event after it is"),
    "NextNotKept": ("next_us is kept", "no message came, and yet", "leaves out the quanta"),
    "NextNull": ("next_us is kept", "next_us was null", "leaves out the quanta"),
    "CountsGrants": ("the same messages when idle quanta are left out", "stepped: at 1000000", "skipped: at 1000000"),
    "Random": ("the same answers from two processes", "first: .*\n +second: ", "one generator seeded"),
    "Pid": ("the same answers from two processes", r'first: +READY {"pid"', "wall clock, pid"),
    "WantsValue": ("payload: an empty object", "exit code 1", "any JSON value"),
    "OnlyAscii": ("payload: text outside ASCII", "exit code 1", "Zürich"),
    "OnlyKnownTypes": ("ADVANCE with a message", "exit code 1",
              "leave alone messages whose type the node does not know"),
    "NoEarlyMessages": ("a message from before the quantum", "exit code 1", "handle it at once"),
    "WholeReads": ("a request that comes in pieces", "read up to the line end"),
    "ShortLines": ("1,000 messages in one quantum", r"exit code 1", "lines of any length", r"… \d+ bytes …"),
    "SmallSeed": ("the largest seed", "exit code 1", "64 bits"),
    "DiesLater": ("100 quanta in a row", "ended by SIGSEGV before it had answered ADVANCE"),
    "ForgetsMessages": ("1,000 messages in one quantum", "exit code 1"),
}
NOTES = {
    "RefusesConfig": ("unknown keys in the config: it does not stand that", "had better be left alone"),
    "OtherSource": ("source of its messages", "'somebody' is not this node"),
    "AnswersShutdown": ("it answers SHUTDOWN",),
    "Slow": ("speed: p50 2", "slow for a quantum", "says next_us"),
    "WithoutNext": ("it does not say next_us", "next_us"),
}


class CheckNode(common.Case):
    def check(self, *command, options=(), expect=0):
        out, err = self.lockstep("check-node", *options, "--", *command, expect=expect, timeout=240)
        self.assertEqual(err, "")
        self.assertNotIn("\x1b", out)
        self.assertRegex(out, r"\n\d+ ok, \d+ failed, \d+ notes?(, \d+ left out)?\n$")
        return out

    def case(self, name, expect):
        return self.check(*PYTHON, CASES, name, options=("--timeout", "4s"), expect=expect)

    def block(self, out, name):
        """The line of a check, with those that belong to it."""
        found = re.search(r"^\S+ +%s(:.*)?\n( {8}.*\n)*" % re.escape(name), out, re.M)
        self.assertIsNotNone(found, f"no check '{name}' in\n{out}")
        return found.group()

    def each(self, names, test):
        """In parallel: most of them wait most of the time."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for name, done in [(name, pool.submit(test, name)) for name in names]:
                with self.subTest(name):
                    done.result()

    def test_each_fault_is_told_with_what_to_do(self):
        def one(name):
            check, *patterns = FAULTS[name]
            out = self.case(name, expect=1)
            block = self.block(out, check)
            self.assertTrue(block.startswith("FAILED"), out)
            for part in ("came", "wrong", "expected", "to do"):
                self.assertRegex(block, f" {part} +\\S")
            for pattern in patterns:
                self.assertRegex(block, pattern)
            before = out[:out.index(block)]
            self.assertNotIn("FAILED", before)

        self.each(FAULTS, one)

    def test_a_fault_fails_no_other_check(self):
        def one(name):
            out = self.case(name, expect=1)
            self.assertEqual(re.findall(r"^FAILED +(.*)", out, re.M), [FAULTS[name][0]], out)

        self.each(("OnlyAscii", "SmallSeed", "EndsWith3", "LeavesChild", "NoEarlyMessages"), one)

    def test_what_need_not_be_is_a_note_and_no_failure(self):
        def one(name):
            out = self.case(name, expect=0)
            self.assertNotIn("FAILED", out)
            notes = "\n".join(re.findall(r"^note .*", out, re.M))
            for pattern in NOTES[name]:
                self.assertRegex(notes, pattern)

        self.each(NOTES, one)

    def assert_good(self, out, notes=()):
        self.assertNotIn("FAILED", out)
        self.assertNotRegex(out, r", \d+ left out\n$")
        self.assertGreater(len(re.findall("^ok ", out, re.M)), 28, out)
        self.assertEqual(re.findall("^note +([^:]*)", out, re.M), [*notes, "speed"], out)

    def test_good_nodes_pass_in_both_dialects(self):
        def one(name):
            for dialect in ("node", "service"):
                self.assert_good(self.check(*GOOD[name], options=("--dialect", dialect)))

        self.each(GOOD, one)

    def test_good_nodes_pass_over_tcp_and_unix_sockets(self):
        def one(name):
            for transport in ("tcp", "unix"):
                self.assert_good(self.check(*GOOD[name], options=("--transport", transport)))

        self.each([name for name in GOOD if name != "counter.sh"], one)

    def test_nodes_of_xedgesim_pass(self):
        def one(name):
            port = free_port()
            out = self.check(*PYTHON, STRANGERS / name, port, options=("--transport", "tcp", "--port", port))
            self.assert_good(out, ["it does not say next_us"])

        self.each(("xedgesim_sensor.py", "xedgesim_gateway.py"), one)

    def test_what_cannot_be_checked_yet_is_left_out_and_said_so(self):
        out = self.case("Silent", expect=1)
        self.assertRegex(out, r"(?m)^note +left out: \d\d checks")
        self.assertEqual(len(re.findall("^FAILED", out, re.M)), 1)

    def test_the_end_of_stderr_is_shown_escaped(self):
        script = self.write("node.sh", r"""i=0; while [ $i -lt 30 ]; do i=$((i + 1)); echo "line $i" >&2; done
printf 'the reason \033[31m\202\n' >&2; exit 7
""")
        out = self.check("sh", script, expect=1)
        self.assertIn("exit code 7 before it had answered INIT", self.block(out, "READY to INIT"))
        self.assertIn("  | line 30\n  | the reason \\x1b[31m\\x82\n", out)
        self.assertNotIn("line 10\n", out)

    def test_a_command_that_cannot_run_or_does_not_listen_is_told(self):
        out = self.check("./no-such-node", expect=1)
        self.assertRegex(self.block(out, "READY to INIT"), r"cannot run './no-such-node': No such file")
        out = self.check(*PYTHON, CASES, "Silent", options=("--transport", "tcp", "--timeout", "1s"), expect=1)
        self.assertRegex(self.block(out, "READY to INIT"),
                                 "ended before there was a connection to 127.0.0.1:(.|\n)*LOCKSTEP_PORT")
        out = self.check("sleep", "60", options=("--transport", "unix", "--timeout", "1s"), expect=1)
        self.assertRegex(self.block(out, "READY to INIT"), "no connection to the Unix socket(.|\n)*LOCKSTEP_SOCKET")

    def test_verbose_shows_the_conversation_escaped(self):
        out = self.check(*PYTHON, CASES, "DebugBehindReady", options=("-v", "--timeout", "4s"), expect=1)
        self.assertIn('  > INIT node {"seed": 42}\n  < READY {"next_us": 100000}\n', out)
        self.assertIn("  < debug: \\x1b]0;OWNED\\x07 ready\n", out)

    def test_bad_usage_ends_with_2_and_says_what_to_write(self):
        for words, why in (((), "no command is given"), (("--transport", "udp", "--", "x"), "stdio, tcp, unix"),
                           (("--port", "5", "--", "x"), "--port goes with --transport tcp"),
                           (("--transport", "tcp", "--port", "70000", "--", "x"), "from 1 to 65535"),
                           (("--timeout", "soon", "--", "x"), "--timeout soon"), (("--dialect",), "needs a value"),
                           (("--what", "--", "x"), "unknown option --what")):
            out, err = self.lockstep("check-node", *words, expect=2)
            self.assertEqual(out, "")
            self.assertIn(why, err)
        out, _ = self.lockstep("check-node", "--help")
        self.assertIn("lockstep check-node [OPTION]... -- COMMAND", out)

    def test_nothing_is_left_of_a_node_that_leaves_a_daemon(self):
        marks = self.dir / "marks"
        marks.mkdir()
        self.lockstep("check-node", "--timeout", "4s", "--", *PYTHON, CASES, "LeavesDaemon", expect=1,
                      env={"TMPDIR": str(marks), "LOCKSTEP_TEST_MARK": str(marks)}, timeout=120)
        self.assertEqual(os.listdir(marks), [])
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/environ" % pid, "rb") as f:
                    self.assertNotIn(b"LOCKSTEP_TEST_MARK=" + str(marks).encode(), f.read())
            except OSError:
                pass  # it has just ended


if __name__ == "__main__":
    common.main()
