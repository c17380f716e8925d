"""What must hold after a run, by whatever means and at whatever moment it was ended."""
import collections
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import time

import terminal

FILES = re.compile(r"scenario\.yaml|events\.jsonl|(history|flight)\.bin|wall\.jsonl|summary\.json|"
                   r"[cnm]\d_metrics\.csv|logs(/[cnm]\d\.log)?")


def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def processes_with(token):
    return [f"{pid} {read(f'/proc/{pid}/comm').decode(errors='replace').strip()}" for pid in os.listdir("/proc")
            if pid.isdigit() and token in read(f"/proc/{pid}/environ")]


def sockets_at(ports, folder):
    """What is left at ports of ours, or in a folder of ours."""
    left = [line for line in read("/proc/net/unix").decode(errors="replace").splitlines() if folder in line]
    for line in read("/proc/net/tcp").decode().splitlines()[1:]:
        _, here, there, state = line.split()[:4]
        if state != "06" and ports & {int(here.split(":")[1], 16), int(there.split(":")[1], 16)}:  # TIME_WAIT is none
            left.append(line)
    return left


class Aftermath:
    """To be inherited from, beside a case. What is wrong is collected. `plan` has the run's quantum and nodes; `p` is
    lockstep, `out` its run folder, `token` what marks its processes."""
    full = False  # the disk is: files may be cut off

    def __init__(self):
        super().__init__()
        self.wrong, self.facts, self.records = [], collections.Counter(), []
        self.token = f"{random.SystemRandom().getrandbits(64):016x}".encode()
        self.p = None

    def check(self, good, *what):
        if not good:
            self.wrong.append(" ".join(str(w) for w in what)[:1500])

    def within(self, seconds, look):
        """What is left, at the latest then."""
        end = time.monotonic() + seconds
        while True:
            left = look()
            if not left or time.monotonic() > end:
                return left
            time.sleep(0.02)

    def guard(self):
        return next((pid for pid in terminal.children(self.p.pid)
                     if read(f"/proc/{pid}/comm") == b"lockstep-guard\n"), None)

    def signal_lockstep(self, number):
        if self.p.poll() is None:
            self.p.send_signal(number)

    def kill_all(self):
        """After a failure: so that the next run is not blamed for it."""
        left = processes_with(self.token)
        for process in left:
            try:
                os.kill(int(process.split()[0]), signal.SIGKILL)
            except ProcessLookupError:
                pass
        return left

    def check_names(self):
        there = [str(f.relative_to(self.out)) for f in self.out.rglob("*")]
        odd = [name for name in there if not FILES.fullmatch(name)]
        self.check(not odd, "strange files:", odd)

    def lines(self, folder, name="events.jsonl"):
        data = read(folder / name)
        self.check(not data or data.endswith(b"\n"), name, "ends in a part of a line:", data[-200:])
        return data.splitlines(keepends=True)

    def check_records(self):
        self.records = []
        for name in ("wall.jsonl", "events.jsonl"):
            for i, line in enumerate(self.lines(self.out, name)):
                try:
                    record = json.loads(line)
                except ValueError as error:
                    self.check(False, f"line {i} of {name}:", error, line[:300])
                    return
                if name == "events.jsonl":
                    self.records.append(record)
        self.check([r["n"] for r in self.records] == list(range(len(self.records))), "n is not consecutive")
        kinds = [r["kind"] for r in self.records]
        self.check(not kinds or kinds[0] == "run" and "run" not in kinds[1:] and "end" not in kinds[:-1],
                   "not in order:", kinds[:1], kinds[-1:])

    def check_summary(self):
        path, code = self.out / "summary.json", self.p.returncode
        if not path.exists():
            # It was ended before there was a run, by the signal itself or by its handler.
            self.check(not self.records and not read(self.out / "events.jsonl"), "records without a summary")
            return
        if self.killed() and code == -signal.SIGKILL and not read(path):
            # between the making of the file and its first word
            self.check(not self.records, "records without a summary")
            return
        try:
            s = json.loads(path.read_text())
        except ValueError as error:
            self.check(self.full, "summary.json:", error, read(path)[:200])
            return
        if "exit_code" not in s:
            self.check(self.killed() and code == -9 and s["outcome"] == "unfinished", "unfinished, but", code, s)
            return
        self.facts[f"outcome {s['outcome']}"] += 1
        self.check_exit_code(s, code)
        data = read(self.out / "events.jsonl")
        self.check(s["events_sha256"] == hashlib.sha256(data).hexdigest(), "events_sha256 is not that of the file")
        self.check(s["cause"] or s["outcome"] == "finished", "no cause:", s)
        if self.full and s["exit_code"] == 4:
            return
        kinds = collections.Counter(r["kind"] for r in self.records)
        counts = {"records": len(self.records), "messages": kinds["message"], "dropped": kinds["drop"]}
        self.check(counts == {k: s[k] for k in counts}, "counts:", counts, s)
        end = self.records[-1] if self.records else {}
        self.check(all(end.get(k) == s[k] for k in ("outcome", "cause", "quanta", "messages", "dropped", "in_flight")),
                   "the last record and the summary differ:", end, s)
        self.check(s["quanta"] == -(-s["virtual_time_us"] // self.plan.quantum), "quanta:", s)
        self.check([n["id"] for n in s["nodes"]] == [n["id"] for n in self.plan.nodes], "nodes:", s["nodes"])
