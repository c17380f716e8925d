"""Cases of hostile.py: what a node does as a process, to its streams, its children and itself."""
import os
import re
import resource
import signal
import sys
import time

from hostile_node import CASES, case, forever


# --- Streams ---

@case
def closes_stdout(node):
    node.second()
    os.close(1)
    forever()


@case
def closes_stdin(node):
    node.second()
    node.input.close()
    os.close(0)
    node.done()
    forever()


@case
def closes_stdin_and_stdout(node):
    node.second()
    node.input.close()
    os.close(0)
    os.close(1)
    forever()


@case
def closes_stderr(node):
    node.second()
    os.close(2)
    node.done()
    node.serve()


@case
def closes_everything_before_init(node):
    node.input.close()
    for fd in (0, 1, 2):
        os.close(fd)
    forever()


# --- Ends ---

@case
def exits_before_init(_):
    sys.exit(3)


@case
def exits_with_0_before_init(_):
    sys.exit(0)


@case
def exits_after_init(node):
    node.init()
    sys.exit(3)


@case
def exits_after_ready(node):
    node.start()
    sys.exit(3)


@case
def exits_with_3(node):
    node.second()
    for i in range(30):
        print(f"stderr line {i}", file=sys.stderr)
    print("last words", file=sys.stderr)
    sys.exit(3)


@case
def exits_with_0(node):
    node.second()
    sys.exit(0)


def dies_by(name, number):
    def run(node):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        node.second()
        os.kill(os.getpid(), number)
        forever()
    CASES[name] = run


dies_by("dies-by-sigsegv", signal.SIGSEGV)
dies_by("dies-by-sigkill", signal.SIGKILL)
dies_by("dies-by-sigterm", signal.SIGTERM)
dies_by("stops-itself", signal.SIGSTOP)


@case
def exits_between_quanta(node):
    """Some milliseconds after its answer; the scenario is paced so that the next ADVANCE is later."""
    node.second()
    node.done()
    time.sleep(0.03)
    os._exit(3)


@case
def exits_with_its_answer(node):
    node.second()
    node.done()
    os._exit(3)


@case
def exits_in_its_answer(node):
    node.second()
    node.say("DONE")
    os._exit(3)


@case
def kills_its_process_group(node):
    node.second()
    os.killpg(0, signal.SIGKILL)


@case
def never_answers_init(node):
    node.init()
    forever()


@case
def never_answers_the_first_advance(node):
    node.start()
    node.advance()
    forever()


@case
def never_answers_the_fourth_advance(node):
    node.start()
    for _ in range(3):
        node.advance()
        node.done()
    node.advance()
    forever()


@case
def computes_without_end(node):
    node.second()
    while True:
        pass


@case
def is_late_but_not_too_late(node):
    node.start()
    while True:
        node.advance()
        time.sleep(0.1)
        node.done()


# --- Those who do not want to go ---

def stay(node, and_then=forever):
    """As it should be until SHUTDOWN, then something else."""
    node.start()
    while node.input.readline().startswith(b"ADVANCE "):
        node.input.readline()
        node.done()
    and_then()


def child(work):
    """Forks a child that does that and then lives on."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            forever()
        finally:
            os._exit(0)
    return pid


def ignore_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@case
def ignores_shutdown(node):
    stay(node)


@case
def ignores_shutdown_and_sigterm(node):
    ignore_signals()
    stay(node)


@case
def stops_itself_at_shutdown(node):
    ignore_signals()
    stay(node, lambda: os.kill(os.getpid(), signal.SIGSTOP))


@case
def floods_stdout_at_shutdown(node):
    """From four processes at once, so that there is always something to read."""
    ignore_signals()

    def flood():
        while True:
            node.write(b"DONE\n[]\n" * 8192)

    def all_of_them():
        for _ in range(3):
            child(flood)
        flood()
    stay(node, all_of_them)


@case
def exits_with_3_at_shutdown(node):
    stay(node, lambda: sys.exit(3))


@case
def child_ignores_sigterm(node):
    """And holds stdout and stderr open when the node itself has gone."""
    child(ignore_signals)
    node.start()
    node.serve()


@case
def child_outlives_a_node_that_exits(node):
    child(ignore_signals)
    node.second()
    os._exit(3)


@case
def child_in_another_group(node):
    child(lambda: (os.setpgid(0, 0), ignore_signals()))
    node.start()
    node.serve()


def daemon():
    """Double fork, a session of its own; stdout and stderr stay open."""
    middle = os.fork()
    if middle == 0:
        os.setsid()
        child(ignore_signals)
        os._exit(0)
    os.waitpid(middle, 0)


@case
def daemon_stays_behind(node):
    daemon()
    node.start()
    node.serve()


@case
def daemon_of_a_node_that_fails(node):
    daemon()
    node.second()
    os._exit(3)


@case
def daemon_before_init(_):
    daemon()
    forever()


@case
def daemon_writes_to_stdout(node):
    """Behind the node's own answers, at a time of its own."""
    node.second()
    middle = os.fork()
    if middle == 0:
        os.setsid()
        time.sleep(0.1)
        node.say("DONE", "[]", "I am the daemon")
        forever()
    forever()


@case
def forks_children(node):
    """Fifty in all, one every few milliseconds, some of which end at once and are never waited for."""
    node.start()
    for i in range(50):
        child(ignore_signals if i % 2 else lambda: os._exit(0))
        time.sleep(0.004)
    node.serve()


@case
def forks_at_shutdown(node):
    ignore_signals()

    def spread():
        for _ in range(50):
            child(ignore_signals)
            time.sleep(0.004)
        forever()
    stay(node, spread)


@case
def chain_of_forks(node):
    """Fifty generations, each of which ends as soon as it has a child."""
    node.start()
    if os.fork() == 0:
        os.setsid()
        for _ in range(50):
            if os.fork():
                os._exit(0)
            time.sleep(0.01)
        forever()
    node.serve()


# --- What it has from lockstep, and what it does with it ---

def complain_unless(node, complaints):
    """READY where all is as it should be, else ERROR."""
    for text in complaints:
        print(text, file=sys.stderr)
    node.start("ERROR " + "; ".join(complaints) if complaints else "READY")
    node.serve()


@case
def inherited_descriptors(node):
    node.input.close()
    node.input = open(0, "rb", closefd=False)
    folder = os.open("/proc/self/fd", os.O_RDONLY)
    there = sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
    extra = [fd for fd in there if fd not in (0, 1, 2, folder)]
    os.close(folder)
    print(f"descriptors: {there}", file=sys.stderr)
    complain_unless(node, [f"descriptor {fd} is {os.readlink(f'/proc/self/fd/{fd}')}" for fd in extra])


@case
def inherited_environment(node):
    env, complaints = os.environ, []
    print("environment:", *sorted(env), file=sys.stderr)
    if env.get("HOSTILE_KEY") != "a value":
        complaints.append(f"HOSTILE_KEY is {env.get('HOSTILE_KEY')!r}")
    if "PATH" not in env:
        complaints.append("there is no PATH")
    if os.getcwd() != os.environ.get("HOSTILE_CWD"):
        complaints.append(f"the working directory is {os.getcwd()}, not {os.environ.get('HOSTILE_CWD')}")
    complain_unless(node, complaints)


@case
def inherited_signals(node):
    complaints = []
    with open("/proc/self/status", encoding="ascii") as status:
        masks = {key: int(value, 16) for key, value in re.findall(r"^(Sig\w+):\s*([0-9a-f]{16})$", status.read(), re.M)}
    of_python = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    if masks["SigBlk"]:
        complaints.append(f"blocked signals: {masks['SigBlk']:x}")
    if masks["SigIgn"] & ~of_python:
        complaints.append(f"ignored signals: {masks['SigIgn'] & ~of_python:x}")
    if os.getsid(0) != os.getpid() or os.getpgid(0) != os.getpid():
        complaints.append("no session and process group of its own")
    complain_unless(node, complaints)


@case
def no_terminal(node):
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        complaints = ["it has a terminal"]
    except OSError:
        complaints = []
    complain_unless(node, complaints)


@case
def opens_many_descriptors(node):
    node.second()
    held = []
    try:
        while len(held) < 5000:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    node.done()
    node.serve()


@case
def changes_its_group(node):
    """A session's leader may not; a child of it may take the node's place in everything but the name."""
    node.second()
    try:
        os.setpgid(0, 0)
        os.setsid()
    except OSError as error:
        print(f"as expected: {error}", file=sys.stderr)
    node.done()
    node.serve()


@case
def raises_its_nice_level(node):
    node.second()
    os.nice(19)
    node.done()
    node.serve()


@case
def removes_its_working_directory(node):
    node.second()
    os.rmdir(os.getcwd())
    node.done()
    node.serve()


@case
def makes_its_streams_nonblocking(node):
    """A flag of the open file, which both ends of a shared one would have."""
    node.second()
    for fd in (0, 1, 2):
        os.set_blocking(fd, False)
    node.done()
    for fd in (0, 1, 2):
        os.set_blocking(fd, True)
    node.serve()


@case
def signals_its_parent(node):
    """With signals that only a guard would get: the end of a run is not a node's to give."""
    node.second()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(os.getppid(), number)
    node.done()
    node.serve()


@case
def stops_its_parent(node):
    node.second()
    os.kill(os.getppid(), signal.SIGSTOP)
    node.done()
    node.serve()


@case
def kills_its_parent(node):
    node.second()
    os.kill(os.getppid(), signal.SIGKILL)
    node.done()
    node.serve()
