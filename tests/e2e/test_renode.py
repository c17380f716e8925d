"""Nodes that are firmware in Renode. LOCKSTEP_RENODE names a real one (its program); without it they run against a
scripted one (tests/support/renode), and so do always those tests that need a Renode which misbehaves."""
import collections
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import common

REAL = os.environ.get("LOCKSTEP_RENODE")
PEER = common.SOURCE / "tests" / "support" / "renode" / "renode"
FIRMWARE = common.SCENARIOS / "firmware"
MCU = """\
  - id: mcu
    type: device
    implementation: renode
    renode: {renode}
    platform: {platform}
    firmware: {firmware}
    timeouts: {{ start: {start}, step: {step}, stop: 2s }}
{more}"""


class RenodeCase(common.Case):
    program = REAL or PEER

    def setUp(self):
        super().setUp()
        self.tmp = self.dir / "tmp"
        self.tmp.mkdir()

    def mcu(self, firmware="sensor", platform=FIRMWARE / "board.repl", start="60s", step="60s", more="", id="mcu"):
        elf = FIRMWARE / f"{firmware}.elf" if isinstance(firmware, str) else firmware
        return MCU.format(renode=self.program, platform=platform, firmware=elf, start=start, step=step,
                          more=more).replace("id: mcu", f"id: {id}")

    def scenario(self, nodes, duration="3500ms", quantum="10ms", more="", name="s.yaml"):
        return self.write(name, f"simulation: "
                                f"{{ duration: {duration}, quantum: {quantum}, seed: 7 }}\n{more}nodes:\n{nodes}"
                                "  - { id: gateway, type: gateway }\n")

    def run_it(self, path, *args, expect=0, out="out", **env):
        said = self.batch(path, out, *args, expect=expect, env={**env, "TMPDIR": str(self.tmp)}, timeout=120)
        self.assertEqual(os.listdir(self.tmp), [], "left in TMPDIR")
        return said

    def cause(self, out="out"):
        return self.summary(out)["cause"]

    def messages(self, out="out", src="mcu"):
        return [r for r in self.records(out) if r["kind"] in ("message", "local") and r.get("src",
                                                                                            r.get("node")) == src]

    def log(self, out="out", id="mcu"):
        return (self.dir / out / "logs" / f"{id}.log").read_text()


class Running(RenodeCase):
    def test_what_the_firmware_says_are_messages_at_its_own_times(self):
        self.run_it(self.scenario(self.mcu()))
        sent = self.messages()
        self.assertEqual([m["type"] for m in sent], ["SAMPLE"] * 3)
        self.assertEqual([m["dst"] for m in sent], ["gateway"] * 3)
        for i, m in enumerate(sent, 1):
            self.assertEqual(m["t"], m["payload"]["time"])
            self.assertLess(abs(m["t"] - i * 1000000), 10000)

    def test_each_run_gives_the_same_bytes_also_by_the_monitor_alone(self):
        self.run_it(self.scenario(self.mcu()), out="one")
        self.run_it(self.dir / "s.yaml", out="two")
        self.assertEqual(self.events("one"), self.events("two"))
        self.run_it(self.scenario(self.mcu(more="    time_control: monitor\n")), out="three")
        self.assertEqual(self.events("one").splitlines()[1:], self.events("three").splitlines()[1:])

    def test_other_lines_are_in_the_log(self):
        self.run_it(self.scenario(self.mcu()))
        self.assertIn("sensor, seed ", self.log())

    def test_lines_of_every_uart_are_read_and_messages_go_to_the_first(self):
        """On a board with two; what runs on the second is the scripted one's to say."""
        board = (FIRMWARE / "board.repl").read_text()
        two = self.write("two.repl", board + "\nuart1: UART.NRF52840_UART @ sysbus 0x40028000\n    easyDMA: true\n"
                                             "    IRQ -> nvic@40\n")
        boss = "  - { id: boss, type: sensor, config: { destination: mcu, interval: 1s } }\n"
        mcu = self.mcu(platform=two, more="    uarts: [ sysbus.uart1 ]\n")
        self.run_it(self.scenario(mcu + boss), RENODE_PEER_FIRMWARE="uart0=sensor,uart1=echo")
        self.assertRegex(self.log(), r"(?m)sysbus\.uart0: sensor, seed ")
        self.assertEqual([m["type"] for m in self.messages() if m["type"] == "SAMPLE"], ["SAMPLE"] * 3)
        self.run_it(self.dir / "out" / "scenario.yaml", out="again", RENODE_PEER_FIRMWARE="uart0=sensor,uart1=echo")
        self.assertEqual(self.events("out"), self.events("again"))
        if self.program != PEER:
            return
        of_second = [m for m in self.messages() if m["type"] == "UART"]
        self.assertEqual([m["payload"] for m in of_second],
                         [{"boot": True}] + [{"t_ms": 1000 * i, "n": i} for i in range(1, 4)])
        self.assertNotIn('sysbus.uart1: {"echo"', self.log(), "a message to the node was written to the second one")

    def test_a_message_reaches_the_firmware_and_its_answer_the_network(self):
        command = "  - { id: boss, type: sensor, config: { destination: mcu, interval: 1s } }\n"
        self.run_it(self.scenario(self.mcu("actuator") + command))
        self.assertGreater(len(self.records("out")), 3)

    def test_several_run_side_by_side_and_do_not_meet(self):
        nodes = "".join(self.mcu(id=f"mcu{i}") for i in range(4))
        self.run_it(self.scenario(nodes, duration="1500ms"))
        for i in range(4):
            self.assertEqual(len(self.messages(src=f"mcu{i}")), 1)

    def test_one_that_is_started_again_goes_on_at_that_time(self):
        mcu = self.mcu(more="    on_failure: restart\n    restart: { max: 1, backoff: 1ms }\n")
        path = self.scenario(mcu, more="faults: [ { at: 1500ms, node: mcu, action: kill } ]\n")
        for out in ("one", "two"):
            self.run_it(path, out=out)
            states = [(r["t"], r["state"]) for r in self.records(out) if r["kind"] == "node"]
            self.assertEqual(states, [(1500000, "failed"), (1500000, "restarted")])
            times = [round(m["t"] / 100000) for m in self.messages(out)]  # of its second life: a second after its start
            self.assertEqual(times, [10, 25])
        self.assertEqual(self.events("one"), self.events("two"))

    def test_one_that_is_paused_stands_still(self):
        faults = "faults: [ { at: 1500ms, node: mcu, action: pause }, { at: 2200ms, node: mcu, action: resume } ]\n"
        self.run_it(self.scenario(self.mcu(), more=faults))
        self.assertEqual([round(m["t"] / 100000) for m in self.messages()], [10, 27])

    def test_further_commands_are_given_and_their_errors_told(self):
        self.run_it(self.scenario(self.mcu(more="    setup: [ 'version' ]\n")))
        self.assertIn("Renode, version 1.1", self.log())
        self.run_it(self.scenario(self.mcu(more="    setup: [ 'nosuchcommand 1' ]\n")), expect=4, out="bad")
        self.assertIn("Renode refuses 'nosuchcommand 1': No such command or device: nosuchcommand", self.cause("bad"))

    def test_a_bad_platform_is_told_in_renodes_words(self):
        platform = "platforms/no/such.repl"  # not beside the scenario: Renode looks for its own
        self.run_it(self.scenario(self.mcu(platform=platform)), expect=4)
        self.assertIn(f"Renode refuses 'machine LoadPlatformDescription @{platform}': Could not find file "
                      f"'{platform}'.",
                      self.cause())

    def test_a_uart_that_the_board_does_not_have_is_told(self):
        self.run_it(self.scenario(self.mcu(more="    uart: sysbus.nouart\n")), expect=4)
        self.assertRegex(self.cause(), "Renode refuses 'sysbus.nouart CreateFileBackend .*: No such command or device: "
                                       "sysbus.nouart$")

    def test_a_file_that_is_no_elf_is_told(self):
        elf = self.write("bad.elf", "no firmware")
        self.run_it(self.scenario(self.mcu(firmware=elf)), expect=4)
        self.assertIn(f"Renode refuses 'sysbus LoadELF @{elf}'", self.cause())

    def test_the_loop_of_two_boards_gives_the_same_bytes_each_time(self):
        renode = [f"--set=nodes.{id}.renode={self.program}" for id in ("sensor", "actuator")]
        first = None
        for _ in range(common.number("REPEATS", 3, 2, 50)):
            self.run_it(common.SCENARIOS / "renode_loop.yaml", "--duration", "8s", *renode)
            said = self.events("out")
            first = first or said
            self.assertTrue(said == first)
        types = collections.Counter(r["type"] for r in self.records("out") if r["kind"] == "message")
        for type in ("SAMPLE", "COMMAND", "SET_INTERVAL", "DONE"):
            self.assertGreater(types[type], 0, types)

    def test_nothing_is_left_after_a_signal(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
            path = self.scenario(self.mcu(), duration="1h")
            env = {**os.environ, "TMPDIR": str(self.tmp)}
            with subprocess.Popen([common.LOCKSTEP, "-b", "-q", "--no-skip", "-o", self.dir / f"out{code}", path],
                                  env=env) as p:
                wall = self.dir / f"out{code}" / "wall.jsonl"
                limit = time.monotonic() + 60
                while not (wall.exists() and '"RUNNING"' in wall.read_text()) and time.monotonic() < limit:
                    time.sleep(0.05)
                p.send_signal(number)
                self.assertEqual(p.wait(30), code)
            limit = time.monotonic() + 3
            while os.listdir(self.tmp) and time.monotonic() < limit:
                time.sleep(0.05)
            self.assertEqual(os.listdir(self.tmp), [])
            self.assertEqual(subprocess.run(["pgrep", "-f", str(self.tmp)], capture_output=True).stdout, b"")


class Misbehaving(RenodeCase):
    """Against the scripted one alone."""
    program = PEER

    def fault(self, fault, expect=1, nodes=None, **env):
        self.run_it(self.scenario(nodes or self.mcu()), expect=expect, RENODE_PEER_FAULT=fault, **env)
        return self.cause()

    def test_one_that_answers_byte_by_byte_gives_the_same(self):
        self.fault("slow", expect=0)
        slow = self.events("out")
        self.run_it(self.dir / "s.yaml", out="fast")
        self.assertEqual(slow, self.events("fast"))

    def test_older_versions_run_too(self):
        self.run_it(self.scenario(self.mcu()), out="new")
        for version in ("1.15.3", "1.15.0"):
            self.run_it(self.dir / "s.yaml", out=version, RENODE_PEER_VERSION=version)
            self.assertEqual(self.events("new"), self.events(version))

    def test_a_line_that_the_end_of_a_step_cuts_is_one_message(self):
        self.run_it(self.scenario(self.mcu()), out="cut", RENODE_PEER_CUT="1")
        self.assertEqual(len(self.messages("cut")), 3)

    def test_a_crashed_processor_is_told_by_its_log(self):
        cause = self.fault("hang=50", nodes=self.mcu(step="1s"))
        self.assertIn("its processor has crashed: CPU abort [PC=0x30000000]", cause)

    def test_a_line_of_the_log_that_comes_in_pieces_is_seen_whole(self):
        crash = ("its processor has crashed: CPU abort [PC=0x30000000]: Trying to execute code outside RAM or ROM at "
                 "0x30000000.;")
        self.assertIn(crash, self.fault("slow-log,hang=50", nodes=self.mcu(step="1s")))
        self.assertRegex(self.fault("slow-log,close=50", nodes=self.mcu(step="5s")),
                         "its log says: FATAL UNHANDLED EXCEPTION: .*: Cannot access a disposed object.$")

    def test_the_last_words_of_the_firmware_are_in_the_log(self):
        for fault in ("exit=3@50", "close=50", "hang=50", "fatal=50"):
            self.fault("words," + fault, nodes=self.mcu(step="1s"))
            for line in ("last words", '{"type":"LAST"}', "and no"):
                self.assertRegex(self.log(), "(?m)" + re.escape(line) + "$", fault)
            self.assertEqual(self.messages(), [])

    def test_a_line_without_an_end_is_in_the_log(self):
        firmware = self.write("cut.py", "from firmware import Behaviour\nclass Firmware(Behaviour):\n"
                                        "    def boot(self, now):\n        self.port.send(b'{\"no\":1}')\n")
        self.fault("", expect=0, RENODE_PEER_FIRMWARE=str(firmware))
        self.assertRegex(self.log(), '(?m){"no":1}$')
        self.assertEqual(self.messages(), [])

    def refuses_later(self, starts):
        """A Renode that misses its platform at those starts, counted from 1, which is what it refuses then."""
        board = self.write("late.repl", (FIRMWARE / "board.repl").read_text())
        self.stand_in(f"""#!/bin/sh
echo >>{self.dir}/starts; n=$(wc -l <{self.dir}/starts)
case " {starts} " in *" $n "*) rm -f {board} ;; *) cp {FIRMWARE}/board.repl {board} ;; esac
exec {PEER} "$@"
""")
        mcu = self.mcu(platform=board, more="    on_failure: restart\n    restart: { max: 2, backoff: 1ms }\n")
        return self.scenario(mcu, more="faults: [ { at: 1500ms, node: mcu, action: kill } ]\n")

    def test_a_refusal_at_a_restart_is_a_failed_try(self):
        self.run_it(self.refuses_later("2"))
        states = [(r["t"], r["state"]) for r in self.records("out") if r["kind"] == "node"]
        self.assertEqual(states, [(1500000, "failed"), (1500000, "restarted")] * 2)
        self.assertEqual([round(m["t"] / 100000) for m in self.messages()], [10, 25])

    def test_refusals_at_all_restarts_are_a_failed_run(self):
        self.run_it(self.refuses_later("2 3"), expect=1)
        self.assertRegex(self.cause(), "mcu, after 2 restarts: Renode refuses 'machine LoadPlatformDescription")

    def test_a_refusal_at_the_start_ends_the_run_at_once(self):
        self.run_it(self.refuses_later("1"), expect=4)

    def test_times_are_of_the_firmwares_clock_both_ways(self):
        """Whose time passes before it is ready, which stands paused, and which begins anew with a restart."""
        firmware = self.write("clock.py", """from firmware import Sensor
class Firmware(Sensor):
    def message(self, message, now):
        self.say(type="GOT", time=now, at=message["time"])
""")
        faults = "".join(f"  - {{ at: {at}, node: mcu, action: {action} }}\n"
                         for at, action in (("1s", "pause"), ("1500ms", "resume"), ("2s", "kill")))
        boss = "  - { id: boss, type: sensor, config: { destination: mcu, interval: 100ms } }\n"
        mcu = self.mcu(more="    on_failure: restart\n    restart: { max: 1, backoff: 1ms }\n"
                            "    setup: [ 'emulation RunFor \"0.3\"' ]\n")
        self.run_it(self.scenario(mcu + boss, more="faults:\n" + faults), RENODE_PEER_FIRMWARE=str(firmware))
        # a second of the firmware is over 0.7 s after each start
        self.assertEqual([m["t"] for m in self.messages() if m["type"] == "SAMPLE"], [700000, 2700000])
        got = [m for m in self.messages() if m["type"] == "GOT"]
        self.assertGreater(len(got), 20)
        for m in got:
            start, paused = (2000000, 0) if m["t"] >= 2000000 else (0, 500000 if m["t"] >= 1500000 else 0)
            self.assertEqual(m["t"], m["payload"]["time"] + start + paused - 300000)
            self.assertIn(m["payload"]["at"] - m["payload"]["time"], range(10000))

    def test_one_that_closes_its_connection(self):
        self.assertIn("Renode closed its monitor connection before its quantum to 500000 was over; its log says: FATAL "
                      "UNHANDLED EXCEPTION: System.ObjectDisposedException: ", self.fault("close=50"))

    def test_one_that_ends(self):
        self.assertIn("its process ended with exit code 3 before its quantum to 10000 was over; its log says: FATAL "
                      "UNHANDLED EXCEPTION: System.NullReferenceException: ", self.fault("exit=3"))

    def test_a_fatal_answer(self):
        self.assertIn("its External Control port says: ", self.fault("fatal"))

    def test_a_clock_that_differs(self):
        self.assertIn("the clock of its Renode stands at", self.fault("drift"))

    CLOCK = "the clock of its Renode stands at "

    def other(self, at_ms, more=""):
        """A node that ends at that time without being told to."""
        path = self.write("other.py", "import sys\nfor line in sys.stdin:\n"
                          "    word, *rest = line.split()\n"
                          "    if word == 'INIT':\n        print('READY', flush=True)\n"
                          f"    elif word == 'ADVANCE' and int(rest[0]) > {at_ms * 1000}:\n        sys.exit(5)\n"
                          "    elif word == 'ADVANCE':\n        print('DONE\\n[]', flush=True)\n")
        return f"  - {{ id: other, type: device, implementation: process, command: [python3, {path}]{more} }}\n"

    def test_a_clock_that_differs_is_found_where_the_run_ends_early(self):
        for way in ("external", "monitor"):
            mcu = self.mcu(more=f"    time_control: {way}\n")
            self.run_it(self.scenario(mcu), "--until", "1s", expect=1, out=way, RENODE_PEER_FAULT="drift=20")
            self.assertRegex(self.cause(way), f"nodes.0. mcu: {self.CLOCK}1000007 us, and 1000000 us were granted")

    def test_a_clock_that_differs_is_found_at_a_breakpoint(self):
        for way in ("external", "monitor"):
            path, keys = self.scenario(self.mcu(more=f"    time_control: {way}\n")), self.write("keys", "Space\nuntil FAILED\n")
            self.lockstep("--keys", keys, "--size", "100x30", "--break", "500ms", "--out", self.dir / way, path, expect=1,
                          env={"TMPDIR": str(self.tmp), "RENODE_PEER_FAULT": "drift=20"})
            self.assertRegex(self.cause(way), f"nodes.0. mcu: {self.CLOCK}500007 us, and 500000 us were granted")
            self.assertEqual(self.records(way)[-1]["t"], 500000)

    def test_a_clock_that_differs_is_told_beside_the_failure_of_another_node(self):
        cause = self.fault("drift=20", nodes=self.mcu() + self.other(500))
        self.assertRegex(cause, "^nodes.1. other: its process ended with exit code 5 .*; "
                                f"nodes.0. mcu: {self.CLOCK}510007 us")

    def test_a_clock_that_differs_is_found_when_another_node_fails_and_the_run_goes_on(self):
        cause = self.fault("drift=20", nodes=self.mcu() + self.other(500, ", on_failure: continue"))
        self.assertRegex(cause, f"nodes.0. mcu: {self.CLOCK}510007 us")
        states = [(r["t"], r["node"], r["state"]) for r in self.records("out") if r["kind"] == "node"]
        self.assertEqual(states, [(510000, "other", "failed"), (510000, "other", "frozen"), (510000, "mcu", "failed")])

    def test_a_clock_that_differs_is_told_with_the_failure_of_its_own_node(self):
        for way, says in (("external", "its External Control port says: Operation is not valid"),
                          ("monitor", "Renode refuses to run: Operation is not valid")):
            mcu = self.mcu(more=f"    time_control: {way}\n")
            self.assertRegex(self.fault("drift=20,fail=30", nodes=mcu),
                             f"{says}.*; {self.CLOCK}290007 us, and 290000 us")
            cause = self.fault("fail=30", nodes=mcu)
            self.assertIn(says, cause)
            self.assertNotIn(self.CLOCK, cause)

    def test_a_clock_that_differs_is_found_of_a_node_that_is_paused_at_the_end(self):
        path = self.scenario(self.mcu(), more="faults: [ { at: 500ms, node: mcu, action: pause } ]\n")
        self.run_it(path, expect=1, RENODE_PEER_FAULT="drift=20")
        self.assertRegex(self.cause(), f"nodes.0. mcu: {self.CLOCK}500007 us, and 500000 us were granted")

    def test_by_the_monitor_after_the_other_port_has_closed(self):
        self.assertRegex(self.fault("drift=20,fatal=30"), f"its External Control port says: .*; {self.CLOCK}290007 us")

    def test_one_that_does_not_say_its_time_keeps_no_end_waiting(self):
        began = time.monotonic()
        cause = self.fault("mute=50", nodes=self.mcu() + self.other(500))
        self.assertRegex(cause, "^nodes.1. other: its process ended with exit code 5 [^;]*$")
        self.assertRegex(self.fault("fail=50,mute=50"), "its External Control port says: Operation is not valid")
        self.assertLess(time.monotonic() - began, 30, "its step may take 60 s")

    def test_one_that_never_listens(self):
        self.assertIn("Renode's monitor does not listen on port",
                      self.fault("no-listen", expect=4, nodes=self.mcu(start="1s")))

    def stand_in(self, text):
        self.program = self.write("renode", text)
        self.program.chmod(0o755)

    def test_one_that_ends_at_once(self):
        self.stand_in("#!/bin/sh\necho no libraries >&2\nexit 7\n")
        self.run_it(self.scenario(self.mcu()), expect=4)
        self.assertRegex(self.cause(), "Renode, on port [0-9]+: its process ended with exit code 7 while it was "
                                       "started$")
        self.assertEqual(self.summary("out")["failed_stderr"], "no libraries\n")

    def test_one_that_cannot_be_run(self):
        self.stand_in("no program")
        self.run_it(self.scenario(self.mcu()), expect=4)
        self.assertIn(f"cannot run '{self.program}': Exec format error", self.cause())

    def test_one_that_listens_and_never_answers(self):
        self.stand_in(f"""#!{sys.executable}
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[4])))
while connections := [s.accept()]: connections[0][0].recv(1)
""")
        self.run_it(self.scenario(self.mcu(start="1s")), expect=4)
        self.assertIn("Renode has no answer to 'mach create \"mcu\"' within 1 s", self.cause())

    def test_one_that_takes_no_input(self):
        boss = "  - { id: boss, type: sensor, config: { destination: mcu, interval: 1s } }\n"
        cause = self.fault("mute=101", nodes=self.mcu(step="1s") + boss)
        self.assertIn("the 10000 us to 1020000 were not over within 1 s: Renode does not take what is written to its "
                      "UART",
                      cause)

    def test_one_that_does_not_say_its_time(self):
        cause = self.fault("mute=350", nodes=self.mcu(step="1s"))
        self.assertIn("the 10000 us to 3500000 were not over within 1 s: Renode does not say what its clock stands at",
                      cause)

    def test_a_platform_that_cannot_be_understood(self):
        board = self.write("bad.repl", "cpu: CPU.CortexM @ sysbus\n!\n")
        self.run_it(self.scenario(self.mcu(platform=board)), expect=4)
        self.assertIn(f"Renode refuses 'machine LoadPlatformDescription @{board}': Error E00: Syntax error",
                      self.cause())

    def test_one_that_listens_late(self):
        self.fault("late-listen=1", expect=0)

    def test_one_that_does_not_want_to_end_is_ended_and_its_children_with_it(self):
        began = time.monotonic()
        self.fault("deaf,children", expect=0)
        self.assertLess(time.monotonic() - began, 20)
        self.assertNotIn("Disposed", self.log())

    def test_one_is_told_to_quit(self):
        self.fault("", expect=0)
        self.assertIn("mcu: Disposed.", self.log())

    def test_noise_on_the_uart_is_no_message(self):
        self.fault("noise", expect=0)
        self.assertEqual(len(self.messages()), 3)

    def taker(self, times):
        """A Renode whose port is taken by somebody else between its choice and its start, that often. Returns the
        program and what the others heard."""
        heard = []

        def all_of(connection):
            connection.settimeout(10)
            with contextlib.suppress(ConnectionResetError): # which is how it is closed
                return connection.recv(1000)
            return b""

        def take():
            for i in range(times):
                while not (self.dir / f"port{i}").exists() and not over.wait(0.01):
                    pass
                if over.is_set():
                    return
                with socket.create_server(("127.0.0.1", int((self.dir / f"port{i}").read_text()))) as s:
                    s.settimeout(0.01)
                    (self.dir / f"taken{i}").touch()
                    while not (self.dir / f"exited{i}").exists() and not over.is_set():
                        with contextlib.suppress(TimeoutError):
                            connection, _ = s.accept()
                            with connection:
                                heard.append(all_of(connection))
        over = threading.Event()
        thread = threading.Thread(target=take)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(over.set)
        program = self.write("renode", f"""#!/bin/sh
i=0; while [ -e {self.dir}/exited$i ]; do i=$((i + 1)); done
[ $i -ge {times} ] && exec {PEER} "$@"
echo "$4" >{self.dir}/port$i.new; mv {self.dir}/port$i.new {self.dir}/port$i
while [ ! -e {self.dir}/taken$i ]; do sleep 0.01; done
sleep 0.3 # so that it is found who listens there
{PEER} "$@"; code=$?
touch {self.dir}/exited$i
exit $code
""")
        program.chmod(0o755)
        return program, heard

    def test_another_port_is_taken_where_somebody_was_quicker(self):
        self.program, heard = self.taker(2)
        self.run_it(self.scenario(self.mcu()))
        self.assertEqual(len(self.messages()), 3)
        self.assertTrue(all(said == b"" for said in heard), "it has spoken to a stranger")
        self.assertGreater(len(heard), 0, "nobody has connected")
        self.assertEqual(self.log().count("AddressAlreadyInUse"), 2)

    def test_a_port_that_is_always_taken_is_told(self):
        self.program, _ = self.taker(5)
        self.run_it(self.scenario(self.mcu()), expect=4)
        self.assertRegex(self.cause(), "somebody else listens on port [0-9]+: its process ended with exit code 1 while")

    def test_a_port_of_the_scenario_is_not_replaced(self):
        self.program, _ = self.taker(1)
        port = common.free_port()
        self.run_it(self.scenario(self.mcu(more=f"    monitor_port: {port}\n")), expect=4)
        self.assertIn(f"somebody else listens on port {port}: its process ended with exit code 1", self.cause())

    def test_another_external_control_port_is_taken_where_somebody_was_quicker(self):
        self.fault("control-taken=4", expect=0)
        self.assertEqual(len(self.messages()), 3)
        mcu = self.mcu(more="    time_control: external\n")
        self.assertRegex(self.fault("control-taken=9", expect=4, nodes=mcu),
                         "Renode refuses 'emulation CreateExternalControlServer .*: Unable to .*AddressAlreadyInUse")

    def test_a_busy_port_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            _, err = self.batch(self.scenario(self.mcu(more=f"    monitor_port: {port}\n")), "out", expect=3)
            self.assertIn(f"port {port} is in use by process", err)


if __name__ == "__main__":
    if REAL:
        print(f"Renode: {REAL}", flush=True)
    else:
        print("LOCKSTEP_RENODE is not set: no real Renode, the scripted one alone", flush=True)
    common.main()
