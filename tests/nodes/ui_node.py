"""A node for the tests of the screen. Its config says what it does and when, in microseconds of virtual time:

    tick     sends a TICK to `to` each so often
    say      lines for stderr: [[time, text], …], time 0 before READY; "hostile" stands for text that would harm a
             terminal
    exit     ends with exit code 3 before it answers the grant of that time; 0: before READY
    hang     never answers it
    late     answers it three seconds later
    stubborn ignores SHUTDOWN, the end of its input, and SIGTERM
"""
import json
import signal
import sys
import time

HOSTILE = (b"red \x1b[31mtext\x1b[0m, title \x1b]0;owned\x07, bell \x07, back \x08\x08\x08, CSI \xc2\x9b2J\n"
           b"bidi \xe2\x80\xaegnp.exe\xe2\x80\xac, zero \x00, bad UTF-8 \xff\xc3\x28\n"
           b"a\ttab, wide \xe6\x97\xa5\xe6\x9c\xac, mark e\xcc\x81, half a line\r\n"
           b"long " + b"0123456789" * 30 + b"\n")


def say(text: str) -> None:
    sys.stderr.buffer.write(HOSTILE if text == "hostile" else text.encode() + b"\n")
    sys.stderr.buffer.flush()


def speak(config: dict, now: int) -> None:
    for at, text in config.get("say", []):
        if at == now:
            say(text)


def main() -> None:
    config: dict = {}
    ticks = 0
    while line := sys.stdin.readline():
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "INIT":
            config = json.loads(rest.split(" ", 1)[1]).get("config", {})
            if config.get("stubborn"):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            speak(config, 0)
            if config.get("exit") == 0:
                sys.exit(3)
            print("READY", flush=True)
        elif word == "ADVANCE":
            sys.stdin.readline()
            now = int(rest)
            speak(config, now)
            if now == config.get("exit"):
                sys.exit(3)
            if now == config.get("late"):
                time.sleep(3)
            if now == config.get("hang"):
                while True:
                    time.sleep(60)
            sent = []
            if config.get("tick") and now % config["tick"] == 0:
                ticks += 1
                sent.append({"time_us": now - 1, "type": "TICK", "src": None, "dst": config["to"],
                             "payload": {"count": ticks}, "size_bytes": 8})
            print("DONE")
            print(json.dumps(sent), flush=True)
        elif word == "SHUTDOWN" and not config.get("stubborn"):
            return
    while config.get("stubborn"):
        time.sleep(60)


main()
