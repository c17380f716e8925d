"""What is to come of each case of hostile.py, as a user would read it: for test_hostile.py.

The node is called `evil` and its second quantum goes from 1 s to 2 s. Expressions are searched for in the one-line
cause; their words are loose, but each must name the thing."""
import json
from typing import Callable, NamedTuple, Optional

from hostile_node import EVIL, NUMBERS


class Expect(NamedTuple):
    codes: tuple = (0,)               # exit codes that are good
    cause: str = ""                   # what the cause says, where the run fails
    warning: str = ""                 # what a warning says, where the run does not fail
    check: Optional[Callable] = None  # of the run (test_hostile.Run), where it does not fail: true when all is well
    pace: float = 0
    step: int = 1                     # timeouts.step of the node, seconds
    talker: bool = False              # beside a node that sends it ten MiB


def finished(check=None, **more):
    return Expect(check=check, **more)


def failed(cause, **more):
    return Expect((1,), cause, **more)


def no_launch(cause, **more):
    return Expect((4,), cause, **more)


def either(cause, check=None, **more):
    """The specification leaves it open; where the run fails, that is the cause."""
    return Expect((0, 1), cause, check=check, **more)


def sent(run):
    """The record of the one message that the node has sent."""
    found = [r for r in run.records if r["kind"] in ("message", "local") and r["src"] != "sensor1"]
    assert len(found) == 1, found
    return found[0]


def dropped_unknown(run):
    return [r["reason"] for r in run.records if r["kind"] == "drop"] == ["unknown destination"]


def clamped(run):
    return 1000000 <= sent(run)["t"] < 2000000


def count(number):
    return lambda run: sum(r["kind"] == "message" and r["src"] == "evil" for r in run.records) == number


def has(key, value):
    return lambda run: sent(run).get(key) == value


NOT_JSON = r"line 2 of (its|the) answer.*JSON"
TURN = (r"out of turn|nobody asked|not asked|unasked|while it owes nothing|behind (its|the) answer|no answer was due|"
        r"DONE was expected")
DONE = r"line 1.*DONE|DONE.*expected|(not|instead of|neither) (READY |ERROR |or |nor )*DONE"
READY = r"READY"
LATE = r"no answer to ADVANCE 2000000 within 1 s"
NO_READY = r"no (answer to INIT|READY) within 3 s"
LONG = r"longer than 16 MiB|16 MiB|16777216"
CODE_3 = r"exit(ed)? (with )?(code|status) 3"
CODE_0 = r"exit(ed)? (with )?(code|status) 0"
CLOSED = r"closed|end of its output"
LEFT = r"left behind|outlive|orphan|still (there|running|alive)"
UTF8 = r"UTF-8|JSON"
DEEP = r"nest|deep|depth"
HEAVY = {"step": 10}

CASES = {
    # lines
    "half-a-line-then-silence": failed(LATE),
    "half-a-line-then-exit": failed(CODE_0),
    "half-of-the-messages-then-silence": failed(LATE),
    "half-of-the-messages-then-exit": failed(CODE_3),
    "no-newline-in-17-mib": failed(LONG, **HEAVY),
    "messages-without-newline-in-17-mib": failed(LONG, **HEAVY),
    "no-newline-in-17-mib-before-ready": no_launch(LONG, **HEAVY),
    "one-byte-at-a-time": finished(count(5)),
    "a-byte-now-and-then-without-end": failed(LATE),
    "windows-line-ends": finished(count(5)),
    "byte-order-mark": no_launch(READY),
    "print-before-ready": no_launch(r"Starting up.*READY|READY.*Starting up"),
    "empty-line-before-ready": no_launch(r"empty|READY"),
    "ready-in-lower-case": no_launch(READY),
    "ready-with-text-behind": no_launch(r"READY|JSON"),
    "ready-with-a-list": no_launch(r"READY|object"),
    "ready-with-options": finished(),
    "print-before-done": failed(r"temperature is 21\.5"),
    "print-between-done-and-messages": failed(NOT_JSON),
    "empty-line-before-done": failed(r"empty|DONE"),
    "empty-messages-line": failed(r"line 2 of (its|the) answer.*(JSON|empty)"),
    "done-in-lower-case": failed(r"done"),
    "done-with-trailing-blanks": finished(),
    "done-without-a-blank": either(r"DONE"),
    "ready-instead-of-done": failed(r"READY"),
    "nul-in-done": failed(r"DONE"),
    "nul-before-done": failed(r"DONE"),
    "nul-in-messages": failed(NOT_JSON),
    "nul-in-a-string": failed(NOT_JSON),
    "only-nuls": failed(r"DONE|line 1"),
    "random-bytes": failed(r"DONE|line 1"),
    # options
    "next-negative": either(r"next_us"),
    "next-string": failed(r"next_us"),
    "next-fraction": failed(r"next_us"),
    "next-exponent": either(r"next_us"),
    "next-in-the-past": either(r"next_us"),
    "next-2-to-the-70": either(r"next_us"),
    "next-1e400": either(r"next_us"),
    "next-true": failed(r"next_us"),
    "next-object": failed(r"next_us"),
    "next-null": finished(),
    "next-after-the-end": finished(),
    "unknown-options": finished(),
    "options-not-json": failed(r"JSON"),
    "options-a-number": failed(r"object"),
    "options-too-deep": failed(DEEP),
    "options-with-a-title": failed(r"JSON|DONE"),
    # JSON
    "messages-an-object": failed(r"array|list"),
    "messages-null": failed(r"array|list"),
    "messages-a-number": failed(r"array|list"),
    "messages-a-string": failed(r"array|list"),
    "messages-of-numbers": failed(r"object"),
    "messages-of-lists": failed(r"object"),
    "messages-cut": failed(NOT_JSON),
    "messages-twice-on-a-line": failed(NOT_JSON),
    "messages-with-a-comma-too-many": failed(NOT_JSON + "|time_us"),
    "messages-as-python-writes-them": failed(NOT_JSON),
    "messages-nan": failed(NOT_JSON),
    "brackets-65": failed(DEEP),
    "brackets-100000-open": failed(DEEP),
    "brackets-1000000-open": failed(DEEP),
    "braces-1000000-open": failed(DEEP),
    "array-of-millions": failed(r"object|100,?000", **HEAVY),
    "array-of-millions-of-arrays": failed(r"object|100,?000", **HEAVY),
    "payload-of-millions": either(r"payload|values", lambda run: len(sent(run)["payload"]) > 8000000, **HEAVY),
    "payload-of-million-keys": either(r"payload|values", lambda run: len(sent(run)["payload"]) == 1000000, **HEAVY),
    "payload-nested-62": finished(lambda run: b"[" * 62 + b"1" + b"]" * 62 in run.events),
    "payload-nested-65": failed(DEEP),
    "payload-absent": finished(lambda run: sent(run).get("payload") is None),
    "payload-huge-numbers": finished(lambda run: NUMBERS.encode() in run.events),
    "payload-a-number-of-1-mb": either(r"payload|number", lambda run: b"7" * 1_000_000 in run.events, **HEAVY),
    "payload-with-nul-escape": finished(has("payload", "a\0b")),
    "payload-with-lone-surrogate": either(r"UTF|JSON|surrogate", lambda run: sent(run)["payload"][0] == "a"),
    "line-of-16-mib": finished(lambda run: len(sent(run)["payload"]) > 16_000_000, **HEAVY),
    "line-of-16-mib-and-1": failed(LONG, **HEAVY),
    # what stands in a message
    "time-negative": finished(clamped, warning=r"time_us|time"),
    "time-minus-2-to-the-63": finished(clamped, warning=r"time_us|time"),
    "time-past": finished(clamped, warning=r"time_us|time"),
    "time-future": finished(clamped, warning=r"time_us|time"),
    "time-at-the-target": finished(clamped, warning=r"time_us|time"),
    "time-fraction": failed(r"time_us"),
    "time-whole-float": either(r"time_us", clamped),
    "time-1e400": either(r"time_us", clamped, warning=r"time"),
    "time-2-to-the-63": either(r"time_us", clamped, warning=r"time"),
    "time-2-to-the-64": either(r"time_us", clamped, warning=r"time"),
    "time-of-1-mb": either(r"time_us", clamped, warning=r"time"),
    "time-string": failed(r"time_us"),
    "time-null": failed(r"time_us"),
    "time-object": failed(r"time_us"),
    "time-missing": failed(r"time_us"),
    "type-number": failed(r"\btype\b"),
    "type-null": failed(r"\btype\b"),
    "type-list": failed(r"\btype\b"),
    "type-missing": failed(r"\btype\b"),
    "type-empty": either(r"\btype\b", has("type", "")),
    "type-of-1-mb": either(r"\btype\b", has("type", "t" * 1_000_000)),
    "type-with-nul-escape": either(r"\btype\b|NUL", has("type", "a\0b")),
    "type-with-lone-surrogate": either(r"UTF|JSON|surrogate|type", lambda run: sent(run)["type"][0] == "a"),
    "dst-unknown": finished(dropped_unknown),
    "dst-itself": finished(lambda run: sent(run)["dst"] == "evil" and "due" in sent(run)),
    "dst-everybody": finished(lambda run: sorted(r["dst"] for r in run.records if r["kind"] == "message" and
                                                 r["src"] == "evil") in (["*"], ["gateway", "sensor1"])),
    "dst-empty": either(r"\bdst\b", dropped_unknown),
    "dst-of-1-mb": either(r"\bdst\b", dropped_unknown),
    "dst-number": failed(r"\bdst\b"),
    "dst-list": failed(r"\bdst\b"),
    "dst-null": finished(lambda run: sent(run)["kind"] == "local"),
    "dst-with-nul-escape": either(r"\bdst\b|NUL", dropped_unknown),
    "dst-upper-case": finished(dropped_unknown),
    "src-missing": finished(has("src", "evil")),
    "src-null": finished(has("src", "evil")),
    "src-of-another": either(r"\bsrc\b"),
    "src-unknown": either(r"\bsrc\b"),
    "src-number": either(r"\bsrc\b"),
    "size-negative": either(r"size_bytes", lambda run: sent(run)["size"] >= 0),
    "size-fraction": either(r"size_bytes", lambda run: sent(run)["size"] >= 0),
    "size-2-to-the-70": either(r"size_bytes", lambda run: sent(run)["size"] >= 0),
    "size-string": either(r"size_bytes", lambda run: sent(run)["size"] >= 0),
    "size-missing": finished(lambda run: sent(run)["size"] >= 0),
    "unknown-keys": finished(has("type", "X")),
    "duplicate-keys": either(r"twice|duplicate", lambda run: (sent(run)["type"], sent(run)["t"]) in
                             (("X", 1000000), ("Y", 1000001))),
    "keys-of-the-other-dialect": failed(r"time_us"),
    # escape sequences
    "escapes-in-type": either(r"\btype\b", has("type", EVIL)),
    "escapes-in-dst": either(r"\bdst\b", dropped_unknown),
    "escapes-in-src": either(r"\bsrc\b"),
    "escapes-in-payload": finished(has("payload", EVIL)),
    "escapes-in-a-key": finished(lambda run: sent(run)["payload"] == {EVIL: 1}),
    "hidden-in-type": either(r"\btype\b", lambda run: sent(run)["type"].startswith("evil \x9b31m")),
    "hidden-in-dst": either(r"\bdst\b", dropped_unknown),
    "hidden-in-src": either(r"\bsrc\b"),
    "hidden-in-payload": finished(lambda run: sent(run)["payload"].startswith("evil \x9b31m")),
    "escapes-in-error": failed(r"evil .*OWNED"),
    "escapes-instead-of-done": failed(r"evil .*DONE|DONE.*evil"),
    "escapes-in-error-at-start": no_launch(r"evil .*OWNED"),
    "escapes-on-stderr": finished(lambda run: b"evil" in run.log),
    "escapes-on-stderr-then-exit": failed(CODE_3),
    # answers that nobody asked for
    "ready-twice": Expect((1, 4), TURN + "|READY"),
    "done-before-init": no_launch(r"DONE"),
    "ready-before-init": finished(),
    "done-before-advance": Expect((1, 4), TURN),
    "done-without-messages": failed(LATE),
    "messages-without-done": failed(DONE),
    "done-twice": failed(TURN),
    "error-behind-the-answer": failed(r"too late|" + TURN),
    "text-behind-the-answer": failed(TURN),
    "flood-of-done": failed(TURN),
    "error-with-a-reason": failed(r"the sensor is unplugged"),
    "error-without-a-reason": failed(r"ERROR|without a reason|no reason"),
    "error-of-1-mb": failed(r"eeeeeeee"),
    "error-at-start": no_launch(r"there is no model file"),
    "done-in-flood-without-end": failed(TURN),
    # what comes behind READY at once may be met while the node counts as starting still
    "answers-without-reading": Expect((0, 1, 4), TURN + r"|no answer to ADVANCE|took nothing|does not read|not read",
                                      talker=True),
    # many and large
    "messages-10000": finished(count(10_000), **HEAVY),
    "messages-100000": finished(count(100_000), **HEAVY),
    "messages-100001": failed(r"100,?000", **HEAVY),
    "reads-nothing": failed(r"no answer to ADVANCE [23]000000 within 1 s|not read", talker=True),
    "reads-slowly": finished(lambda run: b"bytes so far: 1048" in run.log, talker=True, step=10),
    "stderr-50-mib": finished(lambda run: b"flood xxx" in run.log, **HEAVY),
    "stderr-line-of-10-mib": finished(lambda run: b"yyyy" in run.log, **HEAVY),
    "stderr-without-end": failed(LATE),
    # streams
    "closes-stdout": failed(CLOSED + "|" + LATE),
    "closes-stdin": failed(CLOSED + r"|no answer to ADVANCE 3000000"),
    "closes-stdin-and-stdout": failed(CLOSED),
    "closes-stderr": finished(),
    "closes-everything-before-init": no_launch(CLOSED),
    # ends
    "exits-before-init": no_launch(CODE_3),
    "exits-with-0-before-init": no_launch(CODE_0),
    "exits-after-init": no_launch(CODE_3),
    "exits-after-ready": Expect((1, 4), CODE_3),
    "exits-with-3": failed(CODE_3),
    "exits-with-0": failed(CODE_0),
    "dies-by-sigsegv": failed(r"SIGSEGV"),
    "dies-by-sigkill": failed(r"SIGKILL"),
    "dies-by-sigterm": failed(r"SIGTERM"),
    "stops-itself": failed(LATE),
    "exits-between-quanta": failed(CODE_3, pace=10),
    "exits-with-its-answer": failed(CODE_3),
    "exits-in-its-answer": failed(CODE_3),
    "kills-its-process-group": failed(r"SIGKILL"),
    "never-answers-init": no_launch(NO_READY),
    "never-answers-the-first-advance": failed(r"no answer to ADVANCE 1000000 within 1 s"),
    "never-answers-the-fourth-advance": failed(r"no answer to ADVANCE 4000000 within 1 s"),
    "computes-without-end": failed(LATE),
    "is-late-but-not-too-late": finished(),
    # those who do not want to go
    "ignores-shutdown": finished(),
    "ignores-shutdown-and-sigterm": finished(),
    "stops-itself-at-shutdown": finished(),
    "floods-stdout-at-shutdown": finished(),
    "exits-with-3-at-shutdown": finished(),
    "child-ignores-sigterm": finished(),
    "child-outlives-a-node-that-exits": failed(CODE_3),
    "child-in-another-group": failed(LEFT),
    "daemon-stays-behind": failed(LEFT),
    "daemon-of-a-node-that-fails": failed(CODE_3),
    "daemon-before-init": no_launch(NO_READY),
    "daemon-writes-to-stdout": failed(TURN + "|ADVANCE|DONE"),
    "forks-children": finished(),
    "forks-at-shutdown": finished(),
    "chain-of-forks": failed(LEFT),
    # what it has from lockstep, and what it does with it
    "inherited-descriptors": finished(lambda run: b"descriptors: [0, 1, 2" in run.log),
    "inherited-environment": finished(lambda run: b"environment: " in run.log),
    "inherited-signals": finished(),
    "no-terminal": finished(),
    "opens-many-descriptors": finished(),
    "changes-its-group": finished(lambda run: b"as expected: " in run.log),
    "raises-its-nice-level": finished(),
    "removes-its-working-directory": finished(),
    "makes-its-streams-nonblocking": finished(),
    "signals-its-parent": either(r"guard"),
    "stops-its-parent": either(r"guard"),
    "kills-its-parent": either(r"guard"),
    # good ones
    "good": finished(lambda run: run.summary["nodes"][1]["messages_in"] == 3 and count(0)(run)),
    "echoes": finished(lambda run: count(3)(run)),
}

for kind in ("overlong", "surrogate", "lone-continuation", "cut", "too-large", "latin1", "c1-byte"):
    for field in ("type", "dst", "payload"):
        CASES[f"utf8-{kind}-in-{field}"] = failed(UTF8)
    CASES[f"utf8-{kind}-in-error"] = failed(r"bad")

HELPERS = ("talker", "fails-at")  # need an argument; they stand beside others
# Those of which the terminal is shown something that would do harm; of some the text must be there, escaped.
SHOWN = ["escapes-in-type", "escapes-in-dst", "escapes-in-payload", "escapes-in-a-key", "escapes-in-error",
         "escapes-in-error-at-start", "escapes-instead-of-done", "escapes-on-stderr", "escapes-on-stderr-then-exit"]
ON_A_TERMINAL = [*SHOWN,
                 "escapes-in-src", "hidden-in-type", "hidden-in-payload", "utf8-c1-byte-in-error", "random-bytes"]
assert json.loads(NUMBERS)["exact"] == 0.1
