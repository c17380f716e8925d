#!/usr/bin/env python3
"""Plays random keys, texts and resizes into the terminal UI, over runs that go on and recorded ones, some of those cut:
it must neither crash nor hang, draw only whole screens, and end with a known code.

    random_keys.py LOCKSTEP SOURCE-DIR [--seed N] [--steps N] [--rounds N] [--only NAME]

The seed is printed; the same seed plays the same keys. Meant for a build with sanitizers.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

SCENARIOS = ["m0_baseline.yaml", "latency_loss.yaml", "three_tier.yaml", "ml_edge.yaml", "ml_cloud.yaml",
             "bad/many_problems.yaml", "process.yaml", "process_restarts.yaml", "flight.yaml",
             "replay latency_loss.yaml",
             "replay process.yaml", "replay process_fails.yaml", "replay faults.yaml", "replay flight.yaml",
             "faults.yaml"]
KEYS = ("Space s s s N n c F5 u a R R / / F f f b b b z z t w Enter Enter Esc Esc Tab Tab Shift-Tab 1 2 3 4 5 Up Down "
        "Left Right "
        "PgUp PgDn g G Home End j k ? F1 h p n y x X r l l y i i d D y E I L W S S , , C v V T T + - m m "
        ": : Tab Tab < > > o e Backspace Delete Insert F9 Ctrl-L Ctrl-A Ctrl-U x 7 ä 日").split()
TEXTS = ["3", "1", "+10ms", "2.5s", "100us", "-50ms", "nonsense", "sensor", "gateway", "TRANSMIT", "loss",
         "18446744073709551616",
         "size > 1", "type == TRANSMIT", "src =~ 1$ && payload.temperature > 20", "note kind == local", "once 3s",
         "hit 3 payload.sample_id >= 2", "abort kind == drop", "changed(payload.sample_id)", "count(size > 1) > 20",
         "src =",
         "0", "-5", "near gateway HELLO [1] at +5ms", "meter1 gateway 5ms 0.5", "to 3s", '{"a": [1.50]}',
         "é日本", "no such text", " ", "9" * 300,
         "node sen", "step 2", "help", "pane ", "follow", "brake", "find gateway", "log gateway",
         "export x.csv", "x.json", "x.txt"]
MOUSE = ["click", "double-click", "wheel-up", "wheel-down"]
COMMANDS = ["step", "next", "pane events", "help", "help until", "zoom", "back", "find sensor", "export y.csv",
            "sort-next", "step-back 3", "bisect size > 1", "break type == ALERT", "run-back", "now", "timeline",
            "watch payload.temperature", "watch type where size > 1", "watch state", "unwatch all"]
SCREEN_EVERY = 25  # steps
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
        return f":\ntype {rng.choice(COMMANDS)}\nEnter"
    if kind < 0.1705:
        return rng.choice(["q", "Q", "Ctrl-C"])
    return rng.choice(KEYS)


def random_script(rng: random.Random, count: int) -> tuple[str, list[tuple[int, int]]]:
    """The steps, and the sizes of the screens that they save."""
    steps, sizes, size = [], [], (80, 24)
    for i in range(count):
        steps.append(random_step(rng))
        if steps[-1].startswith("resize "):
            columns, rows = steps[-1].split()[1].split("x")
            size = int(columns), int(rows)
        if i % SCREEN_EVERY == 0:
            steps.append(f"screen screen{len(sizes)}")
            sizes.append(size)
    return "\n".join(steps) + "\n", sizes


def width(line: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def played(work: Path, sizes: list[tuple[int, int]]) -> int:
    """Percent of the steps: q, Q and Ctrl-C leave."""
    return 100 * sum((work / f"screen{i}").exists() for i in range(len(sizes))) // len(sizes)


def wrong_screens(work: Path, sizes: list[tuple[int, int]], ascii_only: bool) -> str:
    """What is wrong with the screens that were saved; those behind the key that has left were not."""
    for i, (columns, rows) in enumerate(sizes):
        path = work / f"screen{i}"
        if not path.exists():
            return "no screen was saved" if i == 0 else ""
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        if len(lines) != rows or any(width(line) > columns for line in lines):
            return f"{path.name}: not {columns}x{rows}\n" + "\n".join(lines)
        if any(c < " " or "\x7f" <= c < "\xa0" or (ascii_only and c > "~") for line in lines for c in line):
            return f"{path.name}: has characters that no screen has\n" + "\n".join(lines)
    return ""


def record(rng: random.Random, lockstep: Path, work: Path, scenario: str) -> list[str]:
    """A run folder, of which every third is cut somewhere; returns the arguments that open it."""
    subprocess.run([lockstep, "--batch", "--quiet", "--out", "run", f"scenarios/{scenario}"], cwd=work, check=False,
                   capture_output=True, timeout=300)
    if rng.random() < 0.33:
        path = work / "run" / rng.choice(["history.bin", "events.jsonl"])
        os.truncate(path, rng.randrange(path.stat().st_size))
    at = ["--at", rng.choice(["0s", "0.5s", "2.5s", "1h"])] if rng.random() < 0.5 else []
    stops = ["--break", rng.choice(["kind == node", "size > 1", "2.5s"])] if rng.random() < 0.5 else []
    return ["replay", "run", *at, *stops]


def play(rng: random.Random, lockstep: Path, source: Path, scenario: str, count: int) -> tuple[int | str, str, int]:
    """Returns the exit code, what is wrong, and how much was played."""
    steps, sizes = random_script(rng, count)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        shutil.copytree(source / "scenarios", work / "scenarios")
        for file in [*(source / "tests/ui").glob("*.yaml"), *(source / "tests/nodes").glob("ui_*.py")]:
            shutil.copy(file, work / "scenarios")
        (work / "keys").write_text(steps, encoding="utf-8")
        extra = ["--ascii"] if rng.random() < 0.3 else []
        recorded = scenario.startswith("replay ")
        what = record(rng, lockstep, work, scenario[7:]) if recorded else [f"scenarios/{scenario}"]
        try:
            done = subprocess.run([lockstep, *what, "--keys", "keys", "--size", "80x24", *extra], cwd=work,
                                  capture_output=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            return "none", "it hangs", played(work, sizes)
        said = done.stderr.decode(errors="replace")
        if said and recorded and done.returncode == 3 and "/events.jsonl does not begin with" in said:
            return 3, "", 0  # it was cut there
        return done.returncode, said or wrong_screens(work, sizes, bool(extra)), played(work, sizes)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("lockstep", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--rounds", type=int, default=len(SCENARIOS))
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    failed = 0
    scenarios = [s for s in SCENARIOS if options.only in s]
    for round_number in range(options.rounds):
        scenario = scenarios[round_number % len(scenarios)]
        code, wrong, share = play(rng, options.lockstep.resolve(), options.source, scenario, options.steps)
        if code in KNOWN_CODES and not wrong:
            print(f"ok    {scenario}: {share} % of {options.steps} steps, exit code {code}", flush=True)
        else:
            failed += 1
            print(f"FAIL  {scenario}: exit code {code}\n{wrong[:4000]}", flush=True)
    print(f"{options.rounds - failed} passed, {failed} failed (seed {options.seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
