"""lockstep check-node: good nodes pass, and each fault of a node is told with what to do."""
import concurrent.futures
import os
import re
import socket
import subprocess
import sys

import common

sys.path.insert(0, str(common.SOURCE / "tests" / "support"))
from talker import BUILD, C, NODES, STRANGERS, free_port

CASES = STRANGERS / "check_cases.py"
PYTHON = [sys.executable, "-S", "-E", "-B"]  # starts soon, and leaves no __pycache__
GOOD = {**{"%s.py" % name: [*PYTHON, NODES / (name + ".py")] for name in ("sensor", "gateway", "echo")},
        "sensor.c": C["sensor"], "gateway.c": C["gateway"], "counter.sh": ["sh", NODES / "counter.sh"]}

# These wait until a limit: a short one, where nothing hangs on the time that their process takes to start.
LIMITS = {"NoFlush": "2s", "NoFlushOfAnswers": "2s", "NoLineEnd": "1s", "Silent": "1s", "RealTime": "2s",
          "NoSecondLine": "1s", "HoldsSecondLine": "2s", "IgnoresShutdown": "2s", "IgnoresEndOfInput": "2s"}
LONG = "20s"
ALONE = ("OnlyAscii", "SmallSeed", "EndsWith3", "LeavesChild", "NoEarlyMessages", "Silent", "DebugInAnswer")

# case: (its check, what is said there: patterns)
FAULTS = {
    "NoFlush": ("READY to INIT", "came +READY", "it came only when the input had ended: flush after every answer"),
    "NoFlushOfAnswers": ("ADVANCE without messages", "came +DONE", "flush=True"),
    "NoLineEnd": ("READY to INIT", "came +READY", r"end every line with \\n"),
    "Silent": ("READY to INIT", "came +nothing", "no whole answer to INIT within 1s",
              "answer a line that begins with INIT", r"stdout to a pipe is buffered, so flush.*fflush\(stdout\)"),
    "DebugFirst": ("READY to INIT", "came +debug: loading", "stdout is for the protocol alone",
              'the line "debug: loading" is no answer: it looks like a debug print; print to stderr instead'),
    "DebugBehindReady": ("nothing behind READY", r"came +debug: \\x1b\]0;OWNED\\x07 ready",
              r'to do +the line "debug: \\x1b\]0;OWNED\\x07 ready" is no answer', "print to stderr instead"),
    "DebugBehindAnswer": ("nothing behind the answer", "came +debug: done", "looks like a debug print"),
    "DebugInAnswer": ("ADVANCE without messages", r'to do +line 2 of what came, "got \\x1b\[1m1", is no answer: it '
              "looks like a debug print; print to stderr instead"),
    "LogLine": ("ADVANCE with a message", r'to do +the line "\[INFO\] got lockstep.check" is no answer: it looks like'),
    "NoSecondLine": ("ADVANCE without messages", "came +DONE\n +wrong", r"DONE came, its second line did not: .* \[\] "
              "if there are none.* flush"),
    "HoldsSecondLine": ("ADVANCE without messages", r"came +DONE.*\n +\[\]", "when the input had ended: flush"),
    "OneLine": ("ADVANCE without messages", r"came +DONE \[\]", "on a line of their own, below DONE"),
    "OneObject": ("ADVANCE without messages", "came +DONE\n +{", "the messages are an array, also where there is one"),
    "Indented": ("ADVANCE without messages", r"came +DONE\n +\[\n", "must stand on one line, without indentation"),
    "NoEmptyArray": ("ADVANCE without messages", "line 2 .* is empty", r"print \[\] where there are no messages"),
    "HalfJson": ("ADVANCE without messages", "a : is missing", "let a JSON library write"),
    "NoObject": ("ADVANCE without messages", "message 1 is no object", r'a message is an object: {"time_us": T'),
    "SaysNaN": ("ADVANCE without messages", "came +DONE\n.*NaN", "NaN and Infinity are no JSON: send null"),
    "SaysInfinity": ("ADVANCE without messages", "came +DONE\n.*-Infinity", "NaN and Infinity are no JSON: send null"),
    "NextNaN": ("READY to INIT", 'came +READY {"next_us": NaN}', "or an object in JSON"),
    "LeavesAfterOne": ("ADVANCE with a message", "exit code 0", "answer in a loop until SHUTDOWN"),
    "Aborts": ("ADVANCE with a message", "ended by SIGABRT before it had answered ADVANCE 2000", "it crashed"),
    "NeedsConfig": ("READY to INIT", r"wrong +config.answer is missing", "give one with --config"),
    "AnswersTwice": ("nothing behind the answer", "came +DONE", "answer each request once"),
    "OtherDialect": ("READY to INIT", "exit code 1 before it had answered INIT", "check it with --dialect service"),
    "OtherDialectInMessages": ("ADVANCE with a message", "exit code 1", "set `dialect: service`"),
    "SaysError": ("READY to INIT", r"came +ERROR no licence \\x1b\[31m", r"wrong +no licence"),
    "NoEmptyList": ("ADVANCE without messages", r"sent +ADVANCE 1000\n +\[\]", "exit code 1", "the second may be"),
    "PythonText": ("ADVANCE without messages", "is not JSON", "Python's own text, not JSON: print.json.dumps"),
    "AtTarget": ("times of its messages", "is not before", "keep for the next ADVANCE"),
    "InThePast": ("times of its messages", "time 0s lies before", "virtual time of the event that caused it"),
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
    "OnlyKnownTypes": ("ADVANCE with a message", "exit code 1", "stderr +File(.|\n)* KeyError: 'lockstep.check'\n",
              "to do +mend what its stderr says",
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
    "Slow": (r"speed: p50 \d\d\.", "slow for a quantum", "says next_us"),
    "WithoutNext": ("it does not say next_us", "next_us"),
}


class CheckNode(common.Case):
    def check(self, *command, options=(), expect=0, env=None):
        out, err = self.lockstep("check-node", *options, "--", *command, expect=expect, timeout=240, env=env)
        self.assertEqual(err, "")
        self.assertNotIn("\x1b", out)
        self.assertRegex(out, r"\n\d+ ok, \d+ failed, \d+ notes?(, \d+ left out)?\n$")
        return out

    def case(self, name, expect):
        return self.check(*PYTHON, CASES, name, options=("--timeout", LIMITS.get(name, LONG)), expect=expect)

    def block(self, out, name):
        """The line of a check, with those that belong to it."""
        found = re.search(r"^\S+ +%s(:.*)?\n( {8}.*\n)*" % re.escape(name), out, re.M)
        self.assertIsNotNone(found, f"no check '{name}' in\n{out}")
        return found.group()

    def each(self, names, test):
        """Side by side: many of them wait most of the time; those first that wait longest."""
        names = sorted(names, key=lambda name: name not in LIMITS)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for name, done in [(name, pool.submit(test, name)) for name in names]:
                with self.subTest(name):
                    done.result()

    def test_each_fault_is_told_with_what_to_do_and_what_cannot_be_checked_yet_is_left_out(self):
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
            if name in ALONE:  # it fails no other check
                self.assertEqual(len(re.findall("^FAILED", out, re.M)), 1, out)
            left_out = re.search(r"(?m)^note +left out: \d\d? checks", out)
            self.assertEqual(bool(left_out), bool(re.search(r", \d+ left out\n$", out)))
            if name == "RealTime":  # what needs seconds of virtual time would take as many of real time
                self.assertIn("2 left out", out)
            if name == "Silent":
                self.assertIn(" 0 ok, 1 failed, 1 note, 26 left out", out.replace("\n", " "))

        rng, count = common.seeded_random(), common.number("FAULTS", 30, 25, len(FAULTS))
        self.each(rng.sample(sorted(FAULTS), count), one)

    def test_silence_after_some_messages_is_not_blamed_on_their_content(self):
        out = self.check(*PYTHON, CASES, "SilentAfterSix", expect=1, options=(
            "--timeout", "2s", "--message", '{"type": "TRANSMIT", "payload": 1}'))
        block = self.block(out, "payload: true")
        self.assertRegex(block, r"wrong +no whole answer to ADVANCE \d+ within 2s, after 6 messages that it answered\n")
        self.assertRegex(block, r"to do +a new process answers this request: look what the node waits for, or has")
        self.assertNotIn("JSON value", out)
        self.assertRegex(out, r"\nok +your message 1 \(TRANSMIT\)")
        self.assertRegex(out, r"(?s)\n\d+ ok, 1 failed, .* left out\n$")
        self.assertNotIn("payload: null", out)

    def test_a_crash_after_some_messages_is_not_blamed_on_their_content(self):
        out = self.check(*PYTHON, CASES, "DiesAtNinth", expect=1)
        block = self.block(out, "payload: nested arrays and objects")
        self.assertRegex(block, r"exit code 1 before it had answered ADVANCE \d+, after 8 messages that it answered\n")
        self.assertRegex(block, r'to do +mend what its stderr says: "no room for a ninth"; a new process answers this '
                         "request: look what the node has kept, or has used up, after 8 messages\n")
        self.assertNotIn("JSON value", out)
        self.assertRegex(out, r"\nok +payload: text outside ASCII\n")

    def test_what_an_error_of_the_node_asks_for_depends_on_what_it_was_sent(self):
        out = self.check(*PYTHON, CASES, "SaysErrorAtMessage", expect=1)
        block = self.block(out, "ADVANCE with a message")
        self.assertRegex(block, r"wrong +KeyError: 'temperature'\n")
        self.assertRegex(block, "to do +the node itself says why; leave alone messages whose type the node does not "
                         "know, whatever their payload; give messages that it understands with --message\n")
        out = self.check(*PYTHON, CASES, "SaysErrorAtMessage", options=("--message", '{"type": "READING"}'), expect=1)
        self.assertRegex(out, r"\nok +your message 1 \(READING\)")
        self.assertNotIn("--config", out)
        self.assertNotIn("--message", out)

    def test_silence_that_comes_of_the_content_is_told_as_that(self):
        out = self.check(*PYTHON, CASES, "SilentAtTrue", expect=1, options=("--timeout", "2s"))
        self.assertRegex(self.block(out, "payload: true"), r"within 2s\n(.*\n)* +to do +a payload may be any JSON value")
        self.assertRegex(out, r"\nok +payload: null\n")

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
        out = self.check(*PYTHON, CASES, "Silent", options=("--transport", "tcp", "--timeout", LONG), expect=1)
        self.assertRegex(self.block(out, "READY to INIT"), "ended before there was a connection to 127.0.0.1:(.|\n)*"
                         "LOCKSTEP_PORT.* if it reads stdin and writes stdout, check it without --transport")
        out = self.check("sleep", "60", options=("--transport", "unix", "--timeout", "1s"), expect=1)
        self.assertRegex(self.block(out, "READY to INIT"), "nothing listens at the Unix socket(.|\n)*LOCKSTEP_SOCKET")

    def test_over_tcp_it_is_told_where_the_node_listens_instead(self):
        def one(name):
            limit = "5s"  # in which its process must have come to listen
            command = ["sleep", "60"] if name == "sleep" else [*PYTHON, CASES, name]
            out = self.check(*command, options=("--transport", "tcp", "--timeout", limit), expect=1)
            return self.block(out, "READY to INIT")

        def sleeps(_):
            self.assertRegex(one("sleep"), r"wrong +nothing listens at 127.0.0.1:(\d+): Connection refused\n(.|\n)*"
                             r"to do +the node must listen at 127.0.0.1 on the port in LOCKSTEP_PORT, \1 here "
                             r"\(the scenario's `port:`\)\n")

        def elsewhere(_):
            self.assertRegex(one("ListensElsewhere"), r"to do +it listens at 127.0.0.1:(\d+) instead: .*LOCKSTEP_PORT.*"
                             r"--port \1, and write `port: \1`")

        def at_six(_):
            block = one("ListensAtSix")
            self.assertRegex(block, r"nothing listens at 127.0.0.1:(\d+)(.|\n)*it listens at \[::1\]:\1 instead: "
                             "the node must listen at 127.0.0.1")
            self.assertNotIn("--port", block)

        def says_nothing(_):
            self.assertRegex(one("Listens"), "came +nothing(.|\n)*over the connection: does the node accept it")

        def taken(_):
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                s.listen()
                port = s.getsockname()[1]
                out = self.check("sleep", "60", options=("--transport", "tcp", "--port", port), expect=1)
            self.assertRegex(out, f"port {port} is taken by process {os.getpid()} (.|\n)*another port: --port N")

        tests = [sleeps, elsewhere, says_nothing, taken]
        if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
            tests.append(at_six)
        self.each(tests, lambda test: test(None))

    def test_a_node_gets_the_config_and_the_messages_that_are_given(self):
        config = self.write("config.json", '{\n  "answer": 42,\n  "exact": 0.10\n}\n')
        for value in ("@%s" % config, '{"answer": 42, "exact": 0.10}'):
            out = self.check(*PYTHON, CASES, "NeedsConfig", options=("-v", "--config", value))
            self.assertNotIn("FAILED", out)
            self.assertIn('  > INIT node {"seed": 42, "config": {"answer":42,"exact":0.10}}\n', out)
            self.assertIn('"config": {"answer":42,"exact":0.10,"lockstep.check": {', out)

    def test_messages_that_are_given_are_sent_and_what_comes_of_them_is_told(self):
        reading = '{"type": "READING", "payload": {"celsius": 2.50}, "time_us": 7}'
        given = ("--message", reading, "--message", '[{"event_type": "SLOW"}, {"type": "OTHER", "payload": 1}]')
        out = self.check(*PYTHON, CASES, "Understands", options=("-v", *given))
        self.assertNotIn("FAILED", out)
        self.assertRegex(out, r'\n  > ADVANCE \d+\n  > \[{"time_us":\d+,"type":"READING","src":"peer","dst":"node",'
                         r'"payload":{"celsius":2.50},"size_bytes":16}\]\n')
        self.assertRegex(out, r"\nok +your message 1 \(READING\): it sends ACK to peer\n")
        self.assertRegex(out, r"\nok +your message 2 \(SLOW\): it sends LATE\\x1b to elsewhere\n")
        self.assertRegex(out, r"\nok +your message 3 \(OTHER\): it sends nothing within 100 ms of virtual time\n")
        self.assertEqual(out.count('"type":"SLOW"'), 1 + 3 + 2)  # alone, among many quanta, and in two processes
        out = self.check(*PYTHON, CASES, "Understands", options=("--message", '{"type": "READING"}'), expect=1)
        block = self.block(out, "your message 1 (READING)")
        self.assertRegex(block, r'FAILED(.|\n)*"payload":null(.|\n)*TypeError(.|\n)*a message that --message gives')
        out = self.check(*PYTHON, CASES, "Understands", options=("--type", "READING"), expect=1)
        self.assertRegex(self.block(out, "ADVANCE with a message"), r'FAILED(.|\n)*"type":"READING"(.|\n)*'
                         "KeyError: 'celsius'(.|\n)*any JSON value")

    def test_a_node_that_only_the_environment_keeps_from_buffering_is_found_out(self):
        command = [sys.executable, "-S", "-B", CASES, "NoFlush"]
        out = self.check(*command, env={"PYTHONUNBUFFERED": "1"})
        self.assertRegex(out, r"\nnote +it does not flush: .*only because PYTHONUNBUFFERED is set here.*flush=True")
        out = self.check(*command, options=("--timeout", "2s"), env={"PYTHONUNBUFFERED": ""}, expect=1)
        self.assertIn("flush after every answer", self.block(out, "READY to INIT"))
        out = self.check(*GOOD["echo.py"][:1], "-S", "-B", *GOOD["echo.py"][-1:], env={"PYTHONUNBUFFERED": "1"})
        self.assertNotIn("it does not flush", out)

    def test_verbose_shows_the_conversation_escaped(self):
        out = self.check(*PYTHON, CASES, "DebugBehindReady", options=("-v", "--timeout", LONG), expect=1)
        self.assertIn('  > INIT node {"seed": 42}\n  < READY {"next_us": 100000}\n', out)
        self.assertIn("  < debug: \\x1b]0;OWNED\\x07 ready\n", out)

    def test_bad_usage_ends_with_2_and_says_what_to_write(self):
        for words, why in (((), "no command is given"), (("--transport", "udp", "--", "x"), "stdio, tcp, unix"),
                           (("--port", "5", "--", "x"), "--port goes with --transport tcp"),
                           (("--transport", "tcp", "--port", "70000", "--", "x"), "from 1 to 65535"),
                           (("--timeout", "soon", "--", "x"), "--timeout soon"), (("--dialect",), "needs a value"),
                           (("--what", "--", "x"), "unknown option --what"),
                           (("--config", "[1]", "--", "x"), "a config is an object"),
                           (("--config", "{a", "--", "x"), "--config {a is not JSON"),
                           (("--config", "@none.json", "--", "x"), "cannot read the file: No such file"),
                           (("--message", "1", "--", "x"), "a message is an object with a type"),
                           (("--message", '[{"type": ""}]', "--", "x"), "a message is an object with a type"),
                           (("--message", '{"type": "A", "playload": 1}', "--", "x"), "a key that is neither"),
                           (("--message", '{"type": "A", "payload": NaN}', "--", "x"), "is not JSON"),
                           (("--type", "", "--", "x"), "a type is a text")):
            out, err = self.lockstep("check-node", *words, expect=2)
            self.assertEqual(out, "")
            self.assertIn(why, err)
        out, _ = self.lockstep("check-node", "--help")
        self.assertIn("lockstep check-node [OPTION]... -- COMMAND", out)

    def test_every_option_stands_in_the_manual_and_in_the_completions(self):
        help_text, _ = self.lockstep("check-node", "--help")
        options = re.findall(r"^  (?:-v, |-h, )?--([a-z]+)", help_text, re.M)
        self.assertEqual(len(options), 9)
        doc = common.SOURCE / "doc"
        section = (doc / "lockstep.1").read_text().split(".Sh CHECKING A NODE")[1].split("\n.Sh ")[0]
        bash = (doc / "completion" / "lockstep.bash").read_text().split("_lockstep_check_node()")[1].split("\n}\n")[0]
        zsh = (doc / "completion" / "_lockstep").read_text().split("return")[0]
        for option in options:
            self.assertRegex(section, r"\n\.It Fl (. , )?-%s\b" % option)
            self.assertRegex(bash, r'options=".*--%s ' % option)
            self.assertRegex(zsh, r"\n +('\*?|.*,)--%s[}\[]" % option)

    def test_the_commands_of_the_page_for_node_writers_work_as_they_stand_there(self):
        if not (BUILD / "cmake_install.cmake").exists():
            self.skipTest("the program is in no build folder that could be installed")
        prefix = self.dir / "prefix"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        folder = prefix / "share" / "lockstep" / "scenarios" / "nodes"
        (package,) = prefix.glob("lib*/**/lockstep-node.pc")
        env = {**os.environ, "PATH": f"{prefix}/bin:{os.environ['PATH']}", "PKG_CONFIG_PATH": str(package.parent)}
        page = (common.SOURCE / "doc" / "nodes.md").read_text()
        commands = re.findall(r"^ {4}((?:lockstep|printf) .*?(?:\\\n.*)?)$", page, re.M)
        self.assertEqual(len(commands), 5)
        if not common.SANITIZED:  # whose library wants the sanitizers' own
            commands += ["cp sensor.c node.c", re.search("`(cc node.c [^`]*)`", page).group(1),
                         "lockstep check-node -- ./node"]
        for command in commands:
            with self.subTest(command):
                done = subprocess.run(["sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True,
                                      timeout=120)
                self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
                self.assertNotIn("FAILED", done.stdout)
                if "TRANSMIT" in command:
                    self.assertIn("your message 1 (TRANSMIT): it sends PROCESS\n", done.stdout)
                if command.startswith("printf"):
                    self.assertRegex(done.stdout, r'^READY .*\nDONE .*\n\[{"time_us":1000000,.*}\]\n$')

    def test_nothing_is_left_of_a_node_that_leaves_a_daemon(self):
        marks = self.dir / "marks"
        marks.mkdir()
        self.lockstep("check-node", "--timeout", LONG, "--", *PYTHON, CASES, "LeavesDaemon", expect=1,
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
