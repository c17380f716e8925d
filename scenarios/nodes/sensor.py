"""A temperature sensor: the built-in one as a program of its own. It writes the same metrics and sends the same
messages.

Reads from `config`: interval (default 1s), destination (default: the node `gateway`), and every_quantum: true, with
which it does not tell its next event.
"""
from lockstep_node import Node, NodeError, time_us

FIRST_SAMPLE = 1000000  # us
MESSAGE_SIZE = 64  # bytes


class Sensor(Node):
    def init(self):
        self.interval = time_us(self.config.get("interval", "1s"))
        if self.interval <= 0:
            raise NodeError("config.interval must be above 0")
        self.destination = self.config.get("destination", "gateway")
        self.every_quantum(bool(self.config.get("every_quantum")))
        self.count = 0
        self.metrics("time_us", "event_type", "value")
        self.timer(self.now + FIRST_SAMPLE, self.sample)

    def sample(self, now):
        temperature = self.random.gauss(20.0, 2.0)
        self.count += 1
        self.row(now, "sample", temperature)
        self.row(now, "transmit", self.count)
        self.send(self.destination, "TRANSMIT",
                  {"temperature": temperature, "unit": "C", "sample_id": self.count}, size=MESSAGE_SIZE)
        self.timer(now + self.interval, self.sample)


Sensor().run()
