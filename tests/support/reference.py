#!/usr/bin/env python3
"""An independent model of lockstep's semantics, slow and plain: the oracle of the differential test.

    reference.py SCENARIO.json OUT_DIR    writes NODE_metrics.csv for every node

The scenario is JSON: duration, quantum, latency in microseconds, seed, model, loss, links, nodes.
"""
import csv
import hashlib
import heapq
import json
import math
import os
import random
import sys


def stream(text):
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


class Node:
    def __init__(self, scenario, spec, out_dir):
        self.scenario, self.spec, self.id = scenario, spec, spec["id"]
        self.queue, self.serial, self.sent = [], 0, []
        self.file = open(os.path.join(out_dir, self.id + "_metrics.csv"), "w", newline="")
        self.csv = csv.writer(self.file)
        self.csv.writerow(self.header)

    def at(self, time, handler, *args):
        heapq.heappush(self.queue, (time, self.serial, handler, args))
        self.serial += 1

    def send(self, time, dst, kind, payload, origin=None):
        self.sent.append({"time": time, "dst": dst, "src": self.id, "type": kind, "payload": payload})

    def advance(self, target, messages):
        for m in messages:
            self.at(m["time"], self.arrive, m)
        while self.queue and self.queue[0][0] < target:
            time, _, handler, args = heapq.heappop(self.queue)
            handler(time, *args)
        sent, self.sent = self.sent, []
        return sent

    def arrive(self, time, message):
        pass

    def probability(self, payload):
        ml = self.scenario["ml"]["model"]
        z = 0.0
        for name, weight, mean, scale in zip(ml["features"], ml["weights"], ml["mean"], ml["scale"]):
            z += weight * ((float(payload[name]) - mean) / scale)
        return 1.0 / (1.0 + math.exp(-(z + ml["bias"])))

    def infer(self, time, message):
        p = self.probability(message["payload"])
        sample = message["payload"]["sample_id"]
        self.csv.writerow([time, "inference", p, "sample_%d" % sample])
        if p > self.scenario["ml"].get("threshold", 0.5):
            self.send(time, message["src"], "ALERT", {"sample_id": sample, "p": p})

    def infers(self, where):
        return self.scenario.get("ml", {}).get("placement") == where


class Sensor(Node):
    header = ["time_us", "event_type", "value"]

    def __init__(self, *args):
        super().__init__(*args)
        self.random, self.count = stream("%s_%d" % (self.id, self.scenario["seed"])), 0
        self.at(1000000, self.sample)

    def sample(self, time):
        value = self.random.gauss(20.0, 2.0)
        self.count += 1
        self.csv.writerow([time, "sample", value])
        self.csv.writerow([time, "transmit", self.count])
        self.send(time, self.spec.get("destination", "gateway"), "TRANSMIT",
                  {"temperature": value, "unit": "C", "sample_id": self.count})
        self.at(time + self.spec.get("interval", 1000000), self.sample)


class Gateway(Node):
    header = ["time_us", "event_type", "value", "details"]

    def __init__(self, *args):
        super().__init__(*args)
        self.readings = {}
        self.at(5000000, self.aggregate)

    def arrive(self, time, message):
        if message["type"] == "TRANSMIT":
            self.at(time + 100, self.process, message)

    def process(self, time, message):
        payload = message["payload"]
        self.csv.writerow([time, "process", payload["temperature"], "sample_%d" % payload["sample_id"]])
        self.readings.setdefault(payload["sample_id"], []).append(payload["temperature"])
        if self.infers("cloud"):
            self.send(time, self.spec.get("readings_to", "cloud"), "TRANSMIT", payload)
        if self.infers("edge"):
            self.at(time + self.spec.get("inference_delay", 5000), self.infer, message)

    def aggregate(self, time):
        values = [v for readings in self.readings.values() for v in readings]
        if values:
            total = 0.0
            for v in values:
                total += v
            mean = total / len(values)
            details = "count=%d,min=%.2f,max=%.2f" % (len(values), min(values), max(values))
            self.csv.writerow([time, "aggregate", mean, details])
            if "forward_to" in self.spec:
                self.send(time, self.spec["forward_to"], "AGGREGATE", {"mean": mean, "details": details})
        self.at(time + 5000000, self.aggregate)


class Cloud(Node):
    header = Gateway.header

    def arrive(self, time, message):
        if message["type"] in ("TRANSMIT", "AGGREGATE"):
            self.at(time + self.spec.get("processing_delay", 5000), self.process, message)

    def process(self, time, message):
        payload = message["payload"]
        if message["type"] == "AGGREGATE":
            self.csv.writerow([time, "aggregate", payload["mean"], payload["details"]])
            self.reply(time, message, {})
            return
        self.csv.writerow([time, "process", payload["temperature"], "sample_%d" % payload["sample_id"]])
        self.reply(time, message, {"sample_id": payload["sample_id"]})
        if self.infers("cloud"):
            self.at(time + self.spec.get("inference_delay", 1000), self.infer, message)

    def reply(self, time, message, payload):
        if self.spec.get("reply"):
            self.send(time, message["src"], "ACK", payload)


class Network:
    def __init__(self, scenario):
        self.scenario, self.under_way, self.serial = scenario, [], 0
        self.links = {}
        for l in scenario.get("links", []):
            text = "%s_%s_%d" % (l["src"], l["dst"], scenario["seed"])
            self.links[l["src"], l["dst"]] = (l["latency"], l["loss"], stream(text))
        self.others = (scenario.get("latency", 0), scenario.get("loss", 0.0), stream("default_%d" % scenario["seed"]))

    def send(self, message, pending):
        if message["dst"] not in pending:
            return
        if self.scenario["network"] == "direct":
            pending[message["dst"]].append(message)
            return
        latency, loss, rng = self.links.get((message["src"], message["dst"]), self.others)
        if rng.random() < loss:
            return
        due = dict(message, time=message["time"] + latency)
        heapq.heappush(self.under_way, (due["time"], self.serial, due))
        self.serial += 1

    def arrive(self, now, pending):
        while self.under_way and self.under_way[0][0] <= now:
            _, _, message = heapq.heappop(self.under_way)
            pending[message["dst"]].append(message)


def run(scenario, out_dir):
    kinds = {"sensor": Sensor, "gateway": Gateway, "cloud": Cloud}
    nodes = [kinds[n["type"]](scenario, n, out_dir) for n in scenario["nodes"]]
    pending = {n.id: [] for n in nodes}
    network, now = Network(scenario), 0
    while now < scenario["duration"]:
        target = min(now + scenario["quantum"], scenario["duration"])
        sent = []
        for n in nodes:
            messages, pending[n.id] = pending[n.id], []
            sent += n.advance(target, messages)
        for m in sent:
            network.send(m, pending)
        network.arrive(target, pending)
        now = target
    for n in nodes:
        n.file.close()


if __name__ == "__main__":
    with open(sys.argv[1]) as f:
        run(json.load(f), sys.argv[2])
