"""The gateway of tour.yaml: notes each reading 100 us after it came (PROCESS), and says every 5 s how many it has noted
and their mean (AGGREGATE). It has a fault."""
from lockstep_node import Node

PROCESSING_DELAY = 100  # us
AGGREGATE_EVERY = 5000000  # us


class Gateway(Node):
    def init(self):
        self.came = {}  # sensor: how many readings of it
        self.noted = []
        self.timer(AGGREGATE_EVERY, self.aggregate)

    def message(self, now, message):
        if message.type != "TRANSMIT":
            return
        self.came[message.src] = self.came.get(message.src, 0) + 1
        if message.src == "roof" and self.came["roof"] % 7 == 0:
            return  # the fault
        self.timer(now + PROCESSING_DELAY, self.process, message.src, message.payload)

    def process(self, now, sensor, reading):
        self.noted.append(reading["temperature"])
        self.report("PROCESS", {"sensor": sensor, "sample_id": reading["sample_id"]})

    def aggregate(self, now):
        if self.noted:
            self.report("AGGREGATE", {"count": len(self.noted), "mean": sum(self.noted) / len(self.noted)})
        self.timer(now + AGGREGATE_EVERY, self.aggregate)


Gateway().run()
