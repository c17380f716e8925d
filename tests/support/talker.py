"""The node protocol from lockstep's side, for tests: one node (Talker), or a whole scenario (coordinate) over the
network of reference.py."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import common
import reference
from common import free_port

BUILD = pathlib.Path(common.LOCKSTEP).parent
NODES = common.SCENARIOS / "nodes"
STRANGERS = common.SOURCE / "tests" / "nodes"
PATIENCE = 60  # seconds for one answer, on a slow and busy machine
PYTHON = [sys.executable, "-B"]  # no __pycache__ in the source folder
C = {"sensor": [str(BUILD / "lockstep-node-sensor")], "gateway": [str(BUILD / "lockstep-node-gateway")]}
PY = {"sensor": [*PYTHON, str(NODES / "sensor.py")], "gateway": [*PYTHON, str(NODES / "gateway.py")]}
WORDS = {"node": ("time_us", "type", "src", "dst", "payload", "size_bytes"),
         "service": ("timestamp_us", "event_type", "source", "destination", "payload")}


def exact(text):
    """JSON with the text of its numbers and the order of its keys."""
    return json.loads(text, parse_float=lambda s: "#" + s, parse_int=lambda s: "#" + s, object_pairs_hook=list)


class Talker:
    """One node under test, started and spoken to as lockstep does."""

    def __init__(self, case, name, command, transport="stdio", dialect="node", chunks=None, port=None):
        self.case, self.id, self.dialect, self.chunks = case, name, dialect, chunks
        self.log = open(case.dir / (name + ".log"), "w+")
        case.addCleanup(self.log.close)
        env = {**os.environ, "LOCKSTEP_NODE": name, "LOCKSTEP_RUN_DIR": str(case.dir), "LOCKSTEP_TRANSPORT": transport}
        env["LOCKSTEP_SOCKET"] = self.path = str(case.dir / (name + ".sock"))
        self.port = port or free_port()
        env["LOCKSTEP_PORT"] = str(self.port)
        pipe = subprocess.PIPE if transport == "stdio" else subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self.log, env=env, cwd=case.dir,
                                        bufsize=0)
        case.addCleanup(self.end)
        self.socket = None
        if transport == "stdio":
            self.reader, self.writer = os.fdopen(os.dup(self.process.stdout.fileno()), "rb"), self.process.stdin
        else:
            self.socket = self.connect(transport)
            self.reader, self.writer = self.socket.makefile("rb"), self.socket.makefile("wb", buffering=0)
            if transport == "tcp":
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        case.addCleanup(self.reader.close)
        self.next = None  # as the node said last; None: it did not
        self.target = 0

    def connect(self, transport):
        family = socket.AF_INET if transport == "tcp" else socket.AF_UNIX
        address = ("127.0.0.1", self.port) if transport == "tcp" else self.path
        give_up = time.monotonic() + PATIENCE
        while True:
            s = socket.socket(family)
            s.settimeout(PATIENCE)
            try:
                s.connect(address)
                self.case.addCleanup(s.close)
                return s
            except OSError:
                s.close()
                self.case.assertIsNone(self.process.poll(), self.stderr())
                self.case.assertLess(time.monotonic(), give_up, "the node does not listen")
                time.sleep(0.005)

    def stderr(self):
        self.log.seek(0)
        return self.log.read()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for end in (self.process.stdin, self.process.stdout, self.writer if self.socket else None):
            if end:
                end.close()

    def say(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        try:
            while data and self.chunks:
                n = self.chunks.choice([1, 2, 3, 7, 20])
                self.writer.write(data[:n])
                data = data[n:]
            while data:
                data = data[self.writer.write(data):]
        except BrokenPipeError:
            pass  # what it said before is still to be read

    def hear(self):
        signal.alarm(PATIENCE)  # its default action ends a test that would hang
        if self.socket and self.socket.family == socket.AF_INET:
            # a node that sends its answer in two parts waits for the acknowledgement of the first one (Nagle)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        line = self.reader.readline()
        signal.alarm(0)
        return line.decode()

    def options(self, line, word):
        self.case.assertTrue(line.endswith("\n") and (line == word + "\n" or line.startswith(word + " {")),
                             f"{self.id}: {line!r}\n{self.stderr()}")
        rest = line[len(word):].strip()
        self.next = json.loads(rest).get("next_us", -1) if rest else -1
        if self.next is None:
            self.next = 1 << 62

    def init(self, seed=42, **more):
        name = self.id + " " if self.dialect == "node" else ""
        self.say(f"INIT {name}{json.dumps({'seed': seed, **more})}\n")
        self.options(self.hear(), "READY")

    def grant(self, target, messages=()):
        """Without waiting. Messages are dicts of the node dialect, or text that goes through as it is."""
        self.target = target
        if not isinstance(messages, (str, bytes)):
            words = list(zip(WORDS[self.dialect], WORDS["node"]))
            messages = json.dumps([{word: m[key] for word, key in words} for m in messages])
        text = messages if isinstance(messages, bytes) else messages.encode()
        self.say(f"ADVANCE {target}\n".encode() + text + b"\n")

    def answer(self):
        """The messages of the answer in the words of the node dialect, their numbers as text."""
        self.options(self.hear(), "DONE")
        line = self.hear()
        self.raw = line
        out = []
        for pairs in exact(line):
            m = dict(pairs)
            words = WORDS[self.dialect]
            self.case.assertEqual(set(m) - set(words), set())
            out.append({WORDS["node"][i]: m.get(w) for i, w in enumerate(words)})
        return out

    def advance(self, target, messages=()):
        self.grant(target, messages)
        return self.answer()

    def finish(self, expect=0, how="SHUTDOWN\n"):
        self.say(how)
        if self.socket and not how:
            self.socket.shutdown(socket.SHUT_WR)
        elif not self.socket:
            self.process.stdin.close()
        self.case.assertEqual(self.process.wait(PATIENCE), expect, self.stderr())
        self.case.assertEqual(self.reader.read(), b"", "it said something after SHUTDOWN")

    def fails(self, why):
        """The node answers ERROR with a reason of that form, and ends."""
        line = self.hear()
        self.case.assertRegex(line, r"^ERROR [^\x00-\x1f]+\n$", self.stderr())
        self.case.assertRegex(line, why)
        self.case.assertEqual(self.process.wait(PATIENCE), 1, self.stderr())
        self.case.assertIn(line[6:].strip()[:40], self.stderr())


def coordinate(scenario, talkers, sinks=()):
    """Runs the scenario to its end; nodes that say their next event are granted only what they need. Returns all that
    was sent, in order, and how many grants there were."""
    network, now, record, grants = reference.Network(scenario), 0, [], 0
    pending = {t.id: [] for t in talkers}
    pending.update({s: [] for s in sinks})
    while now < scenario["duration"]:
        target = min(now + scenario["quantum"], scenario["duration"])
        granted = [t for t in talkers if pending[t.id] or t.next < target]
        for t in granted:
            messages, pending[t.id] = pending[t.id], []
            t.grant(target, [{"time_us": m["time"], "type": m["type"], "src": m["src"], "dst": t.id,
                              "payload": m["payload"], "size_bytes": m["size"]} for m in messages])
        grants += len(granted)
        for t in granted:
            sent = t.answer()
            values = json.loads(t.raw)
            for m, plain in zip(sent, values):
                record.append((m["time_us"], t.id, m["dst"], m["type"], m["payload"], m.get("size_bytes")))
                network.send({"time": int(m["time_us"][1:]), "src": t.id, "dst": m["dst"], "type": m["type"],
                              "payload": plain["payload"], "size": int((m.get("size_bytes") or "#0")[1:])}, pending)
        network.arrive(target, pending)
        now = target
    return record, grants
