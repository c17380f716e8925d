"""Makes a Python program a node of a lockstep simulation. One file, Python 3.7 or later, nothing else needed: copy it
beside your node.

    from lockstep_node import Node

    class Battery(Node):
        def init(self):                          # once, before virtual time begins
            self.timer(60000000, self.drain)

        def drain(self, now):                    # a timer's time has come
            self.send("gateway", "BATTERY", {"percent": 93}, size=16)
            self.timer(now + 60000000, self.drain)

        def message(self, now, message):         # a message's time has come
            if message.type == "PING":
                self.send(message.src, "PONG", message.payload, size=16)

    Battery().run()

Times are virtual: whole microseconds since the start of the run. The library speaks the node protocol (doc/nodes.md)
over stdin and stdout, TCP or a Unix socket, whichever lockstep asks for, in both dialects; it keeps the node's timers
and the messages that come in the order of their times (equal times: what came first), and tells lockstep when the next
of them is due, so that quanta in which nothing happens need not be granted. An exception ends the node with its text as
the reason and the traceback on stderr. What the node prints goes to stderr.
"""
import heapq
import json
import os
import sys

TIME_MAX = (1 << 53) - 1  # us
ANSWER_MAX = 100000  # messages in one answer
LINE_MAX = 16 << 20  # bytes

_NODE = ("time_us", "type", "src", "dst", "payload", "size_bytes")
_SERVICE = ("timestamp_us", "event_type", "source", "destination", "payload", None)
_UNITS = {"us": 1, "ms": 1000, "s": 1000000, "min": 60000000, "h": 3600000000}


class NodeError(Exception):
    """The node has failed; raise it with a reason for the user of the scenario."""


class Message:
    """A message that another node sent to this one."""

    __slots__ = ("time", "type", "src", "payload", "size")

    def __init__(self, time, type, src, payload, size):
        self.time = time  # when it arrives, us
        self.type = type
        self.src = src  # the sender's id; "" where it was not said
        self.payload = payload  # any JSON value
        self.size = size  # bytes on the network; 0 where it was not said, as in dialect service


def time_us(value):
    """A time as the scenario writes it, in microseconds: "250ms", "1.5s", "2min", or a plain number of seconds."""
    from fractions import Fraction
    text = str(value).strip()
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(digits):] or "s"
    try:
        us = Fraction(digits.strip()) * _UNITS[unit]
    except (ValueError, KeyError):
        raise NodeError("%r is no time; write a number and a unit: us, ms, s, min or h" % (value,)) from None
    if us.denominator != 1 or not 0 <= us <= TIME_MAX:
        raise NodeError("%r is finer than a microsecond, below 0 or beyond 2^53 microseconds" % (value,))
    return int(us)


class Node:
    # What a node overrides. Inside: self.id, self.seed, self.config (a dict), self.init_data (all that INIT said, with
    # ml_inference where the scenario has it), self.now (of the event that is handled), self.target (end of the grant).

    def init(self):
        """Once, before virtual time begins (or goes on, where lockstep starts the node again)."""

    def message(self, now, message):
        """A message's time has come. Over a network without latency, `now` is up to a quantum ago."""

    def close(self):
        """Once, at the very end, also after a failure, if init was called."""

    # Raw access: a node that defines advance(self, target, messages) gets every grant with all its messages, as they
    # came, in place of `message`. Timers before the target go off afterwards. It calls next() where it can say when its
    # next own event is.
    advance = None

    # What a node calls.

    def timer(self, at, handler, *args):
        """Calls handler(now, *args) when virtual time is `at`, which is not before self.now."""
        if at < self.now:
            raise NodeError("a timer at %d us is in the past: it is %d us" % (at, self.now))
        self._push(at, handler, args)

    def send(self, dst, type, payload=None, size=0, at=None):
        """A message to the node dst. size: bytes on the network. at: its time where it is not self.now."""
        if not isinstance(dst, str) or not dst:
            raise NodeError("a message of type %r without a destination" % (type,))
        self._sent.append((self.now if at is None else at, type, dst, payload, size))

    def report(self, type, payload=None, at=None):
        """A local event: recorded, not sent."""
        self._sent.append((self.now if at is None else at, type, None, payload, 0))

    def metrics(self, *header):
        """Begins ID_metrics.csv in the run folder (LOCKSTEP_RUN_DIR, else the working directory)."""
        name = os.path.join(os.environ.get("LOCKSTEP_RUN_DIR") or ".", self.id + "_metrics.csv")
        again = self.now > 0  # started once more in the midst of a run: its rows go behind those that are there
        self._metrics = open(name, "a" if again else "w", encoding="utf-8", newline="")
        if not again:
            self.row(*header)

    def row(self, *values):
        """A row of the metrics, as the module csv writes it; flushed with every answer."""
        self._metrics.write(",".join(map(_cell, values)) + "\r\n")

    def every_quantum(self, on=True):
        """Does not say when the next own event is, from now on: every quantum is granted."""
        self._every_quantum = on

    def next(self, at=None):
        """An own event at `at` that the library does not know of (None: no other). Counts for this answer only."""
        self._next, self._says_next = at, True

    @property
    def random(self):
        """The node's random.Random, seeded with its id and the scenario's seed."""
        if self._random is None:
            import hashlib
            import random
            text = "%s_%d" % (self.id, self.seed)
            self._random = random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
        return self._random

    def run(self):
        """Talks to lockstep until SHUTDOWN or the end of input, then ends the program: 0 after a clean end, 1 after a
        failure, 2 where the environment is not one that lockstep makes."""
        self.id = self.seed = self.config = self.init_data = None
        self.now = self.target = 0
        self._queue, self._serial, self._sent = [], 0, []
        self._metrics = self._random = self._words = None
        self._every_quantum = False
        self._next, self._says_next = None, False
        try:
            self._in, self._out = _open_channel()
        except (OSError, ValueError) as e:
            print("lockstep_node: %s" % e, file=sys.stderr)
            sys.exit(2)
        status = self._serve()
        if self._words:
            self.close()
        if self._metrics:
            self._metrics.close()
        sys.exit(status)

    # What is left is the library's own.

    def _push(self, at, handler, args):
        heapq.heappush(self._queue, (at, self._serial, handler, args))
        self._serial += 1

    def _serve(self):
        try:
            while True:
                line = self._line()
                if line is None or line == b"SHUTDOWN":
                    return 0
                answer = self._answer(line)
                if answer is None:
                    return 0
                self._write(answer)
        except (BrokenPipeError, ConnectionError):
            return 1  # lockstep has gone: there is no one to tell
        except Exception as e:
            import traceback
            traceback.print_exc(file=sys.stderr)
            reason = str(e) if isinstance(e, NodeError) else "%s: %s" % (type(e).__name__, e)
            reason = "".join(c if c >= " " else " " for c in reason)[:1000]
            print("%s: %s" % (self.id or "lockstep_node", reason), file=sys.stderr)
            try:
                self._write("ERROR %s\n" % reason)
            except OSError:
                pass
            return 1

    def _line(self):
        line = self._in.readline(LINE_MAX + 2)
        if len(line) > LINE_MAX + 1:
            raise NodeError("a line is longer than %d bytes" % LINE_MAX)
        if not line.endswith(b"\n"):
            return None
        return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    def _write(self, text):
        self._out.write(text.encode("utf-8"))
        self._out.flush()

    def _answer(self, line):
        word, _, rest = line.decode("utf-8").partition(" ")
        if word == "INIT" and self._words is None and rest:
            self._init(rest)
            return "READY" + self._options() + "\n"
        if word == "ADVANCE" and self._words is not None and rest.isdigit() and int(rest) >= self.target:
            messages = self._line()
            if messages is None:
                return None
            self._advance(int(rest), messages)
            return "DONE" + self._options() + "\n" + self._messages() + "\n"
        raise NodeError("%r is no request that can come %s" % (line[:40].decode("utf-8", "replace"),
                                                               "behind INIT" if self._words else "before INIT"))

    def _init(self, text):
        self._words = _SERVICE if text.startswith("{") else _NODE
        self.id = os.environ.get("LOCKSTEP_NODE") or "node"
        if self._words is _NODE:
            self.id, _, text = text.partition(" ")
        try:
            self.init_data = json.loads(text)
            self.seed, self.config = self.init_data["seed"], self.init_data.get("config") or {}
            self.now = self.target = self.init_data.get("now_us", 0)
        except (ValueError, KeyError, TypeError) as e:
            raise NodeError("the configuration of INIT is not JSON with a seed: %s" % e) from None
        self.init()
        if self._sent:
            raise NodeError("it sends a message before its first ADVANCE; use a timer")
        if self._metrics:
            self._metrics.flush()

    def _advance(self, target, line):
        previous, self.target = self.target, target
        self.now = previous
        try:
            messages = [self._read(m) for m in json.loads(line.decode("utf-8"))]
        except (ValueError, KeyError, TypeError) as e:
            raise NodeError("the messages of ADVANCE %d cannot be read: %s" % (target, e)) from None
        if self.advance:
            self.advance(target, messages)
        else:
            for m in messages:
                self._push(m.time, self.message, (m,))
        queue = self._queue
        while queue and queue[0][0] < target:
            self.now, _, handler, args = heapq.heappop(queue)
            handler(self.now, *args)
        if self._metrics:
            self._metrics.flush()

    def _read(self, m):
        time, kind, src, _, payload, size = self._words
        return Message(m[time], m[kind], m.get(src) or "", m.get(payload), m.get(size, 0) if size else 0)

    def _options(self):
        """The next own event, where the node says it."""
        says, own = not self._every_quantum and (self._says_next or not self.advance), self._next
        self._next, self._says_next = None, False
        if not says:
            return ""
        times = [t for t in (own, self._queue[0][0] if self._queue else None) if t is not None and t <= TIME_MAX]
        return ' {"next_us":%s}' % (min(times) if times else "null")

    def _messages(self):
        if not self._sent:
            return "[]"
        if len(self._sent) > ANSWER_MAX:
            raise NodeError("it sends more than %d messages in one answer" % ANSWER_MAX)
        answer = []
        for time, kind, dst, payload, size in self._sent:
            values = (time, kind, self.id, dst, payload, size)
            answer.append({word: value for word, value in zip(self._words, values) if word})
        self._sent = []
        try:
            text = json.dumps(answer, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError) as e:
            raise NodeError("a payload cannot be written as JSON: %s" % e) from None
        if len(text) > LINE_MAX:
            raise NodeError("its answer is longer than %d bytes" % LINE_MAX)
        return text


def _cell(value):
    text = "" if value is None else value if isinstance(value, str) else repr(value)
    if any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _open_channel():
    """Two binary files, to read from and to write to."""
    transport = os.environ.get("LOCKSTEP_TRANSPORT") or "stdio"
    if transport == "stdio":
        # stdin and stdout belong to the protocol: a print, or a child process, must not get in between
        ends = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        try:
            os.dup2(2, 1)
        except OSError:
            os.dup2(nothing, 1)
        os.close(nothing)
        return ends
    import socket
    if transport == "tcp":
        port = os.environ.get("LOCKSTEP_PORT", "")
        if not port.isdigit() or not 1 <= int(port) <= 65535:
            raise ValueError("the environment's LOCKSTEP_PORT is to be a port, 1 to 65535, not %r" % port)
        family, address = socket.AF_INET, (os.environ.get("LOCKSTEP_HOST", "127.0.0.1"), int(port))
    elif transport == "unix":
        family, address = socket.AF_UNIX, os.environ.get("LOCKSTEP_SOCKET", "")
        if not address:
            raise ValueError("the environment's LOCKSTEP_SOCKET is to be the path of a socket")
        if os.path.exists(address):
            os.unlink(address)  # of a run before that was killed
    else:
        raise ValueError("the environment's LOCKSTEP_TRANSPORT is to be stdio, tcp or unix, not %r" % transport)
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(1)
        except OSError as e:
            raise OSError("cannot listen on %s: %s" % (address, e)) from None
        connection, _ = listener.accept()
    if transport == "tcp":
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    else:
        os.unlink(address)
    return connection.makefile("rb"), connection.makefile("wb")
