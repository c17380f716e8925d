"""Stopped on a payload's value, back across it, forward again and on to the end: over each kind of node, but containers
(test_docker_debugger.py)."""
import os
import sys

import common
import stopping

FIRMWARE = common.SCENARIOS / "firmware"
PEER = common.SOURCE / "tests" / "support" / "renode" / "renode"
RENODE = """
simulation: {{ duration: 3500ms, quantum: 10ms, seed: 7 }}
nodes:
  - id: mcu
    type: device
    implementation: renode
    renode: {renode}
    platform: {firmware}/board.repl
    firmware: {firmware}/sensor.elf
    timeouts: {{ start: 60s, step: 60s, stop: 2s }}
  - {{ id: gateway, type: gateway }}
"""


class Debugger(stopping.Case):
    def over(self, gateway):
        self.check(self.write("s.yaml", stopping.SCENARIO.format(gateway=gateway)))

    def test_models(self):
        self.over("")

    def test_a_process_over_stdio(self):
        self.over(f", implementation: process, command: [{sys.executable}, -B, {common.SCENARIOS}/nodes/gateway.py]")

    def test_a_program_over_stdio(self):
        self.over(", implementation: process, command: [lockstep-node-gateway]")

    def test_firmware(self):
        tmp = self.dir / "tmp"
        tmp.mkdir()
        renode = os.environ.get("LOCKSTEP_RENODE") or PEER
        scenario = self.write("s.yaml", RENODE.format(renode=renode, firmware=FIRMWARE))
        self.check(scenario, "payload.sample >= 2 && src == mcu",
                   lambda r: r["src"] == "mcu" and r["payload"].get("sample", 0) >= 2, env={"TMPDIR": str(tmp)})
        self.assertEqual(os.listdir(tmp), [], "left in TMPDIR")


if __name__ == "__main__":
    common.main()
