"""A node of the chaos test: chaos.py BEHAVIOUR[,BEHAVIOUR…] SEED, over stdin and stdout, TCP or a Unix socket.

What it answers depends on the seed and on the grants alone. It notes each grant in the folder LOCKSTEP_TEST_NOTES: by
that the test knows which quanta were over when lockstep was killed. Whatever it leaves behind ends after LIFE seconds,
should nobody end it before.

    plain        nothing else
    fork         a child in its group that sleeps
    fork-term    a child in its group that ignores every signal that can be ignored
    daemon       a grandchild in a session of its own that ignores them too, without its pipes
    daemon-open  the same, and keeps the pipes open
    respawn      such a grandchild that hands over to a child of its own again and again
    stubborn     it ignores SIGTERM
    deaf         it ignores SHUTDOWN and the end of its input
    flood        it writes to stderr as fast as it goes
    slow         it takes its time for an answer
    next         it says when its next own event is
    mute:N       no answer from the Nth ADVANCE on
    half:N       half a line at the Nth ADVANCE, then nothing
    close:N      it closes its output at the Nth ADVANCE
    exit:N       it ends with exit code 3 at the Nth ADVANCE
    crash:N      it ends by SIGABRT at the Nth ADVANCE
"""
import os
import signal
import sys
import time

LIFE = 60  # seconds


def ignore_signals(*kept):
    for number in range(1, signal.NSIG):
        if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, *kept):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass


def close_pipes(_number, _frame):
    """Asked for from outside, by SIGUSR1."""
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)


def leave_child():
    if os.fork() == 0:
        time.sleep(LIFE)
        os._exit(0)


def leave_stubborn_child():
    if os.fork() == 0:
        ignore_signals()
        time.sleep(LIFE)
        os._exit(0)


def hand_over():
    """One process follows the other, so that each look at the processes finds another one."""
    end = time.monotonic() + LIFE
    while time.monotonic() < end:
        time.sleep(0.001)
        if os.fork():
            os._exit(0)
    os._exit(0)


def leave_daemon(keep_pipes, work):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    ignore_signals()
    os.chdir("/")
    if not keep_pipes:
        os.closerange(0, 64)
    work()
    os._exit(0)


def flood():
    import _thread

    def write():
        try:
            while True:
                os.write(2, b"the node has much to say and says it again and again\n" * 70)
        except OSError:
            pass
    _thread.start_new_thread(write, ())


class Numbers:
    """The same on every machine, without the time that importing `random` takes."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        return (self.state >> 33) % n


class Node:
    def __init__(self, behaviours, seed):
        self.counts = {name: int(count or 0) for name, _, count in (b.partition(":") for b in behaviours.split(","))}
        self.numbers, self.delays = Numbers(seed), Numbers(seed + 1)
        self.time = self.grants = 0
        notes = os.environ.get("LOCKSTEP_TEST_NOTES")
        self.note = notes and os.open(os.path.join(notes, os.environ["LOCKSTEP_NODE"]), os.O_WRONLY | os.O_CREAT, 0o600)

    def connect(self):
        if os.environ["LOCKSTEP_TRANSPORT"] == "stdio":
            self.input, self.output = os.fdopen(0, "rb", closefd=False), 1
            return
        import socket
        path = os.environ.get("LOCKSTEP_SOCKET")
        server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(path or ("127.0.0.1", int(os.environ["LOCKSTEP_PORT"])))
        server.listen(1)
        connection = server.accept()[0]
        server.close()
        self.output = os.dup(connection.fileno())
        self.input = connection.makefile("rb")

    def begin(self):
        does = self.counts
        signal.signal(signal.SIGUSR1, close_pipes)
        if "stubborn" in does:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if "fork" in does:
            leave_child()
        if "fork-term" in does:
            leave_stubborn_child()
        if "daemon" in does or "daemon-open" in does:
            leave_daemon("daemon-open" in does, lambda: time.sleep(LIFE))
        if "respawn" in does:
            leave_daemon(False, hand_over)
        if "flood" in does:
            flood()

    def say(self, text):
        data = memoryview(text.encode())
        while data:
            data = data[os.write(self.output, data):]

    def fail(self):
        """What is to go wrong at this grant; true: there is no answer."""
        due = {name for name, count in self.counts.items() if count and self.grants >= count}
        if "exit" in due:
            os._exit(3)
        if "crash" in due:
            signal.signal(signal.SIGABRT, signal.SIG_DFL)
            os.abort()
        if "close" in due and self.grants == self.counts["close"]:
            null = os.open("/dev/null", os.O_WRONLY)
            if os.environ["LOCKSTEP_TRANSPORT"] != "stdio":
                import socket
                socket.socket(fileno=os.dup(self.output)).shutdown(socket.SHUT_WR)
            os.dup2(null, self.output)
        if "half" in due and self.grants == self.counts["half"]:
            self.say('DONE {"next_us": 1')
        return bool(due & {"half", "mute", "close"})

    def answer(self, target):
        """Some messages within the last quantum, in order of time; others may have been skipped before it."""
        span = min(target - self.time, int(os.environ["LOCKSTEP_TEST_QUANTUM"]))
        count = self.numbers.below(3)
        times = sorted(target - span + self.numbers.below(span) for _ in range(count))
        peers = os.environ["LOCKSTEP_TEST_PEERS"].split(",")
        messages = []
        for t in times:
            dst = self.numbers.below(len(peers) + 2)
            to = f'"dst":"{peers[dst]}",' if dst < len(peers) else '"dst":"nobody",' if dst == len(peers) else ""
            messages.append(f'{{"time_us":{t},"type":"CHAOS",{to}"payload":{{"number":{self.numbers.below(1000)}.50,'
                            f'"text":"{"x" * self.numbers.below(400)}"}},"size_bytes":{self.numbers.below(100)}}}')
        next_us = f' {{"next_us":{target + self.numbers.below(3) * span}}}' if "next" in self.counts else ""
        self.say(f"DONE{next_us}\n[{','.join(messages)}]\n")

    def grant(self, target):
        self.grants += 1
        if self.note:
            os.pwrite(self.note, b"%020d %020d\n" % (self.time, target), 0)
        if "slow" in self.counts:
            time.sleep(0.001 * self.delays.below(20))
        if not self.fail():
            self.answer(target)
        self.time = target

    def serve(self):
        for line in self.input:
            if line.startswith(b"INIT "):
                self.say("READY\n")
            elif line.startswith(b"ADVANCE "):
                self.input.readline()
                self.grant(int(line[8:]))
            elif "deaf" not in self.counts:
                return
        if "deaf" in self.counts:
            time.sleep(LIFE)

    def run(self):
        self.begin()
        self.connect()
        try:
            self.serve()
        except OSError:  # lockstep is gone
            if "deaf" in self.counts:
                time.sleep(LIFE)
        os._exit(0)  # a thread may still be writing


if __name__ == "__main__":
    Node(sys.argv[1], int(sys.argv[2])).run()
