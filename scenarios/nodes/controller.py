"""A gateway that acts on what it is told: it takes SAMPLEs, commands an actuator and sets how often a sensor samples.

A sample above the threshold opens the actuator, the further the warmer it is, and has its sensor sample more often.
The first one of that sensor that is not above it any more takes both back.

Reads from `config`: threshold (degrees; default 22), actuator (who is commanded; default: `actuator`), delay (from a
sample to what follows from it; default 200us), interval_ms and alert_interval_ms (between samples, usually and while
it is above the threshold; default 1000 and 250).
"""
from lockstep_node import Node, NodeError, time_us

PER_DEGREE = 25  # per cent
SIZE = 64  # bytes


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Controller(Node):
    def init(self):
        self.threshold = self.config.get("threshold", 22)
        if not is_number(self.threshold):
            raise NodeError("config.threshold is no number: %r" % (self.threshold,))
        self.actuator = self.config.get("actuator", "actuator")
        self.delay = time_us(self.config.get("delay", "200us"))
        self.interval = self.config.get("interval_ms", 1000)
        self.alert_interval = self.config.get("alert_interval_ms", 250)
        self.warm = set()  # the sensors whose last sample was above the threshold
        self.metrics("time_us", "event_type", "value", "details")

    def message(self, now, message):
        payload = message.payload if isinstance(message.payload, dict) else {}
        if message.type == "SAMPLE" and is_number(payload.get("celsius")):
            self.timer(now + self.delay, self.judge, message.src, payload["celsius"])
        elif message.type in ("DONE", "REFUSED"):
            self.row(now, message.type.lower(), payload.get("state"), message.src)
        else:
            self.report("IGNORED", "%s from %s is nothing to act on" % (message.type, message.src))

    def judge(self, now, sensor, celsius):
        self.row(now, "sample", celsius, sensor)
        if celsius > self.threshold:
            self.warm.add(sensor)
            self.act(sensor, min(100, max(1, round(PER_DEGREE * (celsius - self.threshold)))), self.alert_interval)
        elif sensor in self.warm:
            self.warm.remove(sensor)
            self.act(sensor, 0, self.interval)

    def act(self, sensor, state, interval):
        self.send(self.actuator, "COMMAND", {"state": state}, size=SIZE)
        self.send(sensor, "SET_INTERVAL", {"interval_ms": interval}, size=SIZE)


Controller().run()
