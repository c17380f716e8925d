"""How nodes come to an end: behind an answer, together with others, asked to, leaving somebody behind; and begin
anew."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import common
from common import main

# Does what its arguments say: WHAT@N, with the Nth ADVANCE (0: with INIT).
NODE = r'''
import os, signal, sys, time

acts = dict(reversed(a.split("@")) for a in sys.argv[1:])
delay = float(os.environ.get("LOCKSTEP_TEST_DELAY", "0"))
count = 0

def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()

def leave_a_zombie():
    """Its grandchild ends in this process group, and the child that should notice has left it."""
    ends = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os.setsid()
        os.write(ends[1], b"x")
        time.sleep(1000)
    os.read(ends[0], 1)

for line in sys.stdin:
    if line.startswith("INIT"):
        answer, what = "READY\n", acts.get("0")
    elif line.startswith("ADVANCE"):
        sys.stdin.readline()
        count += 1
        answer, what = "DONE\n[]\n", acts.get(str(count))
    else:
        print("asked to end", file=sys.stderr, flush=True)
        if acts.get("0") == "chatty":
            sys.stderr.write("chatter and more\n" * 3000)
        break
    again = "now_us" in line
    if what == "slow-again" and again:
        time.sleep(0.4)
    if what == "fail-again" and again:
        os._exit(7)
    if what == "exit":
        os._exit(5)
    if what == "late-exit":
        time.sleep(0.3)
        os._exit(6)
    if what == "no-flush":
        time.sleep(1000)
    if what == "one-line":
        say("DONE\n")
        time.sleep(1000)
    if what == "no-end":
        say("DON")
        time.sleep(1000)
    if what == "zombie":
        leave_a_zombie()
    if what == "null":
        answer = 'DONE {"next_us": null}\n[]\n'
    if acts.get("0") == "send" and count:
        answer = answer.replace("[]", '[{"time_us": %d, "type": "T", "dst": "a"}]' % (int(line.split()[1]) - 1))
    say(answer)
    if what == "exit-behind" or what == "null":
        time.sleep(delay)
        os._exit(3)
    if what == "talk-behind":
        time.sleep(delay)
        say("a stray line\n")
'''


class Ends(common.Case):
    def scenario(self, nodes, duration="30ms", quantum="1ms", more=""):
        node = self.write("node.py", NODE)
        lines = "".join(f"  - {{ id: {id}, type: x, tier: device, implementation: process, "
                        f"command: [{sys.executable}, {node}, {acts}], {fields} }}\n" for id, acts, fields in nodes)
        return self.write("s.yaml", f"simulation: "
                                    f"{{ duration: {duration}, quantum: {quantum}, seed: 1 }}\nnodes:\n{lines}{more}")

    def states(self, out, node):
        return [(r["t"], r["state"]) for r in self.records(out) if r["kind"] == "node" and r["node"] == node]


class Behind(Ends):
    def repeat(self, path, times, skips=False, **options):
        """Each time the node takes longer to do it, so that others are ahead of that or not."""
        for i in range(times):
            skip = ["--no-skip"] if i % 3 == 2 and not skips else []
            self.batch(path, f"out{i}", *skip, env={"LOCKSTEP_TEST_DELAY": str(0.0004 * i * i)}, **options)
            yield f"out{i}"

    def test_an_exit_behind_an_answer_counts_from_the_next_grant_each_time(self):
        path = self.scenario([("a", "exit-behind@10", "on_failure: continue"), ("b", "", "")])
        first = None
        for out in self.repeat(path, 9):
            first = first or self.events(out)
            self.assertTrue(self.events(out) == first, out)
            self.assertEqual(self.states(out, "a"), [(11000, "failed"), (11000, "frozen")])

    def test_so_does_a_restart_after_it(self):
        path = self.scenario([("a", "exit-behind@3", "on_failure: restart, restart: { max: 100, backoff: 0ms }"),
                              ("b", "", "")], duration="12ms")
        runs = [self.events(out) for out in self.repeat(path, 6)]
        self.assertEqual(set(runs), {runs[0]})
        self.assertEqual(self.states("out0", "a")[:2], [(4000, "failed"), (4000, "restarted")])

    def test_so_does_the_end_of_the_run(self):
        path = self.scenario([("b", "", ""), ("a", "exit-behind@10", "")])
        runs = [self.events(out) for out in self.repeat(path, 6, expect=1)]
        self.assertEqual(set(runs), {runs[0]})
        self.assertIn("exit code 3 before it had answered ADVANCE 11000", self.summary("out0")["cause"])

    def test_what_it_says_behind_its_answer_does_too(self):
        path = self.scenario([("a", "talk-behind@10", "on_failure: continue"), ("b", "", "")])
        runs = [self.events(out) for out in self.repeat(path, 12)]
        self.assertEqual(set(runs), {runs[0]})
        self.assertEqual(self.states("out0", "a"), [(11000, "failed"), (11000, "frozen")])
        cause = next(r["cause"] for r in self.records("out0") if r["kind"] == "node")
        self.assertRegex(cause, r'^answered "a stray line" to ADVANCE 11000')

    def test_one_that_nobody_needs_has_failed_when_it_has_been_gone_for_a_second(self):
        path = self.scenario([("a", "null@1", ""), ("b", "", "")], duration="1h", quantum="1s")
        began = time.monotonic()
        self.batch(path, "out", "--pace", "1", expect=1)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("exit code 3 after its answer to ADVANCE 1000000", self.summary("out")["cause"])

    def test_an_end_that_is_not_as_it_should_be_is_a_warning(self):
        path = self.scenario([("a", "exit-behind@3", ""), ("b", "", "")], duration="3ms")
        self.batch(path, "out")
        warnings = [(r["t"], r["node"], r["text"]) for r in self.records("out") if r["kind"] == "warning"]
        self.assertEqual(warnings, [(3000, "a", "its process ended with exit code 3, not 0")])

    def test_a_node_that_is_not_needed_any_more_may_go(self):
        path = self.scenario([("a", "null@10", ""), ("b", "", "")])
        runs = [self.events(out) for out in self.repeat(path, 6, skips=True)]
        self.assertEqual(set(runs), {runs[0]})
        self.assertEqual(self.states("out0", "a"), [])
        self.assertEqual([r["text"] for r in self.records("out0") if r["kind"] == "warning"],
                         ["its process ended with exit code 3, not 0"])


class Together(Ends):
    def test_of_nodes_that_fail_in_one_quantum_the_first_is_named(self):
        for second in ("exit", "late-exit"):
            first = "late-exit" if second == "exit" else "exit"
            path = self.scenario([("quiet", "", ""), ("a", f"{first}@4", ""), ("b", f"{second}@4", "")])
            self.batch(path, second, expect=1)
            self.assertEqual(self.summary(second)["failed_node"], "a")

    def test_and_of_those_that_fail_to_start(self):
        path = self.scenario([("a", "late-exit@0", ""), ("b", "exit@0", "")])
        self.batch(path, "out", expect=4)
        self.assertIn("nodes[0] a: its process ended with exit code 6", self.summary("out")["cause"])

    def test_a_launch_that_fails_ends_the_run_whatever_on_failure_says(self):
        for then in ("restart", "continue"):
            path = self.scenario([("a", "exit@0", f"on_failure: {then}")])
            _, err = self.batch(path, then, expect=4)
            self.assertRegex(err, rf"nodes\[0\] a: its process ended .*; `on_failure: {then}` counts from its first READY on: "
                                  "mend how the node starts\n")
            self.assertEqual([r for r in self.records(then) if r["kind"] == "warning"], [])
        self.batch(self.scenario([("a", "exit@0", "on_failure: abort")]), "abort", expect=4)
        self.assertNotIn("on_failure", self.summary("abort")["cause"])

    def test_one_that_hangs_does_not_hold_up_the_news_for_long(self):
        path = self.scenario([("a", "no-flush@4", "timeouts: { step: 60s }"), ("b", "exit@4", "")])
        began = time.monotonic()
        self.batch(path, "out", expect=1)
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual(self.summary("out")["failed_node"], "b")


class Words(Ends):
    def cause(self, act, fields):
        path = self.scenario([("a", act, fields)])
        self.batch(path, act, expect=4 if act.endswith("@0") else 1)
        return self.summary(act)["cause"]

    def test_a_missing_answer_comes_with_what_there_is_of_it(self):
        step = "timeouts: { step: 500ms }"
        self.assertIn("no answer to ADVANCE 2000 within 0.5 s; DONE came, but not its second line, the messages ([] "
                      "where there "
                      "are none)", self.cause("one-line@2", step))
        self.assertIn("no answer to ADVANCE 2000 within 0.5 s; the line 'DON' has no end", self.cause("no-end@2", step))
        self.assertRegex(self.cause("no-flush@3", step), r"no answer to ADVANCE 3000 within 0\.5 s(;? the last .*)?$")
        self.assertIn("no answer to ADVANCE 1000 within 0.5 s; does it flush its output?",
                      self.cause("no-flush@1", step))
        self.assertIn("no READY within 0.5 s after INIT; does it flush its output?",
                      self.cause("no-flush@0", "timeouts: { start: 500ms }"))


class Again(Ends):
    def test_a_fault_starts_again_what_another_had_killed(self):
        faults = ("faults:\n  - { at: 5ms, node: a, action: kill }\n  - { at: 10ms, node: a, action: restart }\n"
                  "  - { at: 15ms, node: s, action: kill }\n  - { at: 20ms, node: s, action: restart }\n")
        path = self.scenario([("a", "", "on_failure: continue"), ("b", "send@0", "")],
                             more="  - { id: s, type: sensor, on_failure: continue, "
                                  "config: { destination: a } }\n" + faults)
        self.batch(path, "out")
        self.batch(path, "again", "--no-skip")
        self.assertTrue(self.events("out") == self.events("again"))
        self.assertEqual(self.states("out", "a"), [(5000, "failed"), (5000, "frozen"), (10000, "restarted")])
        self.assertEqual(self.states("out", "s"), [(15000, "failed"), (15000, "frozen"), (20000, "restarted")])
        dropped = [r["t"] for r in self.records("out") if r["kind"] == "drop"]
        self.assertTrue(dropped and min(dropped) >= 5000 and max(dropped) <= 10000, dropped)
        states = {n["id"]: n for n in self.summary("out")["nodes"]}
        self.assertEqual((states["a"]["state"], states["a"]["restarts"]), ("finished", 1))

    def test_faults_without_effect_say_so(self):
        faults = "faults:\n" + "".join(f"  - {{ at: {at}, node: {node}, action: {action} }}\n" for at, node, action in [
            ("2ms", "a", "kill"), ("3ms", "a", "kill"), ("4ms", "a", "pause"), ("2ms", "b", "resume"),
            ("3ms", "b", "pause"),
            ("4ms", "b", "pause"), ("5ms", "b", "resume")])
        path = self.scenario([("a", "", "on_failure: continue"), ("b", "", "")], more=faults)
        self.batch(path, "out")
        warnings = [(r["t"], r["node"], r["text"]) for r in self.records("out") if r["kind"] == "warning"]
        self.assertEqual(warnings, [(2000, "b", "the fault 'resume' has no effect: the node is not paused"),
                                    (3000, "a", "the fault 'kill' has no effect: the node is not running"),
                                    (4000, "a", "the fault 'pause' has no effect: the node is not running"),
                                    (4000, "b", "the fault 'pause' has no effect: the node is paused already")])

    def test_what_a_resumed_model_sends_is_of_the_time_from_then_on(self):
        path = self.write("m.yaml", """
simulation: { duration: 4s, quantum: 100ms, seed: 1 }
nodes:
  - { id: s, type: sensor, config: { interval: 300ms } }
  - { id: gateway, type: gateway }
faults:
  - { at: 1.5s, node: s, action: pause }
  - { at: 2.8s, node: s, action: resume }
""")
        self.batch(path, "out")
        sent = [r["t"] for r in self.records("out") if r["kind"] == "message" and r["src"] == "s"]
        self.assertEqual([t for t in sent if 1500000 <= t <= 2800000], [2800000] * 5, sent)
        warnings = [r["text"] for r in self.records("out") if r["kind"] == "warning"]
        self.assertEqual(len(warnings), 1)
        self.assertRegex(warnings[0], r"^\d+ messages from the time that it was paused; taken as 2800000$")
        self.batch(path, "long", "--no-skip")
        self.assertTrue(self.events("out") == self.events("long"))

    def stop_and_start_again(self, path):
        """The first node, at the keys, before the first quantum; then the run goes on to its end."""
        keys = self.write("k.keys", "see PAUSED\ntype g\nj\nx\nsee (y/n)\ny\nsee stopped by the user\nr\nsee (y/n)\ny\n"
                                    "s\nuntil 1s\nc\nuntil FINISHED\n")
        self.lockstep("--keys", keys, "--size", "100x30", "--out", self.dir / "out", path)

    def test_a_stopped_node_is_asked_to_end_and_can_be_started_again(self):
        path = self.scenario([("a", "", "timeouts: { stop: 8s }"), ("b", "", "")], duration="2s", quantum="1s")
        self.stop_and_start_again(path)
        self.assertEqual(self.states("out", "a"), [(0, "frozen"), (0, "restarted")])
        self.assertEqual((self.dir / "out" / "logs" / "a.log").read_text().count("asked to end"), 2)

    def test_what_the_one_before_wrote_is_kept_and_closed(self):
        """It has more to say than a pipe holds when it is told to end; the next one must not be held up by that."""
        path = self.scenario([("a", "chatty@0", "restart: { backoff: 0ms }"), ("b", "", "")], duration="4s",
                             quantum="1s")
        self.stop_and_start_again(path)
        self.assertEqual((self.dir / "out" / "logs" / "a.log").read_text().count("chatter"), 2 * 3000)

    def test_a_model_in_the_midst_of_a_quantum_can_be_stopped(self):
        path = self.write("busy.yaml", """
simulation: { duration: 60s, quantum: 10s, seed: 1 }
nodes:
  - { id: s1, type: sensor, config: { interval: 500us } }
  - { id: gateway, type: gateway }
""")
        for key in ("x", "X", "r"):
            keys = self.write("k.keys", f"s\nuntil 10s\nc\ntype g\nj\n{key}\nsee (y/n)\ny\nuntil "
                                        f"{'FAILED' if key == 'X' else 'FINISHED'}\n")
            self.lockstep("--keys", keys, "--size", "80x24", "--out", self.dir / f"out-{key}", path, expect=key == "X")

    def test_one_that_fails_while_another_is_started_again_is_told(self):
        faults = "faults:\n  - { at: 2ms, node: slow, action: restart }\n  - { at: 2ms, node: bad, action: restart }\n"
        path = self.scenario([("slow", "slow-again@0", ""), ("bad", "fail-again@0", "")], more=faults)
        self.batch(path, "out", expect=1)
        self.assertEqual(self.summary("out")["failed_node"], "bad")
        self.assertEqual([state for _, state in self.states("out", "bad")], ["restarted", "failed"])

    def test_what_a_stopped_node_was_handed_is_lost_with_a_record(self):
        path = self.scenario([("a", "no-flush@3", "timeouts: { step: 60s }"), ("b", "send@0", "")], duration="5s",
                             quantum="1s")
        keys = self.write("k.keys", "c\nuntil 2s\ntype g\nj\nsee busy\nx\nsee (y/n)\ny\nuntil FINISHED\n")
        self.lockstep("--keys", keys, "--size", "100x30", "--out", self.dir / "out", path)
        end = self.records("out")[-1]
        delivered = sum(n["messages_in"] for n in self.summary("out")["nodes"])
        self.assertEqual(end["messages"], delivered + end["dropped"] + end["in_flight"], end)
        self.assertGreater(end["dropped"], 0)

    def test_what_arrives_in_skipped_quanta_for_a_dead_node_is_in_flight_no_more(self):
        path = self.write("flight.yaml", """
simulation: { duration: 6s, quantum: 1ms, seed: 1 }
network: { model: latency, default_latency: 5s }
nodes:
  - { id: s1, type: sensor, config: { interval: 100s } }
  - { id: gateway, type: gateway, on_failure: continue }
faults: [{ at: 2s, node: gateway, action: kill }]
""")
        self.batch(path, "out")
        self.batch(path, "long", "--no-skip")
        self.assertTrue(self.events("out") == self.events("long"))
        self.assertEqual(self.records("out")[-1]["in_flight"], 0)


    def test_faults_that_would_come_at_the_end_or_later_never_come(self):
        for quantum in ("1ms", "7ms", "20s"):
            for at in ("10s", "30s", "9.9995s"):
                path = self.write("late.yaml", f"""
simulation: {{ duration: 10s, quantum: {quantum}, seed: 1 }}
nodes:
  - {{ id: a, type: sensor }}
  - {{ id: gateway, type: gateway }}
faults: [{{ at: {at}, node: a, action: kill }}]
""")
                _, said = self.batch(path, "out")
                self.assertIn("it never happens", said)
                self.batch(path, "long", "--no-skip")
                self.assertTrue(self.events("out") == self.events("long"), (quantum, at))


class LeftBehind(Ends):
    def test_the_dead_in_a_group_hold_nothing_up(self):
        restart = "on_failure: restart, restart: { max: 1, backoff: 0ms }, timeouts: { stop: 20s }"
        path = self.scenario([("a", "zombie@2 exit@3".replace(" ", ", "), restart)], duration="4ms")
        began = time.monotonic()
        self.batch(path, "out", expect=1)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual([state for _, state in self.states("out", "a")], ["failed", "restarted"])
        self.assertRegex(self.summary("out")["cause"], r"^1 process was left behind by nodes: python3\S* of a;")

    def test_losing_the_guard_fails_the_run_whatever_its_nodes_are_to_do(self):
        path = self.scenario([("a", "", "on_failure: continue"), ("b", "", "on_failure: restart")],
                             duration="1h", quantum="10ms", more="")
        p = subprocess.Popen([common.LOCKSTEP, "-b", "-q", "-o", self.dir / "out", "--pace", "1", path],
                             stderr=subprocess.PIPE, text=True)
        os.kill(self.guard_of(p.pid), signal.SIGKILL)
        _, said = p.communicate(timeout=30)
        self.assertEqual(p.returncode, 1, said)
        self.assertIn("guard process", self.summary("out")["cause"])

    def guard_of(self, pid):
        for _ in range(1000):
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                for child in task.read_text().split():
                    if pathlib.Path(f"/proc/{child}/comm").read_text() == "lockstep-guard\n":
                        return int(child)
            time.sleep(0.01)
        self.fail("no guard process")


if __name__ == "__main__":
    main()
