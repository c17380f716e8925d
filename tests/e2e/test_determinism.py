"""The same bytes from every way to the end: batch, every quantum stepped, the UI run through or stopped and stepped at
random. (That all builds give the same bytes is for who has more than one: .ci/run.)

STOPS=N: how often the random walk stops; 250 with FULL=1."""
import json
import pathlib
import tempfile
import time

import common
from terminal import PATIENCE, SLOWNESS, Pty, main

# What to give the scenario for a run that lasts long enough to be stopped in, yet takes little time.
OPTIONS = {"large": ["--duration", "2s"], "harness": ["--seed", "7"], "loader": ["--quantum", "700us"],
           "m0_baseline": ["--set", "nodes.sensor2.config.interval=3ms"],
           **{f"process_{name}": ["--quantum", quantum]
              for name, quantum in (("baseline", "5ms"), ("c", "2ms"), ("mixed", "10ms"), ("tcp", "5ms"))}}


def write_time(us, rng):
    """The same time in one of its spellings."""
    return rng.choice([f"{us}us", f"{us // 1000}.{us % 1000:03}ms", f"{us // 1000000}.{us % 1000000:06}s"])


class Determinism(common.Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="lockstep-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.references = pathlib.Path(folder.name)

    def scenarios(self):
        for path in sorted(common.SCENARIOS.glob("*.yaml")):
            if path.stem.startswith(("docker_", "renode_")):
                continue  # they need an engine, or Renode: test_docker.py, test_renode.py
            yield path.stem, [*OPTIONS.get(path.stem, []), path]

    def reference(self, name, args):
        """The folder of a run in batch, which all tests compare with."""
        out = self.references / name
        if not (out / "summary.json").exists():
            self.batch(args[-1], out, "-q", *args[:-1])
            self.assertGreater(self.summary(out)["messages"], 10)
        return out

    def assert_same_run(self, want, got):
        """events.jsonl and all metrics, byte for byte."""
        names = sorted(p.name for p in want.iterdir() if p.name == "events.jsonl" or p.suffix == ".csv")
        self.assertEqual(names, sorted(p.name for p in (self.dir / got).iterdir()
                                       if p.name == "events.jsonl" or p.suffix == ".csv"))
        self.assertGreater(len(names), 2)
        for name in names:
            self.assert_same_file(want / name, self.dir / got / name)

    def by_keys(self, out, lines, args):
        keys = self.write("keys", "\n".join(lines) + "\n")
        self.lockstep("--keys", keys, "--size", "100x30", "--out", self.dir / out, *args, timeout=PATIENCE * 3)

    def pauses(self, out):
        states = [json.loads(line).get("state") for line in (self.dir / out / "wall.jsonl").read_text().splitlines()]
        return states.count("PAUSED")

    def test_batch_twice_and_every_quantum_stepped(self):
        for name, args in self.scenarios():
            with self.subTest(scenario=name):
                want = self.reference(name, args)
                self.batch(args[-1], f"{name}-b", "--json", *args[:-1])
                self.batch(args[-1], f"{name}-c", "-q", "--no-skip", *args[:-1], timeout=PATIENCE * 3)
                self.assert_same_run(want, f"{name}-b")
                self.assert_same_run(want, f"{name}-c")

    def test_the_effective_scenario_repeats_the_run(self):
        for name, args in self.scenarios():
            with self.subTest(scenario=name):
                want = self.reference(name, args)
                self.batch(want / "scenario.yaml", f"{name}-b", "-q")
                self.assert_same_run(want, f"{name}-b")

    def test_the_ui_run_through(self):
        for name, args in self.scenarios():
            with self.subTest(scenario=name):
                want = self.reference(name, args)
                self.by_keys(f"{name}-ui", ["Space", "until FINISHED"], args)
                self.assert_same_run(want, f"{name}-ui")
                self.by_keys(f"{name}-long", ["until FINISHED"], ["--run", "--no-skip", *args])
                self.assert_same_run(want, f"{name}-long")

    def random_walk(self, rng, duration, quantum, stops):
        """Steps of a key file: from stop to stop in each of the ways there are, looking around now and then."""
        lines, now = [], 0
        times = sorted(rng.sample(range(1, duration // quantum), min(stops, duration // quantum - 1)))
        for n, to in enumerate(times):
            gap = to - now
            way = rng.random()
            if gap <= 3 and way < 0.6:
                lines += ["s"] * gap
            elif way < 0.45:
                lines += ["N", f"type {gap}", "Enter"]
            elif way < 0.8:
                lines += ["u", "type " + write_time(to * quantum - rng.randrange(quantum), rng), "Enter"]
            elif way < 0.9:
                lines += ["u", "type +" + write_time(gap * quantum, rng), "Enter"]
            elif n > 0.9 * len(times):
                # From here on the present time is not known: what has passed is refused.
                lines += ["Space", "until " + write_time(to * quantum, rng), "Space"]
            else:
                lines += ["N", f"type {gap}", "Enter"]
            lines.append("Esc")
            now = to
            if rng.random() < 0.2:
                lines += rng.choice([["Tab"], ["2", "Enter", "Esc"], ["/", "type TRANSMIT", "Enter", "n", "Esc"],
                                     ["z"], ["?", "Esc"], ["resize 60x20", "resize 120x40"],
                                     ["1", "Enter", "Down", "Esc"]])
        return [*lines, "Space", "until FINISHED"]

    def test_the_ui_with_random_pauses_and_steps(self):
        rng, stops = common.seeded_random(), common.number("STOPS", 80, 30, 250)
        for name, args in self.scenarios():
            with self.subTest(scenario=name):
                want = self.reference(name, args)
                run = self.records(want)[0]
                self.by_keys(f"{name}-walk", self.random_walk(rng, run["duration"], run["quantum"], stops), args)
                self.assert_same_run(want, f"{name}-walk")
                self.assertGreaterEqual(self.pauses(f"{name}-walk"), stops * 0.8)

    def test_the_ui_on_a_terminal(self):
        rng = common.seeded_random()
        for name, args in self.scenarios():
            with self.subTest(scenario=name):
                want = self.reference(name, args)
                p = Pty(self, "--out", f"{name}-pty", *args, columns=rng.randint(40, 200), rows=rng.randint(8, 60))
                p.wait(b"PAUSED")
                for _ in range(rng.randint(5, 20)):
                    p.send(rng.choice([b"s", b"s", b"N7\r", b"u+13ms\r", b"u+0.2s\r", b"\t", b"z", b"2\r\033",
                                       b"?\033", b"\x0c"]))
                    time.sleep(rng.random() * 0.05)
                time.sleep(0.1)
                p.send(b"\033")
                time.sleep(0.1)
                for _ in range(3):
                    p.send(b"  ")
                    time.sleep(rng.random() * 0.03)
                time.sleep(0.1 * SLOWNESS)
                p.send(b"c\x0c")
                p.wait(b"FINISHED")
                p.send(b"q")
                self.assertEqual(p.end(), 0)
                self.assert_same_run(want, f"{name}-pty")

    def test_an_aborted_run_is_the_beginning_of_the_whole_one(self):
        rng = common.seeded_random()
        for name, args in self.scenarios():
            with self.subTest(scenario=name):
                reference = self.reference(name, args)
                quanta = rng.randrange(1, self.summary(reference)["quanta"])
                keys = self.write("keys", f"N\ntype {quanta}\nEnter\na\n")
                self.lockstep("--keys", keys, "--out", self.dir / f"{name}-part", *args, expect=130,
                              timeout=PATIENCE * 3)
                lines = self.events(f"{name}-part").splitlines(True)
                end = json.loads(lines[-1])
                self.assertEqual((end["outcome"], end["quanta"]), ("aborted", quanta))
                whole = self.events(reference)
                self.assertTrue(whole.startswith(b"".join(lines[:-1])))
                # It lacks nothing: what follows in the whole run was sent no earlier than in the last quantum.
                following = json.loads(whole[sum(map(len, lines[:-1])):].splitlines()[0])
                run = json.loads(lines[0])
                self.assertGreaterEqual(following["t"], (quanta - 1) * run["quantum"])


if __name__ == "__main__":
    main()
