"""What runs on a board, in virtual time: one behaviour for each UART that has one.

A behaviour is a class with the methods of Behaviour. It acts when its UART has received something, and at the time
`wake` (microseconds since the machine began; None: never). It has self.port: send(bytes), pin(number, state), name,
and random, a generator that is seeded. A file that RENODE_PEER_FIRMWARE names has a class `Firmware`; it may say
`from firmware import Behaviour`.
"""
import importlib.util
import json
import os
import random
import sys

LONGEST_LINE = 16384


class Behaviour:
    wake = None

    def __init__(self, port):
        self.port = port

    def boot(self, now):
        """The machine begins, at that time."""

    def receive(self, data, now):
        """The bytes that the UART was given while the emulation was paused."""

    def act(self, now):
        """It is `wake`."""


class Silent(Behaviour):
    """A UART that nothing uses."""


class Echo(Behaviour):
    """A JSON line at boot and one each second; each line it gets comes back in quotes. It looks at its UART when the
    timer ticks, each millisecond; that timer was seen to gain 15 us each second."""

    def boot(self, now):
        self.begin, self.next, self.count, self.line, self.input = now, 1000, 0, b"", b""
        self.port.send(b'{"boot":true}\n')
        self.plan(now)

    def tick(self, number):
        return self.begin + number * 1000 - number * 15 // 1000

    def plan(self, now):
        number = self.next
        if self.input:
            number = max(1, (now - self.begin) // 1000)
            while self.tick(number) <= now:
                number += 1
        self.wake = self.tick(min(number, self.next))

    def receive(self, data, now):
        self.input += data
        self.plan(now - 1)

    def act(self, now):
        for c in self.input:
            if c in b"\r\n":
                if self.line:
                    self.port.send(b'{"echo":"' + self.line + b'"}\n')
                self.line = b""
            elif len(self.line) < 127:
                self.line += bytes([c])
        self.input = b""
        if now >= self.tick(self.next):
            self.count += 1
            self.port.send(b'{"t_ms":%d,"n":%d}\n' % (self.next, self.count))
            self.next += 1000
        self.plan(now)


class Lamp(Echo):
    """As echo, and pin 13 changes each second."""

    def act(self, now):
        second = now >= self.tick(self.next)
        super().act(now)
        if second:
            self.port.pin(13, self.count % 2)


class Lines(Behaviour):
    """Something that gets JSON lines and says JSON lines."""

    line = b""

    def receive(self, data, now):
        *lines, self.line = (self.line + data).split(b"\n")
        self.line = self.line[:LONGEST_LINE]
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict):
                self.message(message, now)
            elif line.strip():
                self.port.send(b"not a message: " + line[:80] + b"\n")

    def say(self, **fields):
        self.port.send(json.dumps(fields, separators=(",", ":")).encode() + b"\n")

    def message(self, message, now):
        """One JSON object that came."""


class Sensor(Lines):
    """A sample each second; SET_INTERVAL changes that, from now on."""

    def boot(self, now):
        self.interval, self.count = 1000000, 0
        self.wake = now + self.interval
        self.port.send(b"sensor, seed 1\n")

    def message(self, message, now):
        payload = message.get("payload")
        interval = payload.get("interval_ms") if isinstance(payload, dict) else None
        if message.get("type") == "SET_INTERVAL" and type(interval) is int and 1 <= interval <= 86400000:
            self.interval = interval * 1000
            self.wake = now + self.interval

    def act(self, now):
        self.count += 1
        self.say(type="SAMPLE", dst=os.environ.get("RENODE_PEER_DST", "gateway"), time=now, sample=self.count,
                 celsius=round(18 + 4 * self.port.random.random(), 3))
        self.wake = now + self.interval


class Actuator(Lines):
    """Says DONE to whoever sends a COMMAND, with the state that it was given."""

    def boot(self, now):
        self.state = 0
        self.port.send(b"actuator\n")

    def message(self, message, now):
        payload = message.get("payload")
        state = payload.get("state") if isinstance(payload, dict) else None
        valid = type(state) is int and 0 <= state <= 100
        if message.get("type") == "COMMAND" and valid:
            self.state = state
        if message.get("type") == "COMMAND":
            self.say(type="DONE" if valid else "REFUSED", dst=message.get("src"), time=now, state=self.state)


BUILT_IN = {"echo": Echo, "lamp": Lamp, "sensor": Sensor, "actuator": Actuator, "silent": Silent}


def load(name):
    if name in BUILT_IN:
        return BUILT_IN[name]
    if not os.path.isfile(name):
        sys.exit(f"RENODE_PEER_FIRMWARE: '{name}' is no file, and no behaviour: {', '.join(BUILT_IN)}")
    spec = importlib.util.spec_from_file_location("peer_firmware_of_a_file", name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Firmware


def name_given(name, equals):
    return name and not equals


class Choice:
    """RENODE_PEER_FIRMWARE: `NAME` for the first UART, or `uart0=NAME,uart1=NAME`. Without it the name of the ELF says
    what runs."""

    def __init__(self, text):
        self.is_given = bool(text)
        parts = [p.partition("=") for p in text.split(",")]
        self.named = {uart: load(name) for uart, equals, name in parts if equals}
        self.first = next((load(name) for name, equals, _ in parts if name_given(name, equals)), None)

    def behaviour(self, uart, position, elf):
        if not self.is_given and position == 0:
            return BUILT_IN.get(os.path.basename(elf).removesuffix(".elf"), Echo)
        return self.named.get(uart) or (self.first if position == 0 and self.first else Silent)


def generator(seed, uart):
    return random.Random(f"{seed}/{uart}")
