"""Sends every message back to its sender, type, payload and size as they were, after config.delay (default 1ms)."""
from lockstep_node import Node, time_us


class Echo(Node):
    def init(self):
        self.delay = time_us(self.config.get("delay", "1ms"))

    def message(self, now, message):
        self.timer(now + self.delay, self.answer, message)

    def answer(self, now, message):
        if message.src:
            self.send(message.src, message.type, message.payload, size=message.size)


Echo().run()
