#!/usr/bin/env python3
"""A gateway as xEdgeSim's Python nodes are: a TCP server of its own, strict about the keys of messages, without
next_us.

    xedgesim_gateway.py PORT       its metrics go to ID_metrics.csv in the working directory
"""
import csv
import heapq

from xedgesim_node import SimEvent, main

PROCESSING_US = 100
AGGREGATE_US = 5000000


class GatewayNode:
    def __init__(self, node_id, config):
        self.node_id = node_id
        self.readings = {}
        self.serial = 0
        self.event_queue = []
        self.schedule(AGGREGATE_US, "AGGREGATE", None)
        self.metrics = open(f"{node_id}_metrics.csv", "w", newline="")
        self.csv = csv.writer(self.metrics)
        self.csv.writerow(["time_us", "event_type", "value", "details"])

    def schedule(self, time_us, kind, event):
        heapq.heappush(self.event_queue, (time_us, self.serial, kind, event))
        self.serial += 1

    def advance_to(self, target_us, incoming):
        for event in incoming:
            self.schedule(event.time_us, "ARRIVAL", event)
        out = []
        while self.event_queue and self.event_queue[0][0] < target_us:
            time_us, _, kind, event = heapq.heappop(self.event_queue)
            if kind == "ARRIVAL" and event.type == "TRANSMIT":
                self.schedule(time_us + PROCESSING_US, "PROCESS", event)
            elif kind == "PROCESS":
                out.append(self.process(time_us, event.payload))
            elif kind == "AGGREGATE":
                self.aggregate(time_us)
                self.schedule(time_us + AGGREGATE_US, "AGGREGATE", None)
        return out

    def process(self, time_us, payload):
        name = f"sample_{payload['sample_id']}"
        self.csv.writerow([time_us, "process", payload["temperature"], name])
        self.readings.setdefault(payload["sample_id"], []).append(payload["temperature"])
        return SimEvent(time_us, "PROCESS", self.node_id, None, name, 0)

    def aggregate(self, time_us):
        values = [v for readings in self.readings.values() for v in readings]
        if not values:
            return
        total = 0.0
        for v in values:
            total += v
        details = f"count={len(values)},min={min(values):.2f},max={max(values):.2f}"
        self.csv.writerow([time_us, "aggregate", total / len(values), details])

    def shutdown(self):
        self.metrics.close()


if __name__ == "__main__":
    main(GatewayNode)
