"""A gateway: the built-in one as a program of its own. It writes the same metrics and sends the same messages. It does
no machine-learning inference.

Reads from `config`: forward_to (who gets the means; default: nobody), and every_quantum: true, with which it does not
tell its next event.
"""
from lockstep_node import Node

PROCESSING_DELAY = 100  # us
AGGREGATE_EVERY = 5000000  # us
AGGREGATE_SIZE = 128  # bytes


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Gateway(Node):
    def init(self):
        self.forward_to = self.config.get("forward_to")
        self.every_quantum(bool(self.config.get("every_quantum")))
        self.readings = {}  # sample id: temperatures; the ids in the order in which they first came
        self.metrics("time_us", "event_type", "value", "details")
        self.timer((self.now // AGGREGATE_EVERY + 1) * AGGREGATE_EVERY, self.aggregate)

    def message(self, now, message):
        if message.type != "TRANSMIT":
            return
        payload = message.payload if isinstance(message.payload, dict) else {}
        temperature, sample_id = payload.get("temperature"), payload.get("sample_id")
        if is_number(temperature) and is_number(sample_id):
            self.timer(now + PROCESSING_DELAY, self.process, float(temperature), sample_id)
        else:
            self.report("IGNORED", "TRANSMIT from %s holds no temperature with a sample_id" % message.src)

    def process(self, now, temperature, sample_id):
        name = "sample_%d" % sample_id
        self.row(now, "process", temperature, name)
        self.report("PROCESS", name)
        self.readings.setdefault(sample_id, []).append(temperature)

    def aggregate(self, now):
        values = [v for temperatures in self.readings.values() for v in temperatures]
        if values:
            total = 0.0
            for v in values:  # not sum(), which rounds otherwise from Python 3.12 on
                total += v
            mean, least, most = total / len(values), min(values), max(values)
            self.row(now, "aggregate", mean, "count=%d,min=%.2f,max=%.2f" % (len(values), least, most))
            payload = {"mean": mean, "count": len(values), "min": least, "max": most}
            if self.forward_to:
                self.send(self.forward_to, "AGGREGATE", payload, size=AGGREGATE_SIZE)
            else:
                self.report("AGGREGATE", payload)
        self.timer(now + AGGREGATE_EVERY, self.aggregate)


Gateway().run()
