"""What a peer is told to do wrong, and when: NAME[=VALUE][@WHEN], separated by commas."""
import sys

AT_A_RUN = ("hang", "mute", "close", "fatal", "fail", "drift")  # the value says when
NAMES = AT_A_RUN + ("slow", "exit", "event", "no-listen", "late-listen", "deaf", "noise", "children", "control-taken",
                    "words", "slow-log")


class Fault:
    def __init__(self, name, value, when):
        self.name, self.value, self.over = name, value, False
        self.run = self.time_us = None
        if when.endswith("us"):
            self.time_us = int(when[:-2])
        else:
            self.run = int(when)

    def due(self, run, start_us, end_us):
        """Whether the RunFor with that number, over that time, is the one: from start to end, both included."""
        return run == self.run or (self.time_us is not None and start_us <= self.time_us <= end_us)


class Faults:
    def __init__(self, text):
        self.all = {}
        for part in filter(None, (p.strip() for p in text.split(","))):
            words, _, when = part.partition("@")
            name, _, value = words.partition("=")
            if name not in NAMES:
                sys.exit(f"RENODE_PEER_FAULT: there is no fault '{name}', but: {', '.join(NAMES)}")
            if name in AT_A_RUN and value:
                value, when = "", value
            self.all[name] = Fault(name, value, when or "1")

    def __contains__(self, name):
        return name in self.all

    def value(self, name, fallback):
        return self.all[name].value or fallback if name in self.all else fallback

    def ends(self, run):
        """Whether the RunFor with that number never gets its answer."""
        return any(f.run == run for f in self.all.values() if f.name in ("exit", "close", "hang", "fatal"))

    def due(self, name, run, start_us, end_us):
        """Each comes once."""
        fault = self.all.get(name)
        if not fault or fault.over or not fault.due(run, start_us, end_us):
            return False
        fault.over = True
        return True
