#!/usr/bin/env python3
"""Plays random keys, texts and resizes into the terminal UI: it must neither crash nor hang, and end with a known code.

    random_keys.py LOCKSTEP SOURCE-DIR [--seed N] [--steps N] [--rounds N] [--only NAME]

The seed is printed; the same seed plays the same keys. Meant for a build with sanitizers.
"""
import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SCENARIOS = ["m0_baseline.yaml", "latency_loss.yaml", "three_tier.yaml", "ml_edge.yaml", "ml_cloud.yaml",
             "bad/many_problems.yaml", "process.yaml", "process_restarts.yaml", "flight.yaml"]
KEYS = ("Space s s s N n c F5 u a R R / / F f f b b b z z t w Enter Enter Esc Esc Tab Tab Shift-Tab 1 2 3 4 5 Up Down Left Right "
        "PgUp PgDn g G Home End j k ? F1 h p n y x X r l l y i i d D y E I L W S S , , C v V T T + - m m "
        ": : Tab Tab < > > o e Backspace Delete Insert F9 Ctrl-L Ctrl-A Ctrl-U x 7 ä 日").split()
TEXTS = ["3", "1", "+10ms", "2.5s", "100us", "-50ms", "nonsense", "sensor", "gateway", "TRANSMIT", "loss", "18446744073709551616",
         "size > 1", "type == TRANSMIT", "src =~ 1$ && payload.temperature > 20", "note kind == local", "once 3s",
         "hit 3 payload.sample_id >= 2", "abort kind == drop", "changed(payload.sample_id)", "count(size > 1) > 20", "src =",
         "0", "-5", "near gateway HELLO [1] at +5ms", "meter1 gateway 5ms 0.5", "to 3s", '{"a": [1.50]}',
         "é日本", "no such text", " ", "9" * 300,
         "node sen", "step 2", "help", "pane ", "follow", "brake", "find gateway", "log gateway",
         "export x.csv", "x.json", "x.txt"]
MOUSE = ["click", "double-click", "wheel-up", "wheel-down"]
COMMANDS = [":step", ":next", ":pane events", ":help", ":help until", ":zoom", ":back", ":find sensor", ":export y.csv",
            ":sort-next", ":step-back 3", ":bisect size > 1", ":break type == ALERT", ":run-back", ":now", ":timeline",
            ":watch payload.temperature", ":watch type where size > 1", ":watch state", ":unwatch all"]
KNOWN_CODES = {0, 1, 3, 130}  # 1: a node was killed; a step that does not come about is told on stderr


def random_step(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.08:
        return f"type {rng.choice(TEXTS)}\nEnter"
    if kind < 0.13:
        return f"resize {rng.choice([1, 2, 39, 40, 59, 60, 80, 109, 110, rng.randint(1, 250)])}x" \
               f"{rng.choice([1, 2, 7, 8, 13, 16, 24, rng.randint(1, 80)])}"
    if kind < 0.15:
        return f"{rng.choice(MOUSE)} {rng.randint(0, 90)},{rng.randint(0, 26)}"
    if kind < 0.17:
        return rng.choice(COMMANDS)
    if kind < 0.172:
        return rng.choice(["q", "Q", "Ctrl-C"])
    return rng.choice(KEYS)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("lockstep", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    failed = 0
    scenarios = [s for s in SCENARIOS if options.only in s]
    for round_number in range(options.rounds):
        scenario = scenarios[round_number % len(scenarios)]
        steps = "\n".join(random_step(rng) for _ in range(options.steps)) + "\n"
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            shutil.copytree(options.source / "scenarios", work / "scenarios")
            for file in [*(options.source / "tests/ui").glob("*.yaml"),
                         *(options.source / "tests/nodes").glob("ui_*.py")]:
                shutil.copy(file, work / "scenarios")
            (work / "keys").write_text(steps, encoding="utf-8")
            extra = ["--ascii"] if rng.random() < 0.3 else []
            command = [options.lockstep.resolve(), "--keys", "keys", "--size", "80x24", *extra, f"scenarios/{scenario}"]
            try:
                done = subprocess.run(command, cwd=work, capture_output=True, timeout=300, check=False)
                code, said = done.returncode, done.stderr.decode(errors="replace")
            except subprocess.TimeoutExpired:
                code, said = "none", "it hangs"
        if code in KNOWN_CODES and not said:
            print(f"ok    {scenario}: {options.steps} steps, exit code {code}", flush=True)
        else:
            failed += 1
            print(f"FAIL  {scenario}: exit code {code}\n{said[-4000:]}", flush=True)
    print(f"{options.rounds - failed} passed, {failed} failed (seed {options.seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
