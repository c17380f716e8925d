"""The External Control port: little-endian, one client, and closed for good after a fatal error."""
import struct

from emulation import CommandError, Pending
from loop import Listener, log

RUN_FOR, GET_TIME, GET_MACHINE, ADC, GPIO, SYSTEM_BUS = range(1, 7)
NAMES = {RUN_FOR: "RunFor", GET_TIME: "GetTime", GET_MACHINE: "GetMachine", ADC: "ADC", GPIO: "GPIOPort",
         SYSTEM_BUS: "SystemBus"}
VERSIONS = {RUN_FOR: 0, GET_TIME: 0, GET_MACHINE: 0, ADC: 0, GPIO: 1, SYSTEM_BUS: 0}
LARGEST = 1 << 20


class Refused(Exception):
    """A command has failed; the connection stays."""


class ExternalControl:
    def __init__(self, emulation, name, port):
        self.emulation, self.name = emulation, name
        settings = emulation.settings
        self.known = {c: v for c, v in VERSIONS.items() if c != SYSTEM_BUS or settings.version >= (1, 16)}
        self.say_why = settings.version < (1, 16)  # 1.16.1 closes without a word when a handshake asks for too much
        self.machines, self.gpios, self.hooks = [], [], {}
        self.input, self.active, self.waiting = b"", None, False
        self.listener = Listener(emulation.loop, port, "slow" in settings.faults, self.arrived, self.receive)
        emulation.pin_hooks.append(self.pin_changed)

    def arrived(self):
        self.input, self.active = b"", None

    def receive(self, data):
        self.input += data
        self.work()

    def send(self, data):
        self.listener.send(data)

    def close(self):
        self.listener.close()
        if self.pin_changed in self.emulation.pin_hooks:
            self.emulation.pin_hooks.remove(self.pin_changed)

    def fatal(self, text):
        log("ERROR", f"{self.name}: {text}")
        self.send(struct.pack("<BI", 1, len(text)) + text.encode())
        self.close()

    def work(self):
        while not self.waiting and not self.emulation.hung and self.listener.client and self.step():
            pass

    def take(self, count):
        data, self.input = self.input[:count], self.input[count:]
        return data

    def step(self):
        """Handles what has come completely."""
        if self.active is None:
            return len(self.input) >= 2 and self.handshake(int.from_bytes(self.input[:2], "little"))
        if len(self.input) < 7:
            return False
        magic, command, length = struct.unpack_from("<2sBI", self.input)
        if magic != b"RE":
            shown = "".join(chr(c) if 32 <= c < 127 else "." for c in magic)
            self.fatal(f"Encountered invalid header: {{ magic: [0x{magic[0]:X}, 0x{magic[1]:X}] ({shown}), "
                       f"command: 0x{command:X} ({NAMES.get(command, command)}), dataSize: {length} }}")
            return False
        if length > LARGEST:
            self.close()
            return False
        if len(self.input) < 7 + length:
            return False
        payload = self.take(7 + length)[7:]
        if command not in self.active:
            self.send(bytes([2, command]))
            return True
        try:
            data = self.execute(command, payload)
            if isinstance(data, bytes):
                self.send(struct.pack("<BBI", 3, command, len(data)) + data)
            elif data is None:
                self.send(bytes([4, command]))
        except (Refused, CommandError) as e:
            self.fail(command, str(e))
        return True

    def handshake(self, count):
        if len(self.input) < 2 + 2 * count:
            return False
        asked, self.active = self.take(2 + 2 * count)[2:], set()
        for command, version in zip(asked[::2], asked[1::2]):
            again = command in self.active
            self.active.add(command)
            if command in self.known and not again and version == self.known[command]:
                continue
            if command not in self.known:
                why = f"Encountered unknown command 0x{command:02X}"
            else:
                why = (f"Encountered invalid version (0x{version:X}) for {NAMES[command]}, "
                       f"expected 0x{self.known[command]:X}")
            if again or self.say_why:
                self.fatal(why)
            else:
                log("ERROR", f"{self.name}: {why}")
                self.close()
            return False
        self.send(b"\x05")
        return True

    def fail(self, command, text):
        self.send(struct.pack("<BBI", 0, command, len(text.encode())) + text.encode())

    def execute(self, command, payload):
        """Bytes: an answer with data; None: without; a Pending answers later."""
        if command == RUN_FOR:
            if len(payload) != 8:
                raise Refused("Expected 8 bytes of payload")
            return self.run_for(int.from_bytes(payload, "little") * 1000)
        if command == GET_TIME:
            return struct.pack("<Q", self.emulation.shown_time() // 1000)
        if command == GET_MACHINE:
            return self.get_machine(payload)
        if command == GPIO:
            return self.gpio(payload)
        raise Refused("Instance not found")  # the boards have no converter, and the bus is not read through here

    def run_for(self, period):
        def answered(pending):
            self.waiting = False
            kind, text = pending.error or ("done", "")
            if kind == "fatal":
                self.fatal(text)
            elif kind == "fail":
                self.fail(RUN_FOR, text)
            else:
                self.send(bytes([4, RUN_FOR]))
            if not synchronous:
                self.work()

        self.waiting = synchronous = True
        pending = Pending(answered)
        try:
            faults, now = self.emulation.settings.faults, self.emulation.now // 1000
            if faults.due("event", self.emulation.runs + 1, now, now + period // 1000):
                self.send(event(GPIO, 0, struct.pack("<QQ", now, 1)))
            self.emulation.run_for(period, pending)
        except CommandError:
            self.waiting = False
            raise
        synchronous = False
        return pending

    def get_machine(self, payload):
        if len(payload) < 4:
            raise Refused("Expected at least 4 bytes of payload")
        length = int.from_bytes(payload[:4], "little")
        if length == 0:
            raise Refused("Provided length value is illegal")
        if len(payload) != 4 + length:
            raise Refused(f"Expected {4 + length} bytes of payload")
        name = payload[4:].decode("utf-8", "replace")
        if name not in self.emulation.machines:
            raise Refused("Machine not found")
        self.machines.append(self.emulation.machines[name])
        return struct.pack("<I", len(self.machines) - 1)

    def gpio(self, payload):
        instance = int.from_bytes(payload[:4], "little", signed=True)
        if instance == -1:
            number = int.from_bytes(payload[4:8], "little")
            if number >= len(self.machines):
                raise Refused("Invalid machine id")
            machine = self.machines[number]
            name = payload[12:].decode("utf-8", "replace").removeprefix("sysbus.")
            if name not in machine.gpio:
                raise Refused("Instance not found")
            self.gpios.append((machine, {}))
            return struct.pack("<I", len(self.gpios) - 1)
        if not 0 <= instance < len(self.gpios) or len(payload) < 9:
            raise Refused("Invalid instance id")
        (machine, states), operation, pin = self.gpios[instance], payload[4], int.from_bytes(payload[5:9], "little")
        if operation == 0:
            output = int.from_bytes(machine.read(0x50000508, 4), "little") >> pin & 1
            return bytes([output])
        if operation == 1:
            states[pin] = payload[9]
        elif operation == 2:
            self.hooks[machine, pin] = int.from_bytes(payload[9:13], "little")
        return None

    def pin_changed(self, machine, pin, state, now):
        """Only who waits for a RunFor of this port hears of it."""
        if self.waiting and (machine, pin) in self.hooks:
            self.send(event(GPIO, self.hooks[machine, pin], struct.pack("<QQ", now, state)))


def event(command, identity, data):
    return struct.pack("<BBiI", 6, command, identity, len(data)) + data
