"""Back in time: what was in flight at an instant is shown again, live and of the run folder, byte for byte."""
import re
import sys

import common
import test_flight
from common import main

# More records than between two notes of what is in flight, and nodes that are paused meanwhile. What the cloud answers is stamped
# with a time that lies before the quantum in which it is sent.
BUSY = """
simulation: {{ duration: 4s, quantum: 5ms, seed: {seed} }}
network: {network}
nodes:
{sensors}
  - {{ id: gw, type: gateway }}
  - {{ id: top, type: cloud, config: {{ reply: true, processing_delay: 100us }} }}
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


NETWORKS = ["{ model: direct }"] + ["{ model: latency, default_latency: %s, default_loss: 0.02, links: "
                                    "[{ src: s3, dst: gw, latency: 700ms }, { src: top, dst: s2, latency: 1us }] }" % latency
                                    for latency in ("130ms", "1200ms", "2ms")]
PLACES = [["g"], ["G"], ["g", "PgDn"], ["g", *["PgDn"] * 4]]  # in the list, one after the other


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

    def busy(self, seed, network):
        sensors = "\n".join(f"  - {{ id: s{i}, type: sensor, config: {{ interval: {2 + i % 3}ms, "
                            f"destination: {'top' if i % 4 == 2 else 'gw'} }} }}" for i in range(40))
        return self.write("busy.yaml", BUSY.format(seed=seed, network=network, sensors=sensors))

    def look_at(self, instants, prefix):
        steps = []
        for i, t in instants:
            steps += [f":until {t.replace(' ', '')}s", *PLACES[i % len(PLACES)], f"screen {prefix}{i}"]
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
                    keys += [*PLACES[shots % len(PLACES)], f"screen live{shots}"]
                    shots += 1
                    t = min(t + rng.choice([10, 10, 20, 70, 100]), 590)
                    keys += [f":until {t}ms", "until PAUSED"]
                self.compare(scenario, keys, rng, f"run{n}")

    def test_runs_of_many_records_with_paused_nodes(self):
        rng = common.seeded_random()
        for n, network in enumerate(rng.sample(NETWORKS, common.number("NETWORKS", 4, 2, 4))):
            with self.subTest(network=network):
                scenario = self.busy(rng.randrange(1000), network)
                # By hand: a message that is in flight up to the end, with a payload of which its own record does not say.
                forward = ["i", "until PAUSED", "I", "type s1 gw HELLO 1 at 3.99s", "Enter", "G", "E", "Ctrl-U",
                           'type {"edited": true}', "Enter"]
                edges = [700, 705, 1100, 1105, 1295, 1300, 1305, 1900, 1905, 3095, 3100, 3105, 3500, 3505]
                for i, ms in enumerate(sorted({*edges, *(5 * rng.randrange(1, 799) for _ in range(10))})):
                    forward += [f":until {ms}ms", "until PAUSED", *PLACES[i % len(PLACES)], f"screen live{i}"]
                live = self.compare(scenario, forward, rng, f"busy{n}")
                self.assertGreater((self.dir / f"busy{n}" / "flight.bin").stat().st_size, 1000)
                self.assertRegex(live["live5"], "In flight.* [0-9]")
                self.assertIn("edited true", live["live5"])

    def test_a_run_that_failed_within_a_quantum_has_in_flight_what_it_had_at_its_last_barrier(self):
        node = self.write("dies.py", 'import sys\n'
                                     'for line in sys.stdin:\n'
                                     '    if line.startswith("INIT"):\n'
                                     '        print("READY", flush=True)\n'
                                     '    elif line.startswith("ADVANCE"):\n'
                                     '        if len(sys.stdin.readline()) > 5:\n'
                                     '            sys.exit(3)\n'
                                     '        print("DONE\\n[]", flush=True)\n')
        scenario = self.write("s.yaml", f"""
simulation: {{ duration: 2s, quantum: 10ms, seed: 1 }}
network: {{ model: latency, default_latency: 35ms }}
nodes:
  - {{ id: s1, type: sensor, config: {{ interval: 300ms, destination: p }} }}
  - {{ id: s2, type: sensor, config: {{ interval: 7ms, destination: gw }} }}
  - {{ id: p, type: device, implementation: process, command: [{sys.executable}, -B, {node}] }}
  - {{ id: gw, type: gateway }}
""")
        live = self.keys([scenario, "--out", self.dir / "run"], ["i", "c", "until FAILED", "g", "screen end"], "live",
                         expect=1)
        again = self.keys(["replay", self.dir / "run"], ["i", "V", "screen end", "S", "screen before"], "again")
        self.assertEqual(self.pane(live["end"]), self.pane(again["end"]))
        self.assertRegex(live["end"], r"waits.*s1 +→ p ")  # it was handed over in the quantum that is not part of the run
        self.assertIn(f"In flight 1 of {self.summary('run')['in_flight']} ", live["end"])
        self.assertEqual(self.instant(again["before"]), "1.030 000")

    def test_without_its_file_what_is_in_flight_is_found_too_and_nothing_can_be_changed(self):
        scenario = self.busy(3, NETWORKS[1])
        self.batch(scenario, "run", "-q")
        steps = ["i", ":until 2.7s", "g", "screen at"]
        refused = [step for key in "dDyEIL" for step in (key, "see This run is recorded")]
        with_file = self.keys(["replay", self.dir / "run"], steps + refused, "with")
        self.assertRegex(with_file["at"], "In flight 1 of [0-9,]{3,}")
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
