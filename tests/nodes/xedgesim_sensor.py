#!/usr/bin/env python3
"""A sensor as xEdgeSim's Python nodes are: a TCP server of its own, strict about the keys of messages, without next_us.

    xedgesim_sensor.py PORT        its metrics go to ID_metrics.csv in the working directory
"""
import csv
import hashlib
import heapq
import random

from xedgesim_node import SimEvent, main


class SensorNode:
    def __init__(self, node_id, config):
        self.node_id = node_id
        seed = int.from_bytes(hashlib.sha256(f"{node_id}_{config['seed']}".encode()).digest()[:8], "big")
        self.rng = random.Random(seed)
        self.current_time_us = 0
        self.samples = 0
        self.event_queue = [(1000000, 0)]
        self.metrics = open(f"{node_id}_metrics.csv", "w", newline="")
        self.csv = csv.writer(self.metrics)
        self.csv.writerow(["time_us", "event_type", "value"])

    def advance_to(self, target_us, incoming):
        for event in incoming:
            assert isinstance(event, SimEvent)  # a sensor only takes note
        out = []
        while self.event_queue and self.event_queue[0][0] < target_us:
            time_us, serial = heapq.heappop(self.event_queue)
            value = self.rng.gauss(20.0, 2.0)
            self.samples += 1
            self.csv.writerow([time_us, "sample", value])
            self.csv.writerow([time_us, "transmit", self.samples])
            payload = {"temperature": value, "unit": "C", "sample_id": self.samples}
            out.append(SimEvent(time_us, "TRANSMIT", self.node_id, "gateway", payload, 64))
            heapq.heappush(self.event_queue, (time_us + 1000000, serial + 1))
        self.current_time_us = target_us
        return out

    def shutdown(self):
        self.metrics.close()


if __name__ == "__main__":
    main(SensorNode)
