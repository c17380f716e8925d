"""The scripted Renode as a test starts it and speaks to it, and the recordings of the real one."""
import ast
import os
import pathlib
import re
import socket
import struct
import subprocess
import time

FOLDER = pathlib.Path(__file__).resolve().parent
TRANSCRIPTS = FOLDER / "transcripts"
GREETING = b"\xff\xfd\x00\xff\xfb\x01\xff\xfb\x03\xff\xfc\""
NINE = bytes.fromhex("fffb00fffd01fffd03")
PATIENCE = 20  # seconds for one answer
QUIET = 0.15  # seconds in which nothing may come
BOARD = """cpu: CPU.CortexM @ sysbus
flash: Memory.MappedMemory @ sysbus 0x00000000
    size: 0x00100000
ram: Memory.MappedMemory @ sysbus 0x20000000
    size: 0x00040000
gpio0: GPIOPort.NRF52840_GPIO @ sysbus 0x50000500
uart0: UART.NRF52840_UART @ sysbus 0x40002000
uart1: UART.NRF52840_UART @ sysbus 0x40028000
"""


def elf():
    """A program of two words: the stack, and where it begins."""
    return (b"\x7fELF\x01\x01\x01" + bytes(9) +
            struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x1d5, 52, 0, 0, 52, 32, 1, 0, 0, 0) +
            struct.pack("<8I", 1, 84, 0, 0, 8, 8, 5, 4) + struct.pack("<II", 0x20010000, 0x1d5))


class Wire:
    """One connection to the peer."""

    def __init__(self, case, port):
        self.case = case
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE / 4)
        self.sock.settimeout(PATIENCE)
        case.addCleanup(self.sock.close)

    def say(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def hear(self, enough, seconds=PATIENCE):
        """What comes until `enough` says so of it, or nothing more does. <EOF> is the end."""
        got, end = b"", time.monotonic() + seconds
        while not enough(got):
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                return got
            except ConnectionResetError:
                data = b""
            got += data or b"<EOF>"
            if not data:
                return got
        return got

    def expect(self, wanted, what, plain=lambda data: data, seconds=PATIENCE):
        got = self.hear(lambda data: plain(data) == plain(wanted), seconds) if wanted else self.hear(bool, QUIET)
        self.case.assertEqual(plain(got), plain(wanted), what)

    def run_for(self, microseconds):
        self.say(b"RE\x01\x08\0\0\0" + microseconds.to_bytes(8, "little"))
        return self.hear(lambda data: len(data) >= 2 and (data[0] == 4 or len(data) > 7))

    def time(self):
        self.say(b"RE\x02\0\0\0\0")
        got = self.hear(lambda data: len(data) >= 14)
        self.case.assertEqual(got[:6], b"\x03\x02\x08\0\0\0")
        return int.from_bytes(got[6:], "little")

    def close(self):
        self.sock.close()


class Peer:
    """A peer in a folder of its own, and ports of its own for those of a recording."""

    def __init__(self, case, *args, **environment):
        self.case, self.dir = case, case.dir
        self.held = [socket.socket() for _ in range(12)]
        for s in self.held:
            s.bind(("127.0.0.1", 0))
        self.ports = {n: s.getsockname()[1] for n, s in zip([*range(12345, 12349), *range(12350, 12358)], self.held)}
        for s in self.held:
            s.close()
        (case.dir / "tmp").mkdir(exist_ok=True)
        (case.dir / "fw").mkdir(exist_ok=True)
        for name in ("nrf52840.repl", "nrf52840-1153.repl"):
            (case.dir / "fw" / name).write_text(BOARD)
        for name in ("fw-nrf52840.elf", "fw-nrf52840-gpio.elf"):
            (case.dir / "fw" / name).write_bytes(elf())
        (case.dir / "fw" / "main.c").write_text("int main(void) { return 0; }\n")
        self.log = open(case.dir / "renode.log", "w+")
        case.addCleanup(self.log.close)
        env = {**os.environ, "TMPDIR": str(case.dir / "tmp")}
        env.update({f"RENODE_PEER_{k.upper()}": str(v) for k, v in environment.items()})
        self.process = subprocess.Popen([FOLDER / "renode", "--disable-xwt", "--plain", "-P", str(self.ports[12345]),
                                         *args], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env,
                                        cwd=case.dir)
        case.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def here(self, data):
        """Bytes of a recording with the folder and the ports that are used here."""
        data = data.replace(b"/r/fw/", str(self.dir / "fw").encode() + b"/").replace(b"/r/r/", b"/tmp/")
        return re.sub(rb"\b123[45]\d\b", lambda m: str(self.ports.get(int(m[0]), m[0].decode())).encode(), data)

    def connect(self, number=12345):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return Wire(self.case, self.ports[number])
            except (ConnectionRefusedError, TimeoutError):
                self.case.assertIsNone(self.process.poll(), self.text())
                self.case.assertLess(time.monotonic(), end, "it does not listen")
                time.sleep(0.01)

    def refuses(self, number):
        with self.case.assertRaises(ConnectionRefusedError):
            Wire(self.case, self.ports[number])

    def text(self):
        return (self.dir / "renode.log").read_text()

    def ends(self, code):
        self.case.assertEqual(self.process.wait(PATIENCE), code, self.text())


def recorded(name):
    """The recording's lines: (text, sent, heard), where bytes were sent or heard."""
    for line in (TRANSCRIPTS / name).read_text().splitlines():
        timed = re.fullmatch(r" *[\d.]+ (>>|<<) (b['\"].*)", line)
        if timed:
            data = ast.literal_eval(timed[2])
            yield line, data if timed[1] == ">>" else None, data if timed[1] == "<<" else None
            continue
        command = re.fullmatch(r"MON (?:[\d.]+s )?('.*?'|\".*?\") -> (b['\"].*)", line)
        if command:
            yield "MON", (ast.literal_eval(command[1]) + "\n").encode("utf-8"), ast.literal_eval(command[2])
        else:
            yield line, None, None


def labelled(line):
    """`what was done: b'what came'`"""
    found = re.fullmatch(r"(.+?): (b['\"].*)", line)
    return found.groups() if found else ("", "")


def exchanges(name):
    """Of a recording with times: what came at first, then each command with all that came before the next one."""
    result = [["", b"", b""]]
    for line, sent, heard in recorded(name):
        if heard is not None:
            result[-1][2] += heard
        else:
            result.append([line if sent is None else "", sent or b"", b""])
    return [r for r in result if any(r)]
