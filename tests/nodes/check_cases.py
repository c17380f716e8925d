#!/usr/bin/env python3
"""A node with one fault: check_cases.py CASE. It speaks the protocol over stdin and stdout, in dialect node, and is
good but for its case; some listen instead. What `lockstep check-node` is to say of each stands in
tests/e2e/test_check_node.py."""
import os
import sys
import time

PERIOD = 100000  # us: a good node reports a local event that often


def loads(text):
    """The json module takes longer to load than all the rest, and this is started a thousand times."""
    return eval(text, {"null": None, "true": True, "false": False})


def dumps(value):
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (dumps(key), dumps(v)) for key, v in value.items())
    if isinstance(value, list):
        return "[%s]" % ", ".join(map(dumps, value))
    return "null" if value is None else '"%s"' % value if isinstance(value, str) else repr(value)


class Good:
    """Without a fault of its own; the cases change what they are about."""

    def __init__(self):
        self.input = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self.now, self.due, self.grants = 0, PERIOD, 0

    def write(self, text):
        sys.stdout.write(text)
        sys.stdout.flush()

    def run(self):
        for line in iter(self.input.readline, ""):
            if line.startswith("INIT "):
                self.init(line.rstrip("\n"))
            elif line.startswith("ADVANCE "):
                self.grants += 1
                self.advance(int(line[8:]), self.read_messages())
            elif line == "SHUTDOWN\n":
                return self.shutdown()
        self.end_of_input()

    def read_messages(self):
        return loads(self.input.readline())

    def init(self, line):
        self.config(loads(line.split(" ", 2)[2]))
        self.write("READY" + self.options() + "\n")

    def config(self, given):
        pass

    def options(self):
        return ' {"next_us": %d}' % self.due

    def advance(self, target, messages):
        for m in messages:
            self.take(m)
        sent = []
        while self.due < target:
            sent.append(self.message(self.due))
            self.due += PERIOD
        self.now = target
        self.answer(sent)

    def take(self, m):
        pass

    def message(self, at):
        return {"time_us": at, "type": "TICK", "src": "node", "dst": None, "payload": at, "size_bytes": 4}

    def answer(self, sent):
        self.write("DONE" + self.options() + "\n" + dumps(sent) + "\n")

    def shutdown(self):
        pass

    def end_of_input(self):
        pass


class NoFlush(Good):
    def write(self, text):
        sys.stdout.write(text)


class NoFlushOfAnswers(NoFlush):
    def init(self, line):
        super().init(line)
        sys.stdout.flush()


class NoLineEnd(Good):
    def init(self, line):
        self.write("READY")


class Silent(Good):
    def init(self, line):
        pass


class DebugFirst(Good):
    def init(self, line):
        self.write("debug: loading\n")
        super().init(line)


class DebugBehindReady(Good):
    def init(self, line):
        super().init(line)
        self.write("debug: \x1b]0;OWNED\x07 ready\n")


class DebugBehindAnswer(Good):
    def answer(self, sent):
        super().answer(sent)
        self.write("debug: done\n")


class DebugInAnswer(Good):
    def answer(self, sent):
        self.write("DONE\ngot \x1b[1m%d\n[]\n" % self.grants)


class LogLine(Good):
    """What it prints looks like an array at first."""

    def take(self, m):
        self.write("[INFO] got %s\n" % m["type"])


class NoSecondLine(Good):
    def answer(self, sent):
        self.write("DONE\n")


class HoldsSecondLine(Good):
    def answer(self, sent):
        self.write("DONE\n")
        sys.stdout.write("[]\n")


class OneLine(Good):
    def answer(self, sent):
        self.write("DONE %s\n" % dumps(sent))


class OneObject(Good):
    def answer(self, sent):
        self.write("DONE\n%s\n" % dumps(self.message(self.now - 1)))


class Indented(Good):
    def answer(self, sent):
        self.write("DONE\n%s\n" % dumps([self.message(self.now - 1)]).replace("{", "\n  {\n    "))


class NoEmptyArray(Good):
    def answer(self, sent):
        self.write("DONE\n\n")


class HalfJson(Good):
    def answer(self, sent):
        self.write('DONE\n[{"time_us": %d, "type" "TICK"}]\n' % (self.now - 1))


class NoObject(Good):
    def answer(self, sent):
        self.write('DONE\n["TICK"]\n')


class SaysNaN(Good):
    def answer(self, sent):
        self.write('DONE\n[{"time_us": %d, "type": "TICK", "payload": NaN}]\n' % (self.now - 1))


class SaysInfinity(Good):
    def answer(self, sent):
        self.write('DONE\n[{"time_us": %d, "type": "TICK", "payload": -Infinity}]\n' % (self.now - 1))


class NextNaN(Good):
    def options(self):
        return ' {"next_us": NaN}'


class LeavesAfterOne(Good):
    """In the other dialect, too."""

    def init(self, line):
        self.write("READY\n")

    def answer(self, sent):
        super().answer(sent)
        sys.exit(0)


class Aborts(Good):
    def take(self, m):
        os.abort()


class NeedsConfig(Good):
    def config(self, given):
        if given.get("config", {}).get("answer") != 42:
            self.write("ERROR config.answer is missing\n")
            sys.exit(1)


class Understands(Good):
    """READING is answered at once, SLOW 50 ms later; and only a payload that it knows is borne."""

    def __init__(self):
        super().__init__()
        self.late = []

    def take(self, m):
        if m["type"] == "READING":
            self.late.append({"time_us": max(m["time_us"], self.now), "type": "ACK", "dst": m["src"],
                              "payload": m["payload"]["celsius"], "size_bytes": 8})
        elif m["type"] == "SLOW":
            self.late.append({"time_us": max(m["time_us"], self.now) + 50000, "type": "LATE\\u001b", "dst": "elsewhere",
                              "payload": None, "size_bytes": 8})

    def options(self):
        return ' {"next_us": %d}' % min([self.due] + [m["time_us"] for m in self.late])

    def advance(self, target, messages):
        for m in messages:
            self.take(m)
        due = sorted((m for m in self.late if m["time_us"] < target), key=lambda m: m["time_us"])
        self.late = [m for m in self.late if m["time_us"] >= target]
        self.now, self.grants = target, self.grants + 1
        while self.due < target:
            due.append(self.message(self.due))
            self.due += PERIOD
        self.answer([m for m in due if m["type"] != "TICK"])


class Listens(Good):
    """Over TCP, where it should, and then says nothing."""

    host, elsewhere = "127.0.0.1", False

    def run(self):
        import socket
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as s:
            s.bind((self.host, 0 if self.elsewhere else int(os.environ["LOCKSTEP_PORT"])))
            s.listen()
            time.sleep(60)


class ListensElsewhere(Listens):
    elsewhere = True


class ListensAtSix(Listens):
    host = "::1"


class AnswersTwice(Good):
    def answer(self, sent):
        super().answer(sent)
        super().answer([])


class OtherDialect(Good):
    def init(self, line):
        loads(line[5:])
        self.write("READY\n")


class OtherDialectInMessages(Good):
    def init(self, line):
        self.write("READY\n")

    def take(self, m):
        m["timestamp_us"]


class RefusesConfig(Good):
    def config(self, given):
        if given.get("config"):
            self.write("ERROR unknown key in config\n")
            sys.exit(1)


class SaysError(Good):
    def init(self, line):
        self.write("ERROR no licence \x1b[31m\n")


class NoEmptyList(Good):
    def advance(self, target, messages):
        messages[0]
        super().advance(target, messages)


class PythonText(Good):
    def answer(self, sent):
        self.write("DONE\n" + str([{"time_us": self.now - 1, "type": "TICK"}]) + "\n")


class AtTarget(Good):
    def message(self, at):
        return {**super().message(at), "time_us": self.now + 100000000}


class InThePast(Good):
    def message(self, at):
        return {**super().message(at), "time_us": 0}


class OtherSource(Good):
    def message(self, at):
        return {**super().message(at), "src": "somebody"}


class IgnoresShutdown(Good):
    def shutdown(self):
        self.run()


class AnswersShutdown(Good):
    def shutdown(self):
        self.write("BYE\n")


class EndsWith3(Good):
    def shutdown(self):
        sys.exit(3)


class IgnoresEndOfInput(Good):
    def end_of_input(self):
        while True:
            time.sleep(1)


class LeavesChild(Good):
    def init(self, line):
        if os.fork() == 0:
            os.close(1)
            time.sleep(60)
            os._exit(0)
        super().init(line)


class LeavesDaemon(Good):
    def init(self, line):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.close(1)
                time.sleep(60)
            os._exit(0)
        os.wait()
        super().init(line)


class Slow(Good):
    def answer(self, sent):
        time.sleep(0.01)
        super().answer(sent)


class RealTime(Good):
    def advance(self, target, messages):
        time.sleep((target - self.now) / 1e6)
        super().advance(target, messages)


class SilentAfterSix(Good):
    """Messages, of whatever content."""

    taken = 0

    def take(self, m):
        self.taken += 1
        while self.taken > 6:
            time.sleep(1)


class DiesAtNinth(Good):
    """Message, of whatever content."""

    taken = 0

    def take(self, m):
        self.taken += 1
        if self.taken == 9:
            sys.exit("no room for a ninth")


class SaysErrorAtMessage(Good):
    """As lockstep_node.py does where the node raises KeyError."""

    def take(self, m):
        if m["type"] != "READING":
            self.write("ERROR KeyError: 'temperature'\n")
            sys.exit("KeyError: 'temperature'")


class SilentAtTrue(Good):
    def take(self, m):
        while m["payload"] is True:
            time.sleep(1)


class NextInThePast(Good):
    def options(self):
        return ' {"next_us": %d}' % max(self.now - 1, 0)


class NextNotKept(Good):
    def options(self):
        return ' {"next_us": %d}' % (self.due + PERIOD)


class NextNull(Good):
    def options(self):
        return ' {"next_us": null}'


class CountsGrants(Good):
    """Says next_us well, and then depends on how often it is asked."""

    def options(self):
        return ' {"next_us": %d}' % self.due

    def message(self, at):
        return {**super().message(at), "payload": self.grants}

    def advance(self, target, messages):
        if self.due < 1000000:
            self.due = 1000000
        super().advance(target, messages)


class WithoutNext(Good):
    def options(self):
        return ""


class Random(Good):
    def message(self, at):
        return {**super().message(at), "payload": [1, os.urandom(8).hex()]}


class Pid(Good):
    def options(self):
        return ' {"pid": %d}' % os.getpid()


class WantsValue(Good):
    def take(self, m):
        m["payload"]["value"]


class OnlyAscii(Good):
    def __init__(self):
        super().__init__()
        self.input = os.fdopen(os.dup(0), "r", encoding="ascii")


class OnlyKnownTypes(Good):
    def take(self, m):
        {"READING": 1}[m["type"]]


class NoEarlyMessages(Good):
    def take(self, m):
        assert m["time_us"] >= self.now, "a message from the past"


class WholeReads(Good):
    """Takes one read for one request."""

    def run(self):
        while True:
            lines = os.read(0, 65536).decode().splitlines()
            if not lines or lines[0] == "SHUTDOWN":
                return
            if lines[0].startswith("INIT "):
                self.init(lines[0])
            else:
                self.advance(int(lines[0][8:]), loads(lines[1]))


class ShortLines(Good):
    def read_messages(self):
        line = self.input.readline(4096)
        return loads(line)


class SmallSeed(Good):
    def config(self, given):
        given["seed"].to_bytes(4, "big")


class DiesLater(Good):
    def advance(self, target, messages):
        if self.grants == 60:
            os.kill(os.getpid(), 11)
        super().advance(target, messages)


class ForgetsMessages(Good):
    """A message of many is too much for it."""

    def advance(self, target, messages):
        if len(messages) > 100:
            sys.exit("too many messages")
        super().advance(target, messages)


if __name__ == "__main__":
    globals()[sys.argv[1]]().run()
