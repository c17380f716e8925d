"""The scripted Renode of tests/support/renode answers as Renode did in the recordings, byte for byte."""
import ast
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import common

sys.path.insert(0, str(common.SOURCE / "tests" / "support" / "renode"))
from playing import FOLDER, GREETING, NINE, PATIENCE, QUIET, Peer, exchanges, labelled, recorded

# What the peer is not asked, and why.
LISTS = "it only lists what Renode has for people at a keyboard"
LOAD = "it tells the load of the machine that it ran on"
KEYS = "a key that only people press"
PYTHON = "scripts in Python are not the driver's"
SYMBOLS = "symbols are not asked for, and the ELF here has none"
LEFT_OUT = {
    "emulation": LISTS, "sysbus.uart0": LISTS, "help": LISTS, "help start": LISTS, "peripherals": LISTS,
    "logLevel": LISTS, "emulation GetTimeSourceInfo": LOAD, "machine ElapsedVirtualTime": LOAD,
    "vers\t": KEYS, 'echo "a\xff\xffb"': "the driver sends no byte 255 in a line",
    'python "print 1+1"': PYTHON, 'python "1/0"': PYTHON, "python \"raise Exception('x')\"": PYTHON,
    'sysbus GetSymbolAddress "main"': SYMBOLS, 'sysbus GetSymbolAddress "nosuch"': SYMBOLS,
    'sysbus Tag <0x40000000,0x40000004> "x" 0x1': "registers are the platform's, not the driver's",
    "Save @/r/r/s.save": "the driver saves no state", "Load @/r/r/s.save": "the driver loads no state",
}
LEFT_OUT_NEXT = {"# tab": 2, "# iac iac in line": 2}  # an exchange with what it left in the line
LEFT_OUT_OF_J = 'emulation RunFor "0.01"'  # in the state that Load made
LEFT_OUT_OF_F = re.compile("SystemBus")  # the driver asks for RunFor and GetTime only; memory is not read that way
LEFT_OUT_LINES = {
    "Ctrl-U": KEYS, "--console": "the monitor is spoken to through its port", "--help": LISTS,
    "SIGKILL": "it is the kernel that ends it", "exit -9": "the end of that",
    "uart b": "how far 1.15.3's UART had come, not the monitor", "RunFor 1ms n=": "a measurement",
    "monitor RunFor while EC idle": "a title", "#": "a title",
}

class Plain:
    """What may differ from a recording: the clock on the wall, and once the emulation has run with it, its own."""

    def __init__(self):
        self.live = False

    def __call__(self, data):
        data = re.sub(rb"(Current real time: )[\d:]+\.\d{9}", rb"\1", data)
        data = re.sub(rb"((?:cpu PC|GetSeed)\n\r0x)[0-9A-F]+\r\r\n\(", rb"\1", data)
        if self.live:
            data = re.sub(rb"(Current virtual time: )[\d:]+\.\d{9}", rb"\1", data)
        return data


class RecordingsTest(common.Case):
    def monitor(self, peer, wire, plain, sent, heard, seconds=PATIENCE):
        if sent.decode("latin-1").rstrip("\n") in LEFT_OUT:
            return
        if sent.startswith(b"start"):
            plain.live = True
        wire.say(peer.here(sent))
        wire.expect(peer.here(heard), sent, plain, seconds)

    def left_out(self, line):
        """What is not played is so for a reason."""
        self.assertTrue(line.startswith(tuple(LEFT_OUT_LINES)), f"not played: {line}")

    def test_a_the_monitor_with_plain_text(self):
        peer, plain = Peer(self), Plain()
        wire = peer.connect()
        for line, sent, heard in exchanges("A-plain.txt"):
            if line.startswith("# close"):
                wire.close()
                wire = peer.connect()
                wire.expect(heard, line)
            elif not sent:
                wire.expect(heard, line)
            else:
                self.monitor(peer, wire, plain, sent, heard.replace(b"<EOF><EOF>", b"<EOF>"))
        peer.ends(0)

    def test_b_run_for_in_all_its_forms_and_what_the_uart_says(self):
        peer, plain, skip, terminal = Peer(self), Plain(), 0, None
        wire = peer.connect()
        for line, sent, heard in exchanges("B-runfor.txt"):
            skip = LEFT_OUT_NEXT.get(line, skip)
            if line.startswith("# UART "):
                output = ast.literal_eval(line.removeprefix("# UART ")) or b""
                terminal.expect(output, line)
                self.assertEqual(terminal.hear(bool, QUIET), b"", "more than was recorded")
            elif line.startswith("# uart input"):
                terminal.say("hello\n")
            elif line.startswith("# Ctrl-C (0x03) during"):
                wire.say('emulation RunFor "2"\n')
            elif line.startswith("# second simultaneous"):
                second = peer.connect()
                self.assertEqual(second.hear(bool, QUIET), b"")
            elif line.startswith("# first closes"):
                wire.close()
                wire = second
                wire.expect(GREETING, line)
            if sent and skip:
                skip -= 1
            elif sent or heard:
                self.monitor(peer, wire, plain, sent, heard.replace(b"<EOF><EOF>", b"<EOF>"))
            if sent.startswith(b"emulation CreateServerSocketTerminal"):
                terminal = peer.connect(12346)
            elif line.startswith("# iac iac"):
                self.monitor(peer, wire, plain, b"\n", b"\n\r(nrf) ")
        peer.ends(0)

    def script(self, name, script, text):
        (self.dir / script).write_text(text)
        first, *rest = exchanges(name)
        words = first[0].split(script, 1)[1].split(" -e ")
        peer = Peer(self, script, *[w for e in words[1:] for w in ("-e", e)])
        wire, plain = peer.connect(), Plain()
        wire.expect(first[2], name)
        for _, sent, heard in rest:
            self.monitor(peer, wire, plain, sent, heard)
        peer.ends(0)

    def test_d_a_script_and_commands_of_the_command_line(self):
        self.script("D-script-and-execute.txt", "nrf.resc", 'mach create "nrf"\n' +
                    f"machine LoadPlatformDescription @{self.dir}/fw/nrf52840.repl\n" +
                    f"sysbus LoadELF @{self.dir}/fw/fw-nrf52840.elf\n")

    def test_d_a_script_stops_at_its_first_error(self):
        self.script("D-script-error.txt", "bad.resc", 'echo "before"\nmach create "nrf"\nsysbus LoadELF @/nope.elf\n'
                    'echo "after"\n')

    def external(self, peer, name):
        """Plays a recording of both ports: its lines are MON, or a label with what was sent, and what was heard."""
        plain, monitor, control, number, label, sent = Plain(), peer.connect(), None, 12350, "", b""
        monitor.hear(lambda data: data.endswith(b") "))
        terminal = second = None
        for line, command, heard in recorded(name):
            request = re.fullmatch(r"(.*?) +>> ([0-9a-f ]*)", line)
            answer = re.fullmatch(r" +<< ([0-9a-f ]*?) ?(b['\"].*)", line)
            if line == "MON":
                if heard.endswith(b"<EOF>"):
                    control.say(b"RE\x01\x08\0\0\0" + (1000).to_bytes(8, "little"))
                    time.sleep(QUIET / 3)
                self.monitor(peer, monitor, plain, command, heard)
                created = re.match(rb'emulation CreateExternalControlServer "\w+" (\d+)', command)
                number = int(created[1]) if created and b"error" not in heard else number
                if b"SocketTerminal" in command:
                    terminal = peer.connect(12346)
            elif request:
                label, sent = request[1], bytes.fromhex(request[2])
                if label == "EC socket on quit" and peer.process.poll() is None:
                    monitor.say("quit\n")
                if label.startswith("2nd client handshake"):
                    second = peer.connect(number)
                elif label == "2nd client after 1st closed":
                    control.close()
                    control = second
                elif not control or label.startswith(("handshake", "reconnect")):
                    if control:
                        control.close()
                    control = peer.connect(number)
            elif answer and LEFT_OUT_OF_F.match(label):
                continue
            elif answer:
                to = second if label == "2nd client handshake while 1st connected" else control
                self.answer(to, plain, label, sent, ast.literal_eval(answer[2]))
            elif line.startswith("TIMING"):
                count, each = (int(re.search(p, line)[1]) for p in (r" n=(\d+)", r"RunFor (\d+)us"))
                self.assertEqual(control.run_for(count * each), b"\x04\x01")
            elif line.startswith("connect after"):
                peer.refuses(number)
            elif line.startswith("UART"):
                terminal.expect(ast.literal_eval(line[5:]), line)
            elif line.startswith("exit"):
                peer.ends(int(line[5:]))
            else:
                self.left_out(line)

    def answer(self, control, plain, label, sent, heard):
        def without_time(data):
            live = plain.live and b"\x03\x02\x08\0\0\0" in data
            return re.sub(rb"(\x03\x02\x08\0\0\0)........", rb"\1", data, flags=re.S) if live else data
        control.say(sent)
        control.expect(heard, label, without_time)

    def test_f_external_control_and_how_it_refuses(self):
        self.external(Peer(self, step_ms=100), "F-external-control.txt")

    def test_f2_events_come_before_the_answer(self):
        self.external(Peer(self, firmware="lamp"), "F2-external-control-events.txt")

    def test_i_version_1_15_3(self):
        peer, plain = Peer(self, version="1.15.3"), Plain()
        wire, control, times = peer.connect(), None, []
        for line, command, heard in recorded("I-v1.15.3.txt"):
            label, data = labelled(line)
            request = re.fullmatch(r"EC (.*) >> ([0-9a-f ]*) << ([0-9a-f ]*)", line)
            if line == "MON":
                self.monitor(peer, wire, plain, command, heard)
            elif label.startswith(("connect,", "2nd connect,")):
                wire.close()
                wire = peer.connect()
                wire.expect(ast.literal_eval(data), label)
            elif label.startswith("send"):
                wire.say(NINE if "9 bytes" in label else b"version\n")
                wire.expect(ast.literal_eval(data), label)
            elif request:
                if "handshake" in request[1]:
                    control = control.close() if control else None
                    control = peer.connect(12350)
                wanted = bytes.fromhex(request[3])
                if request[1] == "GetTime":
                    times += [(control.time(), int.from_bytes(wanted[6:], "little"))]
                else:
                    control.say(bytes.fromhex(request[2]))
                    control.expect(wanted + (b"<EOF>" if wanted[0] == 1 else b""), line)
            elif line.startswith("quit"):
                wire.say("quit\n")
                wire.expect(ast.literal_eval(line[5:]), line)
            elif line.startswith("exit"):
                peer.ends(int(line[5:]))
            else:
                self.left_out(line)
        self.assertEqual([b - a for a, b in zip(*times)], [1000, 1000])

    def test_j_connecting_again_odd_commands_and_ends(self):
        lines = list(recorded("J-misc-1.16.1.txt"))
        peer, plain = Peer(self), Plain()
        wire = peer.connect()
        loaded = False
        while lines:
            line, command, heard = lines.pop(0)
            label, data = labelled(line)
            if line.startswith("SIGKILL"):
                break
            if line == "MON":
                loaded |= command.startswith(b"Load ")
                if not loaded or command.decode().strip() not in (LEFT_OUT_OF_J, "Load @/r/r/s.save"):
                    self.monitor(peer, wire, plain, command, heard)
                continue
            if label.startswith("Ctrl-U"):
                self.left_out(line)
                continue
            if label.startswith("reconnect") and "IAC" not in label:
                if "half" in label:
                    wire.say("half")
                    wire.expect(b"half", label)
                wire.close()
                wire = peer.connect()
            elif "IAC" in label:
                wire.say(NINE + (b"version\n" if "version" in label else b""))
            else:
                wire.say("\n")
            wire.expect(ast.literal_eval(data), label)
        with contextlib.closing(wire):
            self.rest_of_j(lines, peer)

    def rest_of_j(self, lines, busy):
        plain, peer, wire = Plain(), None, None
        for line, command, heard in lines:
            if line.startswith("2nd renode on busy port"):
                done = subprocess.run([FOLDER / "renode", "--plain", "-P", str(busy.ports[12345])], capture_output=True,
                                      timeout=PATIENCE, text=True)
                self.assertEqual(done.returncode, 1)
                self.assertIn("Address already in use", done.stderr)
                peer = Peer(self)
                wire = peer.connect()
                wire.hear(lambda data: data.endswith(b"(monitor) "))
            elif line == "MON":
                self.monitor(peer, wire, plain, command, heard)
            elif line.startswith(("q while", "exit 0")):
                peer.ends(0)
            elif line.startswith("Ctrl-D"):
                peer = Peer(self)
                wire = peer.connect()
                wire.hear(lambda data: data.endswith(b"(monitor) "))
                wire.say(b"\x04")
                wire.expect(ast.literal_eval(line.split(": ", 1)[1]), line)
            elif line.startswith("bad option"):
                code, text = re.fullmatch(r"bad option: rc (\d) stdout (b\".*\") stderr b''", line).groups()
                done = subprocess.run([FOLDER / "renode", "--no-such-option"], capture_output=True, timeout=PATIENCE)
                self.assertEqual((done.returncode, done.stderr), (int(code), b""))
                wanted = ast.literal_eval(text).split(b"  --config")[0]
                self.assertEqual(done.stdout[:len(wanted)], wanted)
            else:
                self.left_out(line)

    def test_j1_a_processor_outside_memory_never_answers_again(self):
        peer, plain = Peer(self), Plain()
        wire = peer.connect()
        wire.hear(lambda data: data.endswith(b"(monitor) "))
        lines = list(recorded("J1-cpu-fault-hang.txt"))
        for _, command, heard in lines[[line for line, _, _ in lines].index("MON"):]:
            self.monitor(peer, wire, plain, command, heard)
            if not heard.endswith(b") "):
                self.assertEqual(wire.hear(bool, QUIET), b"")
        self.assertRegex(peer.text(), r"(?m)^\d\d:\d\d:\d\d\.\d{4} \[ERROR\] cpu: CPU abort \[PC=0x30000000\]: .")
        peer.process.send_signal(signal.SIGTERM)
        peer.ends(-signal.SIGTERM)


class PeerTest(common.Case):
    """What no recording has: the firmware, and all that can be made to go wrong."""

    def ready(self, setup=(), **environment):
        """A board that can run: the peer, its monitor, and its External Control port where there is one."""
        peer = Peer(self, **environment)
        self.monitor = peer.connect()
        self.monitor.say(NINE)
        self.monitor.hear(lambda data: data.endswith(b"(monitor) "))
        self.uart, number = self.dir / f"uart-{peer.process.pid}", peer.ports[12350]
        for line in ['mach create "m"', f"machine LoadPlatformDescription @{self.dir}/fw/nrf52840.repl",
                     f"sysbus LoadELF @{self.dir}/fw/fw-nrf52840.elf",
                     f"sysbus.uart0 CreateFileBackend @{self.uart} true", *setup]:
            self.assertEqual(self.ask(line), "")
        self.control = None
        if not environment.get("version", "").startswith("1.15.0"):
            self.assertEqual(self.ask(f'emulation CreateExternalControlServer "lockstep" {number}'), "")
            self.control = peer.connect(12350)
            self.control.say(b"\2\0\1\0\2\0")
            self.control.expect(b"\5", "handshake")
        return peer

    def ask(self, command):
        """What comes between the echo and the prompt."""
        self.monitor.say(command + "\n")
        got = self.monitor.hear(lambda data: data.endswith((b"(m) ", b"(monitor) ", b"<EOF>"))).decode()
        return re.sub(r"\([^()]*\) $", "", got.removeprefix(command + "\n\r"))

    def write(self, text, uart="uart0"):
        self.assertEqual(self.ask("; ".join(f"sysbus.{uart} WriteChar {c}" for c in text.encode())), "")

    def lines(self):
        return [json.loads(line) for line in self.uart.read_bytes().splitlines() if line.startswith(b"{")]

    def run_for(self, microseconds):
        self.assertEqual(self.control.run_for(microseconds), b"\4\1")

    def test_version_1_15_0_has_no_external_control_server(self):
        peer = self.ready(version="1.15.0")
        command = 'emulation CreateExternalControlServer "lockstep" 1'
        self.assertEqual(self.ask(command), f"There was an error executing command '{command}'\r\nemulation does not "
                         "provide a field, method or property CreateExternalControlServer.\r\n")
        self.assertEqual(self.ask('emulation RunFor "1.5"'), "")
        self.assertEqual(self.lines(), [{"boot": True}, {"t_ms": 1000, "n": 1}])
        self.ask("quit")
        peer.ends(0)

    def test_the_sensor_samples_by_its_seed_and_changes_its_interval(self):
        said = []
        def by_monitor(microseconds):
            return self.ask(f'emulation RunFor "{microseconds / 1e6:.6f}"')
        for seed, way in ((1, self.run_for), (1, by_monitor), (2, self.run_for)):
            self.ready([f"emulation SetSeed {seed}"], firmware="sensor")
            for _ in range(22):
                way(100000)
            self.write('{"type":"SET_INTERVAL","src":"g","dst":"m","payload":{"interval_ms":50},"time":2200000}\n')
            way(100000)
            way(1)
            said.append(self.lines())
        self.assertEqual([m["time"] for m in said[0]], [1000000, 2000000, 2250000, 2300000])
        self.assertEqual({(m["type"], m["dst"]) for m in said[0]}, {("SAMPLE", "gateway")})
        self.assertEqual(said[0], said[1])
        self.assertEqual([m["time"] for m in said[0]], [m["time"] for m in said[2]])
        self.assertNotEqual([m["celsius"] for m in said[0]], [m["celsius"] for m in said[2]])

    def test_each_uart_has_a_behaviour_of_its_own(self):
        other = self.dir / "other"
        self.ready([f"sysbus.uart1 CreateFileBackend @{other} true"], firmware="uart0=sensor,uart1=actuator")
        self.write('{"type":"COMMAND","src":"g","payload":{"state":7}}\n{"type":"OTHER","src":"g"}\n'
                   '{"type":"COMMAND","src":"g","payload":null}\n', "uart1")
        self.run_for(1000001)
        self.assertEqual([m["type"] for m in self.lines()], ["SAMPLE"])
        self.assertEqual(other.read_text(), 'actuator\n{"type":"DONE","dst":"g","time":0,"state":7}\n'
                         '{"type":"REFUSED","dst":"g","time":0,"state":7}\n')

    def test_firmware_of_a_file(self):
        path = self.dir / "blink.py"
        path.write_text("from firmware import Behaviour\nclass Firmware(Behaviour):\n    wake = 5\n"
                        "    def act(self, now):\n"
                        "        self.port.send(b'%d\\n' % now)\n        self.wake = now + 10\n")
        self.ready(firmware=path)
        self.run_for(25)  # what is due at the end of a step is of the next one
        self.assertEqual(self.uart.read_text(), "5\n15\n")

    def test_steps_cut_lines_when_told_to(self):
        texts = []
        for cut in (0, 1):
            self.ready(firmware="sensor", cut=cut)
            ends = []
            for _ in range(300):
                self.run_for(100000)
                ends.append(self.uart.read_bytes()[-1:] in (b"", b"\n"))
            texts.append(self.uart.read_text())
            self.assertEqual(all(ends), not cut)
        self.assertEqual(texts[0][:len(texts[1])], texts[1])

    def test_a_file_backend_does_not_overwrite_and_needs_its_folder(self):
        old = self.dir / "old"
        old.write_text("kept")
        self.ready([f"sysbus.uart0 CreateFileBackend @{old} true", f"sysbus.uart0 CreateFileBackend @{self.dir}/late"])
        command = f"sysbus.uart0 CreateFileBackend @{self.dir}/no/file true"
        self.assertEqual(self.ask(command), f"There was an error executing command '{command}'\r\n"
                         f"Could not find a part of the path '{self.dir}/no/file'.\r\n")
        self.run_for(1000)
        self.assertEqual((old.read_text(), (self.dir / "old.1").read_text()), ("kept", '{"boot":true}\n'))
        self.assertEqual((self.dir / "late").read_bytes(), b"", "it was to be flushed later")

    def test_it_has_a_folder_in_tmpdir_and_deletes_those_of_others(self):
        for name in ("renode-1", "other-1"):
            (self.dir / "tmp" / name).mkdir(parents=True)
        peer = self.ready()
        folder = f"renode-{peer.process.pid}"
        self.assertEqual(sorted(os.listdir(self.dir / "tmp")), ["other-1", folder])
        self.ask("quit")
        peer.ends(0)
        self.assertEqual(os.listdir(self.dir / "tmp"), ["other-1"])

    def test_once_started_the_board_runs_with_the_clock_on_the_wall(self):
        self.ready()
        self.ask("start")
        end = time.monotonic() + PATIENCE
        while not self.uart.read_bytes() and time.monotonic() < end:
            time.sleep(0.01)
        self.ask("pause")
        self.assertEqual(self.lines()[0], {"boot": True})
        now = self.control.time()
        self.assertGreater(now, 0)
        self.run_for(1000)
        self.assertEqual(self.control.time(), now + 1000)

    def test_a_request_beyond_all_bounds_closes_the_port(self):
        peer = self.ready()
        self.control.say(b"RE\1\xff\xff\xff\x7f")
        self.assertEqual(self.control.hear(bool), b"<EOF>")
        peer.refuses(12350)

    def test_slow_sends_each_byte_in_a_segment(self):
        self.ready(fault="slow")
        self.ask("version")
        info = self.monitor.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        received, segments = struct.unpack_from("<Q", info, 128)[0], struct.unpack_from("<I", info, 152)[0]
        self.assertGreater(segments, 0.5 * received)  # the kernel puts some together

    def test_hang_on_either_port_leaves_both_silent(self):
        for fault, good in (("hang=3", 2), ("hang=2500us", 2)):
            peer = self.ready(fault=fault)
            for _ in range(good):
                self.run_for(1000)
            self.control.say(b"RE\1\x08\0\0\0" + (1000).to_bytes(8, "little") + b"RE\2\0\0\0\0")
            self.assertEqual(self.control.hear(bool, QUIET), b"")
            self.monitor.say("version\n")
            self.assertEqual(self.control.hear(bool, QUIET) + self.monitor.hear(bool, QUIET), b"")
            self.assertIn("[ERROR] cpu: CPU abort [PC=0x30000000]: ", peer.text())
            peer.process.terminate()
            peer.ends(-signal.SIGTERM)

    def test_mute_leaves_both_silent_once_it_has_answered(self):
        self.ready(fault="mute=2")
        self.run_for(1000)
        self.run_for(1000)
        time.sleep(QUIET)
        self.control.say(b"RE\2\0\0\0\0")
        self.monitor.say("version\n")
        self.assertEqual(self.control.hear(bool, QUIET) + self.monitor.hear(bool, QUIET), b"")

    def test_close_ends_all_connections_but_not_the_process(self):
        peer = self.ready(fault="close=2")
        self.run_for(1000)
        self.assertEqual(self.control.run_for(1000), b"<EOF>")
        self.assertEqual(self.monitor.hear(bool), b"<EOF>")
        peer.refuses(12345)
        peer.refuses(12350)
        self.assertIsNone(peer.process.poll())

    def test_exit_fatal_fail_drift_and_an_event(self):
        peer = self.ready(fault="exit=3@2")
        self.run_for(1000)
        self.assertEqual(self.control.run_for(1000), b"<EOF>")
        peer.ends(3)
        peer = self.ready(fault="fatal")
        self.control.say(b"RE\1\x08\0\0\0" + (1000).to_bytes(8, "little"))
        self.assertRegex(self.control.hear(lambda data: data.endswith(b"<EOF>")), rb"(?s)^\x01....\w[\w .:]+<EOF>$")
        peer.refuses(12350)
        self.assertEqual(self.ask('echo "x"'), "x\r\r\n")
        self.ready(fault="fail=2")
        self.run_for(1000)
        self.assertRegex(self.control.run_for(1000), rb"(?s)^\x00\x01....Operation is not valid")
        self.run_for(1000)
        self.assertEqual(self.control.time(), 2000)
        self.ready(fault="fail=500us")
        self.assertEqual(self.control.run_for(1000)[:2], b"\0\1")
        self.run_for(1000)  # it comes once
        self.ready(fault="drift=2")
        self.run_for(1000)
        self.assertEqual(self.control.time(), 1000)
        self.run_for(1000)
        self.assertEqual(self.control.time(), 2007)
        self.ready(fault="event")
        self.control.say(b"RE\1\x08\0\0\0" + (1000).to_bytes(8, "little"))
        self.control.expect(b"\6\5\0\0\0\0\x10\0\0\0" + bytes(8) + b"\1" + bytes(7) + b"\4\1", "an event")

    def test_fail_through_the_monitor_is_an_error_of_the_command(self):
        self.ready(fault="fail", version="1.15.0")
        self.assertEqual(self.ask('emulation RunFor "0.001"'), "There was an error executing command 'emulation RunFor "
                         '"0.001"\'\r\nOperation is not valid due to the current state of the object.\r\n')

    def test_it_listens_late_or_never(self):
        for fault in ("no-listen", "late-listen=0.4"):
            peer = Peer(self, fault=fault)
            end = time.monotonic() + 10
            while "[INFO] Loaded" not in peer.text() and time.monotonic() < end:
                time.sleep(0.01)
            peer.refuses(12345)
        peer.connect()

    def test_deaf_ignores_quit_and_sigterm(self):
        peer = self.ready(fault="deaf")
        self.monitor.say("quit\n")
        self.assertEqual(self.monitor.hear(lambda data: data.endswith(b"quitting"), QUIET)[:6], b"quit\n\r")
        peer.process.terminate()
        with self.assertRaises(subprocess.TimeoutExpired):
            peer.process.wait(QUIET)
        peer.process.kill()
        peer.ends(-signal.SIGKILL)

    def test_noise_stands_between_the_lines(self):
        self.ready(fault="noise", firmware="sensor")
        self.run_for(2000001)
        lines = self.uart.read_bytes().split(b"\n")
        self.assertEqual(sum(b"SAMPLE" in line for line in lines), 2)
        self.assertGreater(max(map(len, lines)), 200000)
        self.assertIn(b"\x00\xff\xfe", b"".join(lines))

    def test_a_child_is_left_behind(self):
        peer = self.ready(fault="children")
        child = int(re.search(r"child process (\d+)", peer.text())[1])
        self.addCleanup(os.kill, child, signal.SIGKILL)  # it fails if the child is not there any more
        parent = pathlib.Path(f"/proc/{child}/stat").read_text().split(") ")[1].split()[1]
        self.assertEqual(parent, str(peer.process.pid))
        self.ask("quit")
        peer.ends(0)
        self.assertIn(pathlib.Path(f"/proc/{child}/stat").read_text().split(") ")[1][0], "SR")

    def test_what_the_environment_says_wrong_is_said(self):
        for name, value, why in (("fault", "hnag", "there is no fault 'hnag'"),
                                 ("firmware", "toaster", "'toaster' is no file")):
            peer = Peer(self, **{name: value})
            peer.ends(1)
            self.assertIn(why, peer.text())


if __name__ == "__main__":
    common.main()
