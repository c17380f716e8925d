"""The example with firmware as far as it needs no Renode: the scenario is accepted, what is missing is named, it is
installed whole, and its gateway answers the boards. (The boards' programs themselves: unit/test_firmware,
unit/test_firmware_elf.)"""
import os
import pathlib
import shutil
import subprocess
import unittest

import common

BUILD = pathlib.Path(common.LOCKSTEP).parent
SCENARIO = common.SCENARIOS / "renode_loop.yaml"
FIRMWARE = common.SCENARIOS / "firmware"
VARIANTS = ("sensor", "actuator")

# A node that plays a board: sends config.samples, one each 100 ms, and answers a COMMAND as the actuator does.
BOARD = """
from lockstep_node import Node

class Board(Node):
    def init(self):
        for i, sample in enumerate(self.config.get("samples", [])):
            self.timer(100000 * (i + 1), self.sample, sample)

    def sample(self, now, sample):
        self.send("gateway", sample.pop("type", "SAMPLE"), sample)

    def message(self, now, message):
        if message.type == "COMMAND":
            self.send(message.src, "DONE", {"state": message.payload["state"]})

Board().run()
"""


def need_firmware():
    if not all((FIRMWARE / f"{variant}.elf").exists() for variant in VARIANTS):
        raise unittest.SkipTest("the firmware was not built; that takes arm-none-eabi-gcc (package gcc-arm-none-eabi)")


class Firmware(common.Case):
    def with_renode(self):
        """An environment with a program `renode` in PATH that would do nothing; a dry run only looks for it."""
        program = self.write("renode", "#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
        return {"PATH": f"{self.dir}:{os.environ['PATH']}"}

    def test_the_scenario_is_accepted_without_a_word(self):
        need_firmware()
        out, err = self.lockstep("--dry-run", SCENARIO, env=self.with_renode())
        self.assertEqual(err, "")
        self.assertIn("2 nodes: sensor (sensor, renode), actuator (actuator, renode)\n", out)
        self.assertIn("1 node: gateway (gateway, process)\n", out)

    def test_what_is_not_there_is_named_for_each_node(self):
        copy = self.dir / "scenarios"
        shutil.copytree(common.SCENARIOS, copy, ignore=shutil.ignore_patterns("*.elf", "bad"))
        options = [f"--set=nodes.{variant}.renode=no-such-renode" for variant in VARIANTS]
        _, err = self.lockstep("--dry-run", *options, copy / "renode_loop.yaml", expect=3)
        for i, variant in enumerate(VARIANTS):
            self.assertRegex(err, rf"renode_loop.yaml:\d+:15: nodes\[{i}\].firmware: the file 'firmware/{variant}.elf' "
                                  r"does not exist")
            self.assertRegex(err, rf"nodes\[{i}\].renode: the program 'no-such-renode' is not in PATH")
        self.assertEqual(err.count("\n"), 4, err)

    def test_it_is_installed_with_its_boards_and_programs(self):
        need_firmware()
        if not (BUILD / "cmake_install.cmake").exists():
            self.skipTest("the program is in no build folder that could be installed")
        prefix = self.dir / "prefix"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        installed = prefix / "share" / "lockstep" / "scenarios"
        for variant in VARIANTS:
            self.assert_same_file(FIRMWARE / f"{variant}.elf", installed / "firmware" / f"{variant}.elf")
        self.lockstep("--dry-run", installed / "renode_loop.yaml", env=self.with_renode())

    def test_what_the_build_made_lies_where_the_scenario_finds_it(self):
        need_firmware()
        if not (BUILD / "firmware").exists():
            self.skipTest("this build folder has no firmware")
        for variant in VARIANTS:
            self.assert_same_file(BUILD / "firmware" / f"{variant}.elf", FIRMWARE / f"{variant}.elf")

    def test_the_gateway_closes_the_loop(self):
        nodes = common.SCENARIOS / "nodes"
        self.write("board.py", BOARD)
        samples = ["{ celsius: 20.0 }", "{ celsius: 23.0 }", "{ celsius: 90 }", "{ celsius: 21.0 }",
                   "{ celsius: 21.5 }", "{ celsius: warm }", "{ type: OTHER, celsius: 30 }"]
        scenario = self.write("loop.yaml", f"""
simulation: {{ duration: 1s, quantum: 1ms, seed: 1 }}
network: {{ model: latency, default_latency: 5ms }}
nodes:
  - id: probe
    type: device
    implementation: process
    command: [python3, board.py]
    environment: {{ PYTHONPATH: {nodes} }}
    config: {{ samples: [{", ".join(samples)}] }}
  - id: valve
    type: device
    implementation: process
    command: [python3, board.py]
    environment: {{ PYTHONPATH: {nodes} }}
  - id: gateway
    type: gateway
    implementation: process
    command: [python3, {nodes}/controller.py]
    config: {{ threshold: 22, actuator: valve, interval_ms: 800, alert_interval_ms: 50 }}
""")
        self.batch(scenario, "out", "-q")
        records = [r for r in self.records("out") if r["kind"] not in ("run", "end")]
        sent = [(r["t"], r["dst"], r["type"], r["payload"]) for r in records
                if r.get("src") == "gateway" and r.get("dst")]
        self.assertEqual(sent, [
            (205200, "valve", "COMMAND", {"state": 25}), (205200, "probe", "SET_INTERVAL", {"interval_ms": 50}),
            (305200, "valve", "COMMAND", {"state": 100}), (305200, "probe", "SET_INTERVAL", {"interval_ms": 50}),
            (405200, "valve", "COMMAND", {"state": 0}), (405200, "probe", "SET_INTERVAL", {"interval_ms": 800}),
        ])
        rows = (self.dir / "out" / "gateway_metrics.csv").read_text().split()
        self.assertEqual([row.split(",", 1)[1] for row in rows], [
            "event_type,value,details", "sample,20.0,probe", "sample,23.0,probe", "done,25,valve", "sample,90,probe",
            "done,100,valve", "sample,21.0,probe", "done,0,valve", "sample,21.5,probe"])
        self.assertEqual([r["payload"] for r in records if r.get("type") == "IGNORED"],
                         ["SAMPLE from probe is nothing to act on", "OTHER from probe is nothing to act on"])


if __name__ == "__main__":
    common.main()
