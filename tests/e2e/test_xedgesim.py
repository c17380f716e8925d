"""Nodes as xEdgeSim's Python ones are (TCP, dialect `node`, no next_us, strict about keys) run under lockstep as they
are, alone and mixed with built-in models and with the examples, and write the metrics of the reference
implementation."""
import sys

import common
from common import main

GOLDEN = common.SOURCE / "tests" / "golden" / "m0_seed42"
IDS = ["sensor1", "sensor2", "sensor3", "gateway"]


class XEdgeSim(common.Case):
    def run_mix(self, mix, quantum):
        """`mix`: of each node, whether it is a model, an example in C, or one as xEdgeSim's."""
        work = self.dir / "work"
        work.mkdir(exist_ok=True)
        lines = [f"simulation: {{ duration: 10s, quantum: {quantum}, seed: 42 }}", "nodes:"]
        for node, kind, port in zip(IDS, mix, [common.free_port() for _ in IDS]):
            kind_of = "gateway" if node == "gateway" else "sensor"
            how = {"model": "",
                   "c": f", implementation: process, command: lockstep-node-{kind_of}",
                   "xedgesim": f", implementation: process, transport: tcp, port: {port}, working_dir: \"{work}\", "
                               f"command: [{sys.executable}, \"{common.SOURCE}/tests/nodes/xedgesim_{kind_of}.py\", "
                               f"\"{port}\"]"}[kind]
            lines.append(f"  - {{ id: {node}, type: {kind_of}{how} }}")
        self.batch(self.write("mix.yaml", "\n".join(lines) + "\n"), "out", timeout=280)
        for node, kind in zip(IDS, mix):
            name = f"{node}_metrics.csv"
            self.assert_same_file(GOLDEN / name, (work if kind == "xedgesim" else self.dir / "out") / name)
        return [r for r in self.records("out") if r["kind"] in ("warning", "drop")]

    def test_all_of_them_as_they_are(self):
        self.assertEqual(self.run_mix(["xedgesim"] * 4, "10ms" if common.SANITIZED else "1ms"), [])

    def test_any_mix_with_models_and_other_processes(self):
        rng, kinds = common.seeded_random(), ["model", "c", "xedgesim"]
        for _ in range(common.number("MIXES", 4, 2, 12)):
            mix = rng.sample([*kinds, rng.choice(kinds)], len(IDS))
            with self.subTest(mix=mix):
                self.assertEqual(self.run_mix(mix, "5ms"), [])


if __name__ == "__main__":
    main()
