"""Answers readings above config.limit with COOL, and reports the mean of all every config.every. From doc/nodes.md."""
from lockstep_node import Node, time_us


class Thermostat(Node):
    def init(self):  # once, before virtual time begins; self.config is the node's config
        self.limit = self.config.get("limit", 22.0)
        self.every = time_us(self.config.get("every", "5s"))
        self.values = []
        self.timer(self.now + self.every, self.tell)  # self.now is 0, or when it was started again

    def message(self, now, message):  # a message's time has come
        value = message.payload.get("temperature") if isinstance(message.payload, dict) else None
        if message.type != "TRANSMIT" or value is None:
            return  # what it does not know it leaves alone
        self.values.append(value)
        if value > self.limit:
            self.send(message.src, "COOL", {"above": self.limit}, size=16)

    def tell(self, now):  # a timer's time has come
        if self.values:
            self.report("MEAN", sum(self.values) / len(self.values))  # recorded, sent to nobody
        self.values = []
        self.timer(now + self.every, self.tell)


Thermostat().run()
