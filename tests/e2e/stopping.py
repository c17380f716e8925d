"""A run that is stopped on a payload's value, looked back on across that, and gone on with: what the screens then say,
and that the run is the one it would have been. The same for every kind of node."""
import re

import common

SIZE = "160x48"

# The gateway, of whatever kind, sends means with a count; the condition holds for the second and the third.
SCENARIO = """
simulation: {{ duration: 18s, quantum: 10ms, seed: 5 }}
network: {{ model: latency, default_latency: 30ms }}
nodes:
  - {{ id: meter, type: sensor, config: {{ interval: 700ms, destination: gw }} }}
  - {{ id: gw, type: gateway, config: {{ forward_to: top }}{gateway} }}
  - {{ id: top, type: cloud, config: {{ reply: true }} }}
"""
CONDITION = "payload.count >= 10 && src == gw"


def holds(record):
    return record.get("src") == "gw" and isinstance(record["payload"], dict) and record["payload"].get("count", 0) >= 10


STEPS = """
Space
until PAUSED
screen hit
S
screen back
,
screen before
C
screen begin
s
screen forward
c
screen again
c
until PAUSED
screen second
C
screen first
s
Space
screen third
S
V
c
until FINISHED
C
screen last
c
screen end
"""
REPLAY = """
c
screen hit
S
screen back
,
screen before
C
screen begin
c
screen again
c
screen second
C
screen first
"""


class Case(common.Case):
    def play(self, folder, steps, *args, env=None):
        """Plays the keys; returns the screens by their names."""
        folder.mkdir(exist_ok=True)
        keys = folder / "steps.keys"
        keys.write_text(re.sub("(?m)^screen ", f"screen {folder}/screen-", steps.lstrip()))
        self.lockstep(*args, "--keys", keys, "--size", SIZE, env=env, timeout=120)
        return {name: (folder / f"screen-{name}").read_text() for name in re.findall("(?m)^screen (.*)$", steps)}

    def moment(self, screen):
        """What the first line says: whether that is now or the past, and the time in us."""
        state, time = re.search(r" (PAUSED|PAST|REPLAY|FINISHED) +([0-9. ]+) s", screen.splitlines()[0]).groups()
        return state, int(time.replace(" ", "").replace(".", ""))

    def shows(self, screen, state, t, what):
        self.assertEqual(self.moment(screen), (state, t), f"{what}:\n{screen}")

    def stopped_at(self, screen, state, t, record, what):
        """At that time because of that record, which is selected."""
        self.shows(screen, state, t, what)
        self.assertIn(f"Break 1, record {record['n']}: ", screen, what)
        self.assertRegex(screen, rf"─ (message|local) .* record {record['n']} ", what)

    def look_back(self, shown, state, q, first, before, now):
        """Across the first stop; each is (time, record)."""
        self.stopped_at(shown["hit"], now, *first, "the first stop")
        self.shows(shown["back"], state, first[0] - q, "a quantum back")
        self.assertNotRegex(shown["back"], rf"─ (message|local) .* record {first[1]['n']} ")
        self.shows(shown["before"], state, before, "an event back")
        self.shows(shown["begin"], state, 0, "back to where there is no stop before")
        self.stopped_at(shown["again"], now, *first, "there again")

    def barrier(self, record, q):
        """Where it is known: at the end of the quantum in which it was sent."""
        return record["t"] // q * q + q

    def check(self, scenario, condition=CONDITION, holds=holds, where=None, env=None):
        where = where or self.dir
        name = where.relative_to(self.dir)
        self.batch(scenario, name / "whole", "-q", env=env, timeout=120)
        records = self.records(name / "whole")
        q = records[0]["quantum"]
        one, two = [(self.barrier(r, q), r) for r in records if r["kind"] in ("message", "local") and holds(r)]
        barriers = [self.barrier(r, q) for r in records if r["kind"] in ("message", "local")]
        before = max(t for t in barriers if t < one[0])
        shown = self.play(where / "live", STEPS, "--out", where / "stopped", "--break", condition, scenario, env=env)
        self.look_back(shown, "PAST", q, one, before, "PAUSED")
        self.assertEqual(shown["hit"], shown["again"])
        self.shows(shown["forward"], "PAST", q, "forward, in the past")
        self.stopped_at(shown["second"], "PAUSED", *two, "the second stop")
        self.stopped_at(shown["first"], "PAST", *one, "back to the first stop")
        self.stopped_at(shown["third"], "PAUSED", *two, "the second stop again")
        self.stopped_at(shown["last"], "PAST", *two, "back from the end")
        self.shows(shown["end"], "FINISHED", records[-1]["t"], "the end again")
        self.assert_same_file(where / "whole" / "events.jsonl", where / "stopped" / "events.jsonl")
        shown = self.play(where / "replay", REPLAY, "replay", where / "stopped", "--break", condition)
        self.look_back(shown, "REPLAY", q, one, before, "REPLAY")
        self.stopped_at(shown["second"], "REPLAY", *two, "the second stop")
        self.stopped_at(shown["first"], "REPLAY", *one, "back to the first stop")
