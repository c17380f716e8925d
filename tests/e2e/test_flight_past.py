"""Back in time: what was in flight at an instant is shown again, live and of the run folder, byte for byte."""
import re

import common
import test_flight
from common import main

# More records than between two notes of what is in flight, two nodes that are paused, a dozen links with latencies of their own.
BUSY = """
simulation: {{ duration: 4s, quantum: 5ms, seed: {seed} }}
network:
  model: latency
  default_latency: {latency}
  default_loss: 0.02
  links: [{{ src: s3, dst: gw, latency: 700ms }}, {{ src: gw, dst: top, latency: 1us }}]
nodes:
{sensors}
  - {{ id: gw, type: gateway, config: {{ forward_to: top }} }}
  - {{ id: top, type: cloud, config: {{ reply: true }} }}
faults:
  - {{ at: 0.7s, node: top, action: pause }}
  - {{ at: 1.1s, node: gw, action: pause }}
  - {{ at: 1.3s, node: gw, action: resume }}
  - {{ at: 1.3s, node: gw, action: pause }}
  - {{ at: 1.9s, node: gw, action: resume }}
  - {{ at: 2.5s, node: gw, action: pause }}
  - {{ at: 3.1s, node: gw, action: restart }}
  - {{ at: 3.5s, node: top, action: resume }}
"""


class FlightPast(common.Case):
    maxDiff = None
    scenario = test_flight.Flight.scenario
    act = test_flight.Flight.act
    new_message = staticmethod(test_flight.Flight.new_message)

    def keys(self, arguments, steps, name, expect=0):
        """Drives the UI; the screens that were saved are returned by their names."""
        saved = [s.split()[1] for s in steps if s.startswith("screen ")]
        lines = [f"screen {self.dir / s.split()[1]}" if s.startswith("screen ") else s for s in steps]
        file = self.write(f"{name}.keys", "\n".join(lines) + "\n")
        self.lockstep(*arguments, "--keys", file, "--size", "120x40", expect=expect)
        return {s: (self.dir / s).read_text() for s in saved}

    @staticmethod
    def instant(screen):
        return re.search(r"(?:PAUSED|PAST|REPLAY|FINISHED|FAILED) +([0-9. ]+) s", screen.splitlines()[0]).group(1)

    @staticmethod
    def pane(screen):
        """All of it: without the header, the status line and the key bar. Where it is empty it says what can be done, and of the
        past that is less."""
        text = "\n".join(screen.splitlines()[1:-2])
        return re.sub(" *(I puts a message in, )?\\. steps to the next event *", "", text)

    def look_at(self, instants, prefix):
        steps = []
        for i, t in instants:
            steps += [f":until {t.replace(' ', '')}s", "g", f"screen {prefix}{i}"]
        return steps

    def assert_same_panes(self, live, again, prefix, instants):
        for i, t in instants:
            self.assertEqual(self.instant(again[f"{prefix}{i}"]), t)
            self.assertEqual(self.pane(live[f"live{i}"]), self.pane(again[f"{prefix}{i}"]), f"{prefix} at {t} s")

    def compare(self, scenario, forward, rng, name):
        """`forward` leads through the run and saves live0, live1, … right before each move."""
        out = self.dir / name
        end = ["V", "c", "until FINISHED", "g", "screen end"]
        live = self.keys([scenario, "--out", out], forward + end, f"{name}.1")
        count = sum(s.startswith("screen ") for s in forward)
        instants = [(i, self.instant(live[f"live{i}"])) for i in range(count)]
        self.assertEqual(len({t for _, t in instants}), count)
        # Once more, as the same keys do the same: now looking back at the end, where the nodes still wait.
        order = rng.sample(instants[:-1], min(8, count - 1))
        again = self.keys([scenario, "--out", self.dir / f"{name}.again"], forward + self.look_at(order, "past") + end, f"{name}.2")
        self.assert_same_panes(again, again, "past", order)
        order = rng.sample(instants, count)
        replayed = self.keys(["replay", out], ["i"] + self.look_at(order, "replay") + ["V", "g", "screen end"], f"{name}.3")
        self.assert_same_panes(live, replayed, "replay", order)
        self.assertEqual(self.pane(live["end"]), self.pane(replayed["end"]), "at the end")
        return live

    def test_sessions_in_which_messages_were_changed_by_hand(self):
        rng = common.seeded_random()
        for n in range(common.number("SESSIONS", 4, 2, 200)):
            with self.subTest(session=n):
                scenario, latency = self.scenario(rng)
                keys, t, shots = ["i"], 0, 0
                while t < 580:
                    for _ in range(rng.choice([0, 1, 1, 2, 4])):
                        keys += self.act(rng, latency, t)
                    keys += ["g", f"screen live{shots}"]
                    shots += 1
                    t = min(t + rng.choice([10, 10, 20, 70, 100]), 590)
                    keys += [f":until {t}ms", "until PAUSED"]
                self.compare(scenario, keys, rng, f"run{n}")

    def test_runs_of_many_records_with_paused_nodes(self):
        rng = common.seeded_random()
        for n, latency in enumerate(("130ms", "1200ms", "2ms")):
            with self.subTest(latency=latency):
                sensors = "\n".join(f"  - {{ id: s{i}, type: sensor, config: {{ interval: {3 + i % 5}ms }} }}" for i in range(30))
                scenario = self.write("busy.yaml", BUSY.format(seed=rng.randrange(1000), latency=latency, sensors=sensors))
                forward = ["i"]
                edges = [700, 705, 1100, 1105, 1295, 1300, 1305, 1900, 1905, 3095, 3100, 3105, 3500, 3505]
                for i, ms in enumerate(sorted({*edges, *(5 * rng.randrange(1, 799) for _ in range(10))})):
                    forward += [f":until {ms}ms", "until PAUSED", "g", f"screen live{i}"]
                live = self.compare(scenario, forward, rng, f"busy{n}")
                self.assertGreater((self.dir / f"busy{n}" / "flight.bin").stat().st_size, 1000)
                self.assertIn("In flight", live["live5"])

    def test_without_its_file_what_is_in_flight_is_found_too_and_nothing_can_be_changed(self):
        sensors = "\n".join(f"  - {{ id: s{i}, type: sensor, config: {{ interval: 3ms }} }}" for i in range(30))
        scenario = self.write("busy.yaml", BUSY.format(seed=3, latency="50ms", sensors=sensors))
        self.batch(scenario, "run", "-q")
        steps = ["i", ":until 2.7s", "g", "screen at"]
        refused = [step for key in "dDyEIL" for step in (key, "see This run is recorded")]
        with_file = self.keys(["replay", self.dir / "run"], steps + refused, "with")
        self.assertIn("1 of ", self.pane(with_file["at"]) + " 1 of ")
        whole = (self.dir / "run" / "flight.bin").read_bytes()
        for size in (None, 0, 7, len(whole) // 2, len(whole) - 1):
            (self.dir / "run" / "flight.bin").unlink()
            if size is not None:
                (self.dir / "run" / "flight.bin").write_bytes(whole[:size])
            else:
                self.assertFalse((self.dir / "run" / "flight.bin").exists())
            self.assertEqual(self.keys(["replay", self.dir / "run"], steps, "without"), with_file, f"{size} bytes")
            (self.dir / "run" / "flight.bin").touch()


if __name__ == "__main__":
    main()
