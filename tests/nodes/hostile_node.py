"""What the cases of hostile.py share: a node that can speak the plain protocol, and the table of cases."""
import json
import os
import re
import sys
import time

MIB = 1 << 20
LINE_MAX = 16 * MIB

# What a terminal would obey, or what hides what is really there.
CONTROLS = ("\x1b]0;OWNED\x07", "\x1bc", "\x1b[6n", "\x1b[>c", "\x1b]52;c;T1dORUQ=\x1b\\", "\x1bP+q544e\x1b\\",
            "\x1b[?1049l\x1b[31337m", "\x07", "evil\b\b\b\bgood", "\r\x1b[2K")
HIDDEN = ("\u009b31m", "\u009d0;OWNED\u009c", "\u202eevil", "\u2066evil\u2069", "\u200fevil", "\u061cevil",
          "\ufeffevil", "\u200bevil", "\u2028evil", "\U000e0041evil", "\x7fevil")
EVIL = "evil " + "".join(CONTROLS + HIDDEN)
EVIL_ESCAPED = json.dumps(EVIL)
EVIL_RAW = '"evil ' + "".join(HIDDEN) + '"'  # these may stand in a JSON string as they are
NUMBERS = ('{"big":123456789012345678901234567890,"over":18446744073709551616,"low":-9223372036854775809,"huge":1E+400,'
           '"tiny":1e-400,"exact":0.1000000000000000055511151231257827,"zero":-0,"point":-0.0,"trailing":1.50}')

CASES = {}


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


class Node:
    def __init__(self):
        self.input = os.fdopen(os.dup(0), "rb")
        self.before = self.target = 0

    def say(self, *lines):
        """Each with its line end, in one piece as far as the system lets it."""
        self.write(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))

    def write(self, data):
        data = memoryview(data.encode() if isinstance(data, str) else data)
        while data:
            data = data[os.write(1, data):]

    def init(self):
        line = self.input.readline()
        if not re.match(rb"INIT \S+ \{.*\}\n$", line):
            sys.exit(f"not an INIT of dialect node: {line!r}")

    def start(self, *answer):
        self.init()
        self.say(*answer or ("READY",))

    def advance(self):
        """Takes the next grant; the node ends where there is none."""
        line = self.input.readline()
        if not line.startswith(b"ADVANCE "):
            sys.exit(0)
        self.before, self.target = self.target, int(line[8:])
        self.messages = json.loads(self.input.readline())

    def done(self, messages="[]"):
        self.say("DONE", messages)

    def second(self):
        """As it should be until the second ADVANCE, which is taken and not answered."""
        self.start()
        self.advance()
        self.done()
        self.advance()

    def serve(self, messages="[]"):
        """As it should be, to the end."""
        while True:
            self.advance()
            self.done(messages)

    def message(self, **raw):
        """A message, good but for what is given: values are raw JSON, None leaves the key away."""
        fields = {"time_us": str(self.before), "type": '"X"', "src": '"evil"', "dst": '"gateway"', "payload": "null",
                  "size_bytes": "8"}
        fields.update((key, value() if callable(value) else value) for key, value in raw.items())
        return "{" + ",".join(f'"{key}":{value}' for key, value in fields.items() if value is not None) + "}"


def forever():
    while True:
        time.sleep(3600)


def answer(name, *lines):
    """The second ADVANCE is answered with these lines; those that are functions are given the node."""
    def run(node):
        node.second()
        node.say(*(line(node) if callable(line) else line for line in lines))
        node.serve()
    CASES[name] = run


def one_message(name, **raw):
    answer(name, "DONE", lambda node: "[" + node.message(**raw) + "]")


def messages(name, text):
    """Text, or a function that makes it: what is large is made by the case that says it alone."""
    answer(name, "DONE", (lambda node: text()) if callable(text) else text)


def deep(levels, inside=""):
    return "[" * levels + inside + "]" * levels
