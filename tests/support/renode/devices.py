"""What can be asked of the emulation, a machine, its bus, its processor and its UARTs."""
import os
import re

import syntax
from emulation import CommandError, FileBackend, Pending
from external_control import ExternalControl
from loop import BusyPort
from terminal import Terminal

LOAD_ELF = "Void LoadELF (ReadFilePath fileName, Boolean useVirtualAddress = False, IPeripheral cpu = null)"
SERVER_TERMINAL = ("Void CreateServerSocketTerminal (Int32 port, String name, Boolean telnetMode = True, "
                   "Boolean flushOnConnect = False)")


class NoSuch(Exception):
    """There is no command or device of that name."""


class Usage(Exception):
    """Text that is printed as it is; the line ends there."""


def hexadecimal(digits):
    return lambda value: f"0x{value:0{digits}X}"


class Mismatch(CommandError):
    def __init__(self, device, signatures):
        super().__init__("Parameters did not match the signature")
        self.listing = ("\r\nThe following methods are available:\r\n\r" +
                        "".join(f" - {s}\r\n\r" for s in signatures) +
                        f"\r\n\rUsage:\r\n\r {device} MethodName param1 param2 ...\r\n\r\r\n\r")


class Devices:
    def __init__(self, emulation):
        self.emulation, self.controls = emulation, 0

    def run(self, name, arguments):
        members = self.find(name)
        if members is None:
            raise NoSuch(name)
        if not arguments:
            raise Usage("\r\nThe following methods are available:\r\n\r" +
                        "".join(f" - {s}\r\n\r" for s, _ in members.values()) +
                        f"\r\n\rUsage:\r\n\r {name} MethodName param1 param2 ...\r\n\r\r\n\r")
        verb, rest = arguments[0].text, [t for t in arguments[1:] if t.kind != "equal"]
        if verb not in members:
            raise CommandError(f"{name} does not provide a field, method or property {verb}.")
        signature, call = members[verb]
        if "(" not in signature:  # a property
            value = call(*[self.convert(signature.split()[0], t) for t in rest[:1]])
        else:
            value = call(*self.match(name, signature, rest))
        if value is None or isinstance(value, Pending):
            return value
        return f"{value}\r\r\n"

    def match(self, device, signature, given):
        wanted = [p.split() for p in re.search(r"\((.*)\)", signature)[1].split(", ") if p]
        values = [self.convert(w[0], t) for w, t in zip(wanted, given)]
        least = sum("=" not in w for w in wanted)
        if not least <= len(given) <= len(wanted) or any(v is None for v in values):
            raise Mismatch(device, [signature])
        return values

    def convert(self, kind, token):
        """None when the token cannot be that."""
        text = token.value() if token.kind in ("string", "path") else None
        if kind in ("Byte", "Int32", "UInt32", "UInt64"):
            return syntax.integer(token)
        if kind == "Boolean":
            return {"true": True, "false": False}.get(token.text.lower()) if token.kind == "word" else None
        if kind == "String":
            return text
        if kind == "TimeInterval":
            return syntax.interval(text) if text is not None else None
        if kind == "ReadFilePath":
            return text if text and os.path.isfile(text) else None
        if kind == "IEmulationElement":
            return self.uart(token.text)
        if kind == "IConnectable":
            found = self.emulation.externals.get(token.text)
            return found if isinstance(found, Terminal) else None
        return token.text

    def uart(self, name):
        machine = self.emulation.current
        return machine.uarts.get(name.removeprefix("sysbus.")) if machine else None

    def find(self, name):
        """The members of a device, or None."""
        machine = self.emulation.current
        if name == "emulation":
            return self.of_emulation()
        if name == "connector":
            return {"Connect": ("Void Connect (IEmulationElement connectee, IConnectable connector)", self.connect)}
        if not machine:
            return None
        if name == "machine":
            return self.of_machine(machine)
        if name == "sysbus":
            return self.of_bus(machine)
        inner = name.removeprefix("sysbus.") if name.startswith("sysbus.") or "sysbus" in machine.usings else None
        if inner == "cpu" and machine.cpu:
            return self.of_cpu(machine.cpu)
        if inner in machine.uarts:
            return self.of_uart(machine.uarts[inner])
        return None

    # emulation

    def of_emulation(self):
        e = self.emulation
        members = {
            "RunFor": ("Void RunFor (TimeInterval period)", self.run_for),
            "SetGlobalQuantum": ("Void SetGlobalQuantum (TimeInterval quantum)", lambda quantum: None),
            "SetGlobalAdvanceImmediately": ("Void SetGlobalAdvanceImmediately (Boolean val)", lambda val: None),
            "SetGlobalSerialExecution": ("Void SetGlobalSerialExecution (Boolean val)", lambda val: None),
            "SetSeed": ("Void SetSeed (Int32 seed)", lambda seed: setattr(e, "seed", seed)),
            "GetSeed": ("Int32 GetSeed ()", lambda: hexadecimal(8)(e.seed & 0xffffffff)),
            "CreateServerSocketTerminal": (SERVER_TERMINAL, self.create_terminal),
            "IsStarted": ("Boolean IsStarted", lambda: str(e.started)),
        }
        if e.settings.version >= (1, 15, 1):
            members["CreateExternalControlServer"] = (
                "Void CreateExternalControlServer (String name, Int32 port)",
                lambda name, port: self.add(name, lambda: self.control(name, port)))
        return members

    def run_for(self, period):
        pending = Pending()
        self.emulation.run_for(period, pending)
        return pending

    def add(self, name, make):
        if name in self.emulation.externals:
            raise CommandError("External's name already in use")
        try:
            self.emulation.externals[name] = make()
        except BusyPort as e:
            raise CommandError(str(e)) from None

    def control(self, name, port):
        self.controls += 1
        if self.controls <= int(self.emulation.settings.faults.value("control-taken", "1")) \
                and "control-taken" in self.emulation.settings.faults:
            raise BusyPort(port)
        return ExternalControl(self.emulation, name, port)

    def create_terminal(self, port, name, telnet=True, flush=False):
        # the port is taken before the name is looked at
        try:
            terminal = Terminal(self.emulation, port, telnet, flush)
        except BusyPort as e:
            raise CommandError(str(e)) from None
        if name in self.emulation.externals:
            terminal.close()
            raise CommandError("External's name already in use")
        self.emulation.externals[name] = terminal

    def connect(self, uart, terminal):
        if terminal not in uart.terminals:
            uart.terminals.append(terminal)

    # a machine and what is on its bus

    def of_machine(self, machine):
        return {
            "LoadPlatformDescription": ("Void LoadPlatformDescription (String platform)", machine.load_platform),
            "IsPaused": ("Boolean IsPaused", lambda: str(not self.emulation.started)),
            "Reset": ("Void Reset ()", machine.restart),
        }

    def of_bus(self, machine):
        def little(count):
            return lambda address, *rest: hexadecimal(2 * count)(int.from_bytes(machine.read(address, count), "little"))

        def write(count):
            return lambda address, value, *rest: machine.write(address, value.to_bytes(8, "little")[:count])
        context = "IPeripheral context = null, UInt64? cpuState = null)"
        return {
            "LoadELF": (LOAD_ELF, lambda path, *rest: machine.load_elf(path)),
            "ReadByte": ("Byte ReadByte (UInt64 address, " + context, little(1)),
            "ReadDoubleWord": ("UInt32 ReadDoubleWord (UInt64 address, " + context, little(4)),
            "WriteByte": ("Void WriteByte (UInt64 address, Byte value, " + context, write(1)),
            "WriteDoubleWord": ("Void WriteDoubleWord (UInt64 address, UInt32 value, " + context, write(4)),
        }

    def of_cpu(self, cpu):
        def pc(value=None):
            if value is None:
                return f"0x{cpu.pc:X}"
            cpu.pc = value

        def halted(value=None):
            if value is None:
                return str(cpu.halted)
            cpu.halted = value
        return {
            "PC": ("UInt64 PC", pc),
            "IsHalted": ("Boolean IsHalted", halted),
            "ExecutedInstructions": ("UInt64 ExecutedInstructions", lambda: hexadecimal(16)(cpu.executed)),
            "PerformanceInMips": ("UInt32 PerformanceInMips", lambda *value: None if value else hexadecimal(8)(100)),
        }

    def of_uart(self, uart):
        def create(path, flush=False):
            if path in uart.files:
                raise CommandError("The file backend is already created.")
            uart.files[path] = FileBackend(path, flush)

        def close(path):
            if path not in uart.files:
                raise CommandError("There is no such file backend.")
            uart.files.pop(path).close()

        def char(value):
            uart.input += bytes([value & 255])

        def line(text, carriage=True):
            uart.input += text.encode() + (b"\r" if carriage else b"\n")
        return {
            "WriteChar": ("Void WriteChar (Byte value)", char),
            "WriteLine": ("Void WriteLine (String text, Boolean appendCarriageReturn = True)", line),
            "CreateFileBackend": ("Void CreateFileBackend (String path, Boolean immediateFlush = False)", create),
            "CloseFileBackend": ("Void CloseFileBackend (String path)", close),
            "DumpHistoryBuffer": ("String DumpHistoryBuffer (Int32 limit = 0)", lambda limit=0: ""),
            "BaudRate": ("UInt32 BaudRate", lambda: hexadecimal(8)(250000)),
        }
