"""Cases of hostile.py: what a node writes."""
import os
import sys
import time

from hostile_node import EVIL, EVIL_ESCAPED, EVIL_RAW, LINE_MAX, MIB, NUMBERS, answer, case, deep, forever, messages, \
    one_message


# --- Lines ---

@case
def half_a_line_then_silence(node):
    node.second()
    node.write("DO")
    forever()


@case
def half_a_line_then_exit(node):
    node.second()
    node.write("DO")
    sys.exit(0)


@case
def half_of_the_messages_then_silence(node):
    node.second()
    node.write('DONE\n[{"time_us": 10')
    forever()


@case
def half_of_the_messages_then_exit(node):
    node.second()
    node.write('DONE\n[{"time_us": 10')
    sys.exit(3)


@case
def no_newline_in_17_mib(node):
    node.second()
    for _ in range(17):
        node.write(b"x" * MIB)
    forever()


@case
def messages_without_newline_in_17_mib(node):
    node.second()
    node.write("DONE\n[")
    for _ in range(17):
        node.write(b" " * MIB)
    forever()


@case
def no_newline_in_17_mib_before_ready(node):
    node.init()
    for _ in range(17):
        node.write(b"x" * MIB)
    forever()


@case
def one_byte_at_a_time(node):
    node.start()
    while True:
        node.advance()
        for byte in f"DONE\n[{node.message()}]\n".encode():
            node.write(bytes([byte]))


@case
def a_byte_now_and_then_without_end(node):
    node.second()
    node.write("DONE\n[")
    while True:
        node.write(" ")
        time.sleep(0.1)


@case
def windows_line_ends(node):
    node.start("READY\r")
    while True:
        node.advance()
        node.write(f"DONE\r\n[{node.message()}]\r\n")


@case
def byte_order_mark(node):
    node.start("\ufeffREADY")
    node.serve()


@case
def print_before_ready(node):
    node.start("Starting up, please wait", "READY")
    node.serve()


@case
def empty_line_before_ready(node):
    node.start("", "READY")
    node.serve()


@case
def ready_in_lower_case(node):
    node.start("ready")
    node.serve()


@case
def ready_with_text_behind(node):
    node.start("READY to go")
    node.serve()


@case
def ready_with_a_list(node):
    node.start("READY []")
    node.serve()


@case
def ready_with_options(node):
    node.start('READY {"next_us": null, "unknown": {"deep": [1, {"next_us": "no"}]}}')
    node.serve()


answer("print-before-done", "temperature is 21.5", "DONE", "[]")
answer("print-between-done-and-messages", "DONE", "sent nothing", "[]")
answer("empty-line-before-done", "", "DONE", "[]")
answer("empty-messages-line", "DONE", "")
answer("done-in-lower-case", "done", "[]")
answer("done-with-trailing-blanks", "DONE  \t ", "[]")
answer("done-without-a-blank", 'DONE{"next_us":null}', "[]")
answer("ready-instead-of-done", "READY")
answer("nul-in-done", b"DONE\0", "[]")
answer("nul-before-done", b"\0DONE", "[]")
answer("nul-in-messages", "DONE", b"[\0]")
answer("nul-in-a-string", "DONE", lambda node: f'[{node.message(payload="?")}]'.replace("?", '"a\0b"'))
answer("only-nuls", b"\0" * 4096)
answer("random-bytes", bytes(range(256)) * 16)


# --- Options behind DONE ---

def next_us(name, value):
    answer(name, f'DONE {{"next_us": {value}}}', "[]")


next_us("next-negative", "-5")
next_us("next-string", '"5"')
next_us("next-fraction", "1.5")
next_us("next-exponent", "1e3")
next_us("next-in-the-past", "5")
next_us("next-2-to-the-70", str(2 ** 70))
next_us("next-1e400", "1e400")
next_us("next-true", "true")
next_us("next-object", '{"at": 5}')
next_us("next-null", "null")
next_us("next-after-the-end", "1000000000000")
answer("unknown-options", 'DONE {"later": {"deep": [[[1]]], "next_us": "no"}, "x": null}', "[]")
answer("options-not-json", "DONE {next_us: 5}", "[]")
answer("options-a-number", "DONE 5", "[]")
answer("options-too-deep", "DONE " + '{"a":' * 70 + "1" + "}" * 70, "[]")
answer("options-with-a-title", f"DONE {EVIL}".replace("\n", ""), "[]")


# --- JSON ---

messages("messages-an-object", "{}")
messages("messages-null", "null")
messages("messages-a-number", "12")
messages("messages-a-string", '"[]"')
messages("messages-of-numbers", "[1, 2, 3]")
messages("messages-of-lists", "[[], []]")
messages("messages-cut", '[{"time_us": 1000000, "type"')
messages("messages-twice-on-a-line", "[] []")
messages("messages-with-a-comma-too-many", "[{},]")
messages("messages-as-python-writes-them", "[{'time_us': 1000000, 'type': 'X'}]")
messages("messages-nan", '[{"time_us": NaN, "type": "X"}]')
messages("brackets-65", deep(65))
messages("brackets-100000-open", lambda: "[" * 100_000)
messages("brackets-1000000-open", lambda: "[" * 1_000_000)
messages("braces-1000000-open", lambda: '{"":' * 1_000_000)
messages("array-of-millions", lambda: "[" + "0," * (LINE_MAX // 2 - 10) + "0]")
messages("array-of-millions-of-arrays", lambda: "[" + "[]," * (LINE_MAX // 3 - 10) + "[]]")
one_message("payload-of-millions", payload=lambda: "[" + "0," * (LINE_MAX // 2 - 100) + "0]")
one_message("payload-of-million-keys", payload=lambda: "{" + ",".join(f'"{i}":0' for i in range(1_000_000)) + "}")
one_message("payload-nested-62", payload=deep(62, "1"))  # with the list and the message around it: 64
one_message("payload-nested-65", payload=deep(65))
one_message("payload-absent", payload=None)
one_message("payload-huge-numbers", payload=NUMBERS)
one_message("payload-a-number-of-1-mb", payload=lambda: "7" * 1_000_000)
one_message("payload-with-nul-escape", payload='"a\\u0000b"')
one_message("payload-with-lone-surrogate", payload='"a\\ud800b"')
answer("line-of-16-mib", "DONE", lambda node: exact_line(node, LINE_MAX))
answer("line-of-16-mib-and-1", "DONE", lambda node: exact_line(node, LINE_MAX + 1))


def exact_line(node, length):
    text = "[" + node.message(dst="null", payload='"?"') + "]"
    return text.replace("?", "x" * (length - len(text) + 1))


# --- What stands in a message ---

for name, value in (("negative", "-1"), ("minus-2-to-the-63", str(-2 ** 63)), ("past", "0"), ("future", "3000000"),
                    ("at-the-target", "2000000"), ("fraction", "1000000.5"), ("whole-float", "1000000.0"),
                    ("1e400", "1e400"), ("2-to-the-63", str(2 ** 63)), ("2-to-the-64", str(2 ** 64)),
                    ("of-1-mb", lambda: "7" * 1_000_000),
                    ("string", '"1000000"'), ("null", "null"), ("object", "{}"), ("missing", None)):
    one_message(f"time-{name}", time_us=value)
for name, value in (("number", "5"), ("null", "null"), ("list", "[]"), ("missing", None), ("empty", '""'),
                    ("of-1-mb", lambda: '"' + "t" * 1_000_000 + '"'), ("with-nul-escape", '"a\\u0000b"'),
                    ("with-lone-surrogate", '"a\\udc00b"')):
    one_message(f"type-{name}", type=value)
for name, value in (("unknown", '"nobody"'), ("itself", '"evil"'), ("everybody", '"*"'), ("empty", '""'),
                    ("of-1-mb", lambda: '"' + "d" * 1_000_000 + '"'), ("number", "5"), ("list", '["gateway"]'),
                    ("null", "null"),
                    ("with-nul-escape", '"gateway\\u0000x"'), ("upper-case", '"GATEWAY"')):
    one_message(f"dst-{name}", dst=value)
for name, value in (("missing", None), ("null", "null"), ("of-another", '"sensor1"'), ("unknown", '"nobody"'),
                    ("number", "5")):
    one_message(f"src-{name}", src=value)
for name, value in (("negative", "-1"), ("fraction", "1.5"), ("2-to-the-70", str(2 ** 70)), ("string", '"8"'),
                    ("missing", None)):
    one_message(f"size-{name}", size_bytes=value)
one_message("unknown-keys", unknown='{"a":1}', timestamp_us="5")
answer("duplicate-keys", "DONE",
       lambda node: "[" + node.message()[:-1] + f',"type":"Y","time_us":{node.before + 1}' + "}]")
answer("keys-of-the-other-dialect", "DONE", lambda node: f'[{{"timestamp_us": {node.before}, "event_type": "X", '
       '"source": "evil", "destination": "gateway", "payload": null}]')

BAD_UTF8 = {"overlong": b"\xc0\xaf\xe0\x80\xaf", "surrogate": b"\xed\xa0\x80", "lone-continuation": b"\x80\xbf",
            "cut": b"\xe2\x82", "too-large": b"\xf5\x80\x80\x80", "latin1": b"gr\xfc\xdfe",
            "c1-byte": b"\x9b31m\x9d0;x\x9c"}


def bad_utf8(kind, data):
    def line(field):
        return lambda node: ("[" + node.message(**{field: '"?"'}) + "]").encode().replace(b"?", data)
    for field in ("type", "dst", "payload"):
        answer(f"utf8-{kind}-in-{field}", "DONE", line(field))
    answer(f"utf8-{kind}-in-error", b"ERROR bad " + data)


for bad_kind, bad_data in BAD_UTF8.items():
    bad_utf8(bad_kind, bad_data)


# --- Escape sequences ---

for field in ("type", "dst", "src", "payload"):
    one_message(f"escapes-in-{field}", **{field: EVIL_ESCAPED})
    one_message(f"hidden-in-{field}", **{field: EVIL_RAW})
one_message("escapes-in-a-key", payload="{" + EVIL_ESCAPED + ":1}")
answer("escapes-in-error", "ERROR " + EVIL)
answer("escapes-instead-of-done", EVIL)


@case
def escapes_in_error_at_start(node):
    node.start("ERROR " + EVIL)
    forever()


@case
def escapes_on_stderr(node):
    node.start()
    while True:
        node.advance()
        os.write(2, EVIL.encode() + b" \x9b6n \xff\n" + EVIL.encode())
        node.done()


@case
def escapes_on_stderr_then_exit(node):
    node.second()
    os.write(2, b"last words " + EVIL.encode() + b" \x9b6n \xff\n")
    sys.exit(3)


# --- Answers that nobody asked for ---

@case
def ready_twice(node):
    node.start("READY", "READY")
    node.serve()


@case
def done_before_init(node):
    node.say("DONE", "[]")
    node.start()
    node.serve()


@case
def ready_before_init(node):
    """Not to be told from a quick answer where INIT is already under way."""
    node.say("READY")
    node.init()
    node.serve()


@case
def done_before_advance(node):
    node.start("READY", "DONE", "[]")
    node.serve()


answer("done-without-messages", "DONE")
answer("messages-without-done", "[]")
answer("done-twice", "DONE", "[]", "DONE", "[]")
answer("error-behind-the-answer", "DONE", "[]", "ERROR too late")
answer("text-behind-the-answer", "DONE", "[]", "and that was that")
answer("flood-of-done", *["DONE", "[]"] * 10_000)
answer("error-with-a-reason", "ERROR the sensor is unplugged")
answer("error-without-a-reason", "ERROR")
answer("error-of-1-mb", lambda node: "ERROR " + "e" * 1_000_000)


@case
def error_at_start(node):
    node.start("ERROR there is no model file")
    forever()


@case
def done_in_flood_without_end(node):
    node.second()
    while True:
        node.say(*["DONE", "[]"] * 1000)


@case
def answers_without_reading(node):
    """Answers as many quanta as the run has, and reads nothing of what it is told."""
    node.start()
    for _ in range(5):
        node.done()
        time.sleep(0.03)
    forever()


# --- Many and large ---

def many(name, count):
    def text(node):
        return "[" + ",".join([node.message(size_bytes=None, src=None)] * count) + "]"
    answer(name, "DONE", text)


many("messages-10000", 10_000)
many("messages-100000", 100_000)
many("messages-100001", 100_001)


@case
def reads_nothing(node):
    """Ten MiB of messages are for it, of which it reads none."""
    node.second()
    node.done()
    forever()


@case
def reads_slowly(node):
    """The same, read in small pieces; all of it is there in the end."""
    node.start()
    got, data = 0, b""
    while True:
        while data.count(b"\n") < 2:
            piece = os.read(0, 65536)
            if not piece or b"SHUTDOWN" in piece:
                sys.exit(0)
            data += piece
            got += len(piece)
            time.sleep(0.0002)
        data = b""
        sys.stderr.write(f"bytes so far: {got}\n")
        node.done()


@case
def stderr_50_mib(node):
    node.second()
    line = b"flood " + b"x" * 1017 + b"\n"
    for _ in range(50):
        os.write(2, line * 1024)
    node.done()
    node.serve()


@case
def stderr_line_of_10_mib(node):
    node.second()
    for _ in range(10):
        os.write(2, b"y" * MIB)
    node.done()
    node.serve()


@case
def stderr_without_end(node):
    """While it owes an answer."""
    node.second()
    while True:
        os.write(2, b"z" * 4095 + b"\n")
        time.sleep(0.001)
