"""The metrics files of the reference implementation, byte for byte; and those of an independent model of the
semantics (tests/support/reference.py) over random scenarios, SCENARIOS=N of them."""
import json
import sys

import common

sys.path.insert(0, str(common.SOURCE / "tests" / "support"))
import reference


class Golden(common.Case):
    def test_the_metrics_are_those_of_the_reference_implementation(self):
        folders = [p for p in (common.SOURCE / "tests" / "golden").iterdir() if p.is_dir()]
        self.assertGreaterEqual(len(folders), 2)
        for folder in folders:
            for skip in ([], ["--no-skip"]):
                self.batch(folder / "scenario.yaml", "out", *skip)
                files = list(folder.glob("*.csv"))
                self.assertGreaterEqual(len(files), 2)
                for want in files:
                    self.assert_same_file(want, self.dir / "out" / want.name)


def random_scenario(rng):
    sensors, gateways = rng.randint(1, 8), rng.randint(1, 3)
    quantum = rng.choice([100, 700, 1000, 3333, 10000, 250000, 1000000, 7000000])
    s = {"duration": rng.randint(1, 400) * rng.choice([1000, 25000, 99999]), "quantum": quantum,
         "seed": rng.choice([0, 1, 42, rng.getrandbits(31), rng.getrandbits(63)]),
         "network": rng.choice(["direct", "latency"]), "latency": rng.choice([0, 1, 100, 2500, 10000, 999999, 6000000]),
         "loss": rng.choice([0.0, 0.01, 0.5, 1.0]), "links": [], "nodes": []}
    s["duration"] = max(s["duration"], quantum // 50)
    if s["duration"] // quantum > 200000:
        s["quantum"] = 1000
    names = ["gateway"] + [f"gw-{i}" for i in range(2, gateways + 1)]
    placement = rng.choice([None, None, "edge", "cloud"])
    with_cloud = placement == "cloud" or rng.random() < 0.4
    for i in range(sensors):
        node = {"id": f"s.{i}", "type": "sensor"}
        if rng.random() < 0.5:
            node["destination"] = rng.choice(names)
        if rng.random() < 0.5:
            node["interval"] = rng.choice([1000, 33333, 250000, 1000000, 1700000])
        s["nodes"].append(node)
    for name in names:
        node = {"id": name, "type": "gateway"}
        if with_cloud and rng.random() < 0.7:
            node["forward_to"] = "cloud"
        if placement == "edge" and rng.random() < 0.5:
            node["inference_delay"] = rng.choice([0, 77, 20000])
        s["nodes"].append(node)
    if with_cloud:
        s["nodes"].append({"id": "cloud", "type": "cloud", "processing_delay": rng.choice([0, 5000, 123456]),
                           "reply": rng.random() < 0.5})
    rng.shuffle(s["nodes"])
    ids = [n["id"] for n in s["nodes"]]
    if s["network"] == "latency":
        pairs = {(rng.choice(ids), rng.choice(ids)) for _ in range(rng.randint(0, 6))}
        s["links"] = [{"src": a, "dst": b, "latency": rng.choice([0, 50, 1000, 40000]),
                       "loss": rng.choice([0.0, 0.1, 0.9])} for a, b in sorted(pairs) if a != b]
    if placement:
        s["ml"] = {"placement": placement, "threshold": rng.choice([0.2, 0.5, 0.9]),
                   "model": {"kind": "logistic", "features": ["temperature"], "mean": [20.0], "scale": [2.0],
                             "weights": [1.5], "bias": -3.0}}
    return s


def as_yaml(s):
    """The canonical spelling; JSON is YAML."""
    nodes = []
    for n in s["nodes"]:
        config = {k: f"{v}us" if k in ("interval", "processing_delay", "inference_delay") else v
                  for k, v in n.items() if k not in ("id", "type")}
        nodes.append({"id": n["id"], "type": n["type"], "config": config})
    doc = {"name": "random", "nodes": nodes,
           "simulation": {"duration": f"{s['duration']}us", "quantum": f"{s['quantum']}us", "seed": s["seed"]}}
    if s["network"] == "latency":
        doc["network"] = {"model": "latency", "default_latency": f"{s['latency']}us", "default_loss": s["loss"],
                          "links": [dict(l, latency=f"{l['latency']}us") for l in s["links"]]}
    if "ml" in s:
        place = s["ml"]["placement"]
        doc["ml_inference"] = {"placement": place, f"{place}_config": {"model_path": "model.json",
                                                                       "threshold": s["ml"]["threshold"]}}
    return json.dumps(doc, indent=1)


class Differential(common.Case):
    def compare(self, s, *args):
        """Runs scenario s both ways; returns how many rows were compared."""
        rows = 0
        (self.dir / "want").mkdir(exist_ok=True)
        (self.dir / "model.json").write_text(json.dumps(s.get("ml", {}).get("model", {})))
        reference.run(s, self.dir / "want")
        self.batch(self.write("random.yaml", as_yaml(s)), "out", "-q", *args)
        for n in s["nodes"]:
            name = n["id"] + "_metrics.csv"
            self.assert_same_file(self.dir / "want" / name, self.dir / "out" / name)
            rows += (self.dir / "out" / name).read_bytes().count(b"\n")
        return rows

    def test_a_quantum_that_takes_many_slices_of_work_is_no_different(self):
        sensors = [{"id": f"s{i}", "type": "sensor", "interval": 200, "destination": "cloud"} for i in range(3)]
        self.compare({"duration": 7000000, "quantum": 5000000, "seed": 3, "network": "direct",
                      "nodes": sensors + [{"id": "cloud", "type": "cloud"}]})

    def test_random_scenarios_give_the_metrics_of_an_independent_model(self):
        rng = common.seeded_random()
        rows = 0
        for i in range(common.number("SCENARIOS", 40, 12, 60)):
            with self.subTest(scenario=i):
                rows += self.compare(random_scenario(rng), *(["--no-skip"] if i % 4 == 0 else []))
        self.assertGreater(rows, 1000)


if __name__ == "__main__":
    common.main()
