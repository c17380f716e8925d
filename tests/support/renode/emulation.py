"""The emulation: virtual time, machines, their processor, memory and UARTs. Times are nanoseconds."""
import os
import random
import re
import shutil
import struct
import subprocess
import time

import firmware
from loop import log

STARTED = "This action is not available when emulation is already started"
OWN_PLATFORMS = {  # what an installation brings along: the UARTs
    "platforms/cpus/nrf52840.repl": ["uart0", "uart1"],
    "platforms/cpus/stm32f4.repl": ["usart1", "usart2", "usart3"],
    "platforms/boards/stm32f4_discovery-kit.repl": ["usart1", "usart2", "usart3"],
}
OWN_MEMORY = [(0, 0x100000), (0x08000000, 0x200000), (0x20000000, 0x40000)]
NOISE = b"""[00:00:01] boot: 2 tasks, {no JSON}\r
\x00\xff\xfe\x1b[31m\x80
{"type":"CUT","pay
[1,2,3]
"text"

null
"""
TICK = 0.01  # seconds: how often a started emulation catches up with the clock on the wall


class CommandError(Exception):
    """The reason why a command is refused."""


class Pending:
    """The answer to a RunFor, when there is one: `error` is None, or why not."""

    def __init__(self, then=lambda pending: None):
        self.done, self.error, self.then = False, None, then

    def answer(self, error=None):
        self.done, self.error = True, error
        self.then(self)


class FileBackend:
    """Where the bytes of a UART go. One that exists is not overwritten: the new one has .1, .2 … at its end."""

    def __init__(self, path, flush):
        self.path, number = path, 0
        while os.path.exists(self.path):
            number += 1
            self.path = f"{path}.{number}"
        try:
            self.file = open(self.path, "wb", buffering=0 if flush else 65536)
        except FileNotFoundError:
            raise CommandError(f"Could not find a part of the path '{path}'.") from None
        except OSError as e:
            raise CommandError(f"{e.strerror} : '{path}'") from None

    def write(self, data):
        self.file.write(data)

    def close(self):
        self.file.close()


class Uart:
    def __init__(self, machine, name, kind="NRF52840_UART"):
        self.machine, self.name, self.kind = machine, name, kind
        self.files, self.terminals, self.input, self.output = {}, [], b"", b""
        self.behaviour = self.random = None
        self.noisy = False

    def send(self, data):
        """From the firmware."""
        faults = self.machine.emulation.settings.faults
        for line in data.splitlines(keepends=True):
            self.output += line
            if "noise" in faults and line.endswith(b"\n"):
                self.output += NOISE + (b"" if self.noisy else b"a long one: " + b"0123456789" * 20000 + b"\n")
                self.noisy = True

    def pin(self, number, state):
        self.machine.emulation.pin_changed(self.machine, number, state)

    def drain(self):
        for terminal in self.terminals:
            self.input += terminal.take()

    def flush(self):
        data, self.output = self.output, b""
        held = self.machine.emulation.hold_back(data)
        if held:
            data, self.output = data[:-held], data[-held:]
        for backend in [*self.files.values(), *self.terminals]:
            backend.write(data)


class Cpu:
    def __init__(self):
        self.pc, self.halted, self.begun, self.runs, self.executed = 0, False, False, False, 0


class Machine:
    def __init__(self, emulation, name):
        self.emulation, self.name = emulation, name
        self.cpu, self.uarts, self.memory, self.regions, self.entry, self.elf = None, {}, {}, [], None, ""
        self.usings, self.gpio = set(), set()
        self.live = False  # `start` makes those run that are there by then
        log("INFO", "System bus created.")

    def load_platform(self, path):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            if path not in OWN_PLATFORMS:
                raise CommandError(f"Could not find file '{path}'.") from None
            text = "cpu: CPU.CortexM @ sysbus\ngpio0: GPIOPort.NRF52840_GPIO @ sysbus 0x50000500\n" + "".join(
                f"{name}: UART.NRF52840_UART @ sysbus\n" for name in OWN_PLATFORMS[path])
            self.regions += OWN_MEMORY
        for number, line in enumerate(text.splitlines(), 1):
            code = line.split("//")[0].rstrip()
            entry = re.match(r"(\w+)\s*:\s*(?:([\w.]+)\.(\w+)\s*)?(?:@|$|\{)", code)
            if code and not code[0].isspace() and not entry and not code.startswith("using "):
                raise CommandError(f"Error E00: Syntax error, unexpected '{code[0]}'; at {path}:{number}:1:\r\n{code}")
            if code.startswith("using "):
                self.load_platform(code.split('"')[1])
            elif entry:
                self.register(entry[1], entry[2], entry[3], code)
            size = re.match(r"\s+size:\s*(0x[0-9A-Fa-f]+|\d+)", code)
            if size and self.regions and self.regions[-1][1] is None:
                self.regions[-1] = (self.regions[-1][0], int(size[1], 0))
        self.regions = [r for r in self.regions if r[1]]

    def register(self, name, group, kind, code):
        if group == "UART":
            self.uarts[name] = Uart(self, name, kind)
        elif group == "CPU":
            self.cpu = Cpu()
            self.emulation.need_folder()
        elif group == "GPIOPort":
            self.gpio.add(name)
        address = re.search(r"@ sysbus (0x[0-9A-Fa-f]+)", code)
        if group == "Memory" and address:
            self.regions.append((int(address[1], 16), None))

    def load_elf(self, path):
        with open(path, "rb") as file:
            data = file.read()
        try:
            if data[:4] != b"\x7fELF" or data[4] != 1 or data[5] != 1:
                raise ValueError
            entry, table, size, count = (struct.unpack_from("<I", data, 24)[0], struct.unpack_from("<I", data, 28)[0],
                                         *struct.unpack_from("<HH", data, 42))
            for i in range(count):
                kind, offset, _, physical, length, _ = struct.unpack_from("<6I", data, table + i * size)
                if kind == 1 and length:
                    if offset + length > len(data):
                        raise ValueError
                    self.write(physical, data[offset:offset + length])
                    log("INFO", f"sysbus: Loading segment of {length} bytes length at 0x{physical:X}.")
        except (ValueError, IndexError, struct.error):
            raise CommandError(f"Error while loading ELF: Could not load ELF from path: {path}\r\n"
                               f"\tCould not load ELF from path: {path}") from None
        self.entry, self.elf = entry & ~1, path

    def write(self, address, data):
        self.memory.update(enumerate(data, address))

    def read(self, address, count):
        return bytes(self.memory.get(a, 0) for a in range(address, address + count))

    def begin(self, now_us):
        self.cpu.begun = True
        if self.entry is None:
            self.cpu.halted = True
            log("ERROR", "cpu: PC does not lay in memory or PC and SP are equal to zero. CPU was halted.")
            return
        self.cpu.runs, self.cpu.pc = True, self.entry
        log("INFO", f"{self.name}: Machine started.")
        for position, (name, uart) in enumerate(self.uarts.items()):
            uart.random = firmware.generator(self.emulation.seed, name)
            uart.behaviour = self.emulation.settings.firmware.behaviour(name, position, self.elf)(uart)
            uart.behaviour.boot(now_us)

    def restart(self):
        """Memory stays as it is, as after a reset of the board."""
        if self.cpu:
            self.cpu.begun = self.cpu.halted = self.cpu.runs = False
            self.cpu.pc = 0

    def lost(self):
        """Whether the processor would run where no memory is."""
        cpu = self.cpu
        return (cpu and cpu.begun and not cpu.halted and cpu.pc and
                not any(start <= cpu.pc < start + size for start, size in self.regions or OWN_MEMORY))

    def run(self, start, end):
        """From start to before end."""
        if not self.cpu or start == end:
            return
        now = -(-start // 1000)
        if not self.cpu.begun:
            self.begin(now)
        if self.cpu.halted or not self.cpu.runs:
            return
        self.cpu.executed += (end - start) // 1000
        for uart in self.uarts.values():
            uart.drain()
            data, uart.input = uart.input, b""
            if data:
                uart.behaviour.receive(data, now)
        while True:
            due = [u for u in self.uarts.values() if u.behaviour.wake is not None and u.behaviour.wake * 1000 < end]
            if not due:
                return
            first = min(due, key=lambda u: u.behaviour.wake)
            self.emulation.event_us = first.behaviour.wake
            first.behaviour.act(first.behaviour.wake)


class Emulation:
    def __init__(self, settings, loop):
        self.settings, self.loop = settings, loop
        self.seed = settings.seed
        self.random = random.Random(settings.seed)
        self.folder = self.crash = None
        self.now = self.runs = self.event_us = self.drift = 0
        self.pending, self.hung, self.started = None, False, False
        self.began = time.monotonic()
        self.advance_immediately = False
        self.pin_hooks = []
        self.reset()

    def reset(self):
        self.machines, self.current, self.externals = {}, None, {}

    def create(self, name):
        if name is None:
            name = next(n for n in (f"machine-{i}" for i in range(1000000)) if n not in self.machines)
        if name in self.machines:
            raise CommandError("Given machine is already added or name is already taken.")
        self.machines[name] = Machine(self, name)
        return self.machines[name]

    def remove(self, machine):
        del self.machines[machine.name]
        if self.current is machine:
            self.current = None

    def clear(self):
        for external in self.externals.values():
            external.close()
        self.reset()
        self.now, self.started = 0, False

    def need_folder(self):
        """A folder of its own, and those of others go."""
        if self.folder:
            return
        parent = os.environ.get("TMPDIR") or "/tmp"
        for name in os.listdir(parent):
            if re.fullmatch(r"renode-\d+", name):
                shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
        self.folder = os.path.join(parent, f"renode-{os.getpid()}")
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, "0-translate-arm-m-le.so"), "wb") as file:
            file.write(b"\x7fELF")

    def hold_back(self, data):
        """How many bytes of the last line come with the next step."""
        if not self.settings.cut or not data:
            return 0
        return self.random.randrange(len(data.splitlines(keepends=True)[-1]))

    def pin_changed(self, machine, number, state):
        for hook in self.pin_hooks:
            hook(machine, number, state, self.event_us)

    def abort(self, pc):
        self.hung = True
        log("ERROR", f"cpu: CPU abort [PC=0x{pc:X}]: Trying to execute code outside RAM or ROM at 0x{pc:08X}.",
            "slow-log" in self.settings.faults)

    def say_last_words(self):
        for machine in self.machines.values():
            for uart in machine.uarts.values():
                uart.send(b'last words\n{"type":"LAST"}\nand no')
                uart.flush()

    def run_for(self, period, pending):
        """Answers `pending`, now or later or never. What is faulty comes before the time has passed."""
        if self.started:
            raise CommandError(STARTED)
        if self.pending:
            log("ERROR", "FATAL UNHANDLED EXCEPTION: System.InvalidOperationException: RunFor is already under way")
            os._exit(1)
        self.runs += 1
        due = lambda name: self.settings.faults.due(name, self.runs, self.now // 1000, (self.now + period) // 1000)
        if "words" in self.settings.faults and self.settings.faults.ends(self.runs):
            self.say_last_words()
        if due("exit"):
            log("ERROR", "FATAL UNHANDLED EXCEPTION: System.NullReferenceException: Object reference not set to an "
                "instance of an object")
            os._exit(int(self.settings.faults.value("exit", "1")))
        if due("close"):
            log("ERROR", "FATAL UNHANDLED EXCEPTION: System.ObjectDisposedException: Cannot access a disposed object.",
                "slow-log" in self.settings.faults)
            self.crash()
            return
        if due("hang"):
            self.abort(0x30000000)
        lost = next((m for m in self.machines.values() if m.lost()), None)
        if lost and not self.hung:
            self.abort(lost.cpu.pc)
        if self.hung:
            return
        if due("drift"):
            self.drift = 7000
        if due("mute"):
            self.loop.after(0, lambda: setattr(self, "hung", True))
        if due("fatal"):
            pending.answer(("fatal", "Encountered unexpected exception: System.IO.IOException: Broken pipe"))
        elif due("fail"):
            pending.answer(("fail", "Operation is not valid due to the current state of the object."))
        elif self.settings.step_ms:
            self.pending = pending
            self.loop.after(self.settings.step_ms / 1000, lambda: self.complete(period, pending))
        else:
            self.complete(period, pending)

    def complete(self, period, pending):
        self.pending = None
        self.advance(period)
        pending.answer()

    def advance(self, period):
        end = self.now + period
        for machine in self.machines.values():
            if machine.live or not self.started:
                machine.run(self.now, end)
        self.now = end
        for machine in self.machines.values():
            for uart in machine.uarts.values():
                uart.flush()

    def start(self):
        for machine in self.machines.values():
            machine.live = True
        if not self.started:
            self.started, self.real = True, time.monotonic()
            self.loop.after(TICK, self.tick)

    def tick(self):
        if self.started:
            self.catch_up()
            self.loop.after(TICK, self.tick)

    def catch_up(self):
        if self.started:
            now = time.monotonic()
            period, self.real = int((now - self.real) * 1e6) * 1000, now
            self.advance(period)

    def pause(self):
        self.catch_up()
        self.started = False

    def shown_time(self):
        self.catch_up()
        return self.now + self.drift

    def real_time(self):
        return int((time.monotonic() - self.began) * 1e7) * 100

    def quit(self):
        for machine in self.machines.values():
            for uart in machine.uarts.values():
                for file in uart.files.values():
                    file.close()
            log("INFO", f"{machine.name}: Disposed.")
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)


def leave_child():
    child = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
    log("INFO", f"child process {child.pid}")
