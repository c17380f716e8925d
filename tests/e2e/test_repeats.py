"""The same bytes again and again from processes, whatever else the machine has to do.

REPEATS=N: how often."""
import concurrent.futures
import os
import subprocess
import sys

import common
from common import main

NODES = 20
JOBS = 4  # runs side by side, which are in each other's way


class Repeats(common.Case):
    def setUp(self):
        super().setUp()
        for _ in range(os.cpu_count()):  # busy loops that take their share of every processor
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            self.addCleanup(busy.wait)
            self.addCleanup(busy.kill)

    def scenario(self):
        """Rings of nodes that answer each other, in Python, C and inside the program, over a network that loses."""
        python = f'command: [{sys.executable}, "{common.SCENARIOS}/nodes/sensor.py"]'
        lines = ["simulation: { duration: 2s, quantum: 10ms, seed: 7 }",
                 "network: { model: latency, default_latency: 15ms, default_loss: 0.1 }", "nodes:",
                 "  - { id: gateway, type: gateway, implementation: process, command: lockstep-node-gateway }"]
        for i in range(NODES - 1):
            how = python if i % 10 == 0 else "command: lockstep-node-sensor"
            every = "true" if i % 3 == 0 else "false"
            lines.append(f"  - {{ id: s{i}, type: sensor, implementation: process, {how}, "
                         f"config: {{ interval: {20 + 7 * i}ms, every_quantum: {every} }} }}")
        lines.append("  - { id: inside, type: sensor, config: { interval: 90ms } }")
        return self.write("repeats.yaml", "\n".join(lines) + "\n")

    def test_the_same_records_each_time_under_load(self):
        scenario, repeats = self.scenario(), common.number("REPEATS", 20, 10, 50)
        self.batch(scenario, "first", "-q")
        first = self.events("first")
        self.assertGreater(first.count(b'"kind":"message"'), 100)

        def again(i):
            self.batch(scenario, f"again-{i}", "-q", *(["--no-skip"] if i % 5 == 4 else []))
            self.assertTrue(self.events(f"again-{i}") == first, f"repeat {i} differs")

        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for done in [pool.submit(again, i) for i in range(1, repeats)]:
                done.result()


if __name__ == "__main__":
    main()
