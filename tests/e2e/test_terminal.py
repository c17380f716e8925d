"""The terminal UI on real terminals: what a person sees at each key."""
import os
import re
import time

import common
from terminal import JOBS, SLOW, Pty, Terminal, Tmux, main, wait_until

BASELINE = common.SCENARIOS / "m0_baseline.yaml"
PROCESS = """
simulation: { duration: 1s, seed: 1 }
nodes:
  - { id: p, type: custom, implementation: process, command: [cat] }
"""


def virtual_time(screen):
    """In microseconds, from the header."""
    match = re.search(r"(\d[\d ]*\.\d{3} \d{3}) s", screen[0])
    return int(match.group(1).replace(" ", "").replace(".", "")) if match else None


def selected_event(screen):
    """The number of the event whose payload is shown below the list."""
    match = re.search(r"[─-] (?:run|message|local|drop|end|warning) [^\n]*?record ([\d,]+) [─-]", "\n".join(screen))
    return int(match.group(1).replace(",", "")) if match else None


class MainPath(Terminal):
    def test_it_opens_paused_at_t_0_and_s_steps_one_quantum(self):
        t = Tmux(self, BASELINE)
        screen = t.wait("PAUSED", line=0)
        self.assertEqual(virtual_time(screen), 0)
        for text in ("m0_baseline", "Nodes", "Events", "Health", "Barrier", "sensor1", "gateway", "Space", "quit",
                     "help"):
            self.assertIn(text, "\n".join(screen))
        t.keys("s")
        t.wait(r"0\.001 000 s", line=0)
        t.keys("s", "s", "s")
        t.wait(r"0\.004 000 s", line=0)

    def test_space_p_c_and_f5_run_and_pause(self):
        t = Tmux(self, self.slow())
        t.wait("PAUSED", line=0)
        for run, pause in (("Space", "Space"), ("p", "p"), ("F5", "Space"), ("c", "p")):
            t.keys(run)
            before = virtual_time(t.wait("RUNNING", line=0))
            wait_until("the time goes on", lambda: virtual_time(t.screen()) > before)
            t.keys(pause)
            screen = t.wait("PAUSED", line=0)
            time.sleep(0.1)
            self.assertEqual(t.screen(), screen)

    def test_the_memory_of_a_process_is_known_at_the_start_and_after_a_short_run(self):
        path = self.write("short.yaml", """
simulation: { duration: 20ms, quantum: 10ms, seed: 1 }
nodes:
  - { id: gw, type: gateway }
  - id: worker
    type: custom
    implementation: process
    command: [sh, -c, "while read -r word now; do case $word in INIT) echo READY ;; ADVANCE) read -r m; echo DONE; \
              echo '[]' ;; SHUTDOWN) exit ;; esac; done"]
""")
        known = r"worker +(ready|idle|ended) .*? \d[\d.]* [KM]i?B "
        t = Tmux(self, path, columns=120, rows=36)
        t.wait("PAUSED", line=0)
        t.wait(known)
        t.keys("c")
        t.wait("FINISHED", line=0)
        t.wait(known)

    def test_the_wall_time_has_a_share_of_who_was_waited_for_in_vain(self):
        answers = ("while read -r word now; do case $word in INIT) echo READY ;; ADVANCE) read -r m; %s echo DONE; "
                   "echo '[]' ;; SHUTDOWN) exit ;; esac; done")
        for policy, word in (("abort", "failed"), ("continue", "left out")):
            with self.subTest(policy=policy):
                path = self.write("hangs.yaml", f"""
simulation: {{ duration: 20ms, quantum: 10ms, seed: 1 }}
nodes:
  - {{ id: quick, type: custom, implementation: process, command: [sh, -c, "{answers % ''}"] }}
  - {{ id: slow, type: custom, implementation: process, timeouts: {{ step: 2s }}, on_failure: {policy},
       command: [sh, -c, "{answers % '[ $now = 10000 ] && sleep 60;'}"] }}
""")
                t = Tmux(self, path, columns=120, rows=36)
                t.wait("PAUSED", line=0)
                t.keys("c")
                t.wait("FAILED|FINISHED", line=0)
                t.wait(rf"slow +\S {word} .* ([5-9]\d|100)(\.\d)? % +\d")

    def test_what_is_typed_ahead_is_done_in_turn(self):
        for keys in (b"s ", b"N25\r ", b"sss ", b" RQ"):
            with self.subTest(keys=keys):
                p = Pty(self, BASELINE)
                p.wait(b"PAUSED")
                since = p.send(keys)
                if not keys.endswith(b"Q"):
                    p.wait(b"FINISHED", since)
                    p.send(b"q")
                self.assertIn(p.end(), (0, 130))

    def test_n_quanta_and_run_until(self):
        t = Tmux(self, BASELINE)
        t.wait("PAUSED", line=0)
        for key, text, at in (("N", "25", 25000), ("u", "2.5s", 2500000), ("u", "+100ms", 2600000), ("N", "1", 2601000),
                              ("u", "2601500us", 2602000)):
            t.keys(key)
            t.type(text)
            t.keys("Enter")
            screen = t.wait("PAUSED.*" + re.escape(f"{at // 1000000}.{at // 1000 % 1000:03} {at % 1000:03} s"), line=0)
            self.assertEqual(virtual_time(screen), at)

    def test_a_number_or_time_that_is_none_is_said_and_can_be_taken_back(self):
        t = Tmux(self, BASELINE)
        t.wait("PAUSED", line=0)
        t.keys("s")
        for key, text, why in (("N", "many", "number"), ("N", "0", "number"), ("u", "later", "time|unit|number"),
                               ("u", "-", "time|unit|number")):
            t.keys(key)
            t.type(text)
            t.keys("Enter")
            self.assertEqual(virtual_time(t.wait(why)), 1000)
            t.keys("Escape")
            t.wait("Paused after", line=-2)

    def test_find_goes_through_the_matches_and_back(self):
        t = Tmux(self, BASELINE)
        t.wait("PAUSED", line=0)
        t.keys("Space")
        t.wait("FINISHED", line=0)
        t.keys("/")
        t.type("AGGREGATE")
        t.keys("Enter")
        lines = self.events(self.run_folder()).decode().splitlines()
        hits = [n for n, line in enumerate(lines) if '"AGGREGATE"' in line]
        self.assertEqual(len(hits), 1)
        wait_until("found", lambda: selected_event(t.screen()) == hits[0])
        t.keys("/")
        t.type("sample_4")
        t.keys("Enter")
        hits = [n for n, line in enumerate(lines) if "sample_4" in line]
        self.assertEqual(len(hits), 3)
        first = wait_until("found", lambda: (lambda n: n in hits and n)(selected_event(t.screen())))
        for key, step in (("n", 1), ("n", 1), ("n", 1), ("N", -1), ("N", -1)):
            first = hits[(hits.index(first) + step) % 3]
            t.keys(key)
            wait_until(f"match {first}", lambda: selected_event(t.screen()) == first)
        t.keys("/")
        t.type("no such text")
        t.keys("Enter")
        t.wait("No match")

    def run_folder(self):
        return os.path.join("runs", sorted(os.listdir(self.dir / "runs"))[-1])

    def test_tab_moves_the_focus_and_z_zooms(self):
        t = Tmux(self, BASELINE)
        t.wait("PAUSED", line=0)
        panes = ["Nodes", "Events", "Health", "Barrier"]
        alone = []
        for _ in range(5):
            t.keys("z")
            screen = t.settled(0.1)
            self.assert_whole(screen, 80, 24)
            seen = re.search("|".join(panes), screen[1]).group()
            if seen in ("Nodes", "Events"):
                self.assertFalse(any(p in "\n".join(screen[:-1]) for p in panes if p != seen), screen)
            alone.append(seen)
            t.keys("z")
            t.wait("Nodes(.|\n)*Health")
            t.keys("Tab")
        first = panes.index(alone[0])
        self.assertEqual(alone, [panes[(first + i) % 4] for i in range(5)])
        for number, pane in enumerate(panes, 1):
            t.keys(str(number), "z")
            t.wait(f"{number} {pane}", line=1)
            t.keys("z")

    def test_enter_opens_the_detail_and_escape_closes_it(self):
        t = Tmux(self, BASELINE)
        t.wait("PAUSED", line=0)
        t.keys("Space")
        plain = t.wait("FINISHED", line=0)
        t.keys("1", "g", "Down", "Enter")
        text = "\n".join(t.wait("Node sensor1"))
        self.assertIn("transmit", text)
        self.assertIn("Configuration", text)
        t.keys("Escape")
        t.wait("Events")
        t.keys("2", "G", "k", "Enter")
        t.wait(r'"sample_9"')
        t.keys("Escape")
        t.wait("Health")
        self.assertEqual(t.settled()[0], plain[0])

    def test_help_shows_the_keys_and_every_key_of_it_closes_it(self):
        t = Tmux(self, BASELINE, columns=120, rows=90)
        t.wait("PAUSED", line=0)
        time.sleep(0.5)  # until it is drawn whole
        plain = t.screen()
        for key in ("?", "F1", "h"):
            for close in ("Escape", key):
                t.keys(key)
                text = "\n".join(t.wait("a click selects")) # its last line
                for word in ("Space", "F5", "Ctrl-C", "zoom|alone", "follow", "quit"):
                    self.assertRegex(text, word)
                t.keys(close)
                wait_until("the help is closed", lambda: t.screen() == plain)

    def test_abort_rerun_and_quit(self):
        t = Tmux(self, "--out", "out", self.slow())
        t.wait("PAUSED", line=0)
        t.keys("F5")
        t.wait("RUNNING", line=0)
        t.keys("a")
        t.wait("ABORTED", line=0)
        t.wait("exit code 130")
        self.assertEqual(self.summary("out")["exit_code"], 130)
        t.keys("q")
        self.assertEqual(t.end(), 130)

    def test_rerun_starts_anew_in_a_folder_of_its_own(self):
        t = Tmux(self, BASELINE)
        t.wait("PAUSED", line=0)
        t.keys("Space")
        t.wait("FINISHED", line=0)
        t.keys("R")
        self.assertEqual(virtual_time(t.wait("PAUSED", line=0)), 0)
        t.keys("Space")
        t.wait("FINISHED", line=0)
        t.keys("q")
        self.assertEqual(t.end(), 0)
        self.assertEqual(len(os.listdir(self.dir / "runs")), 2)
        a, b = (self.dir / "runs" / name for name in os.listdir(self.dir / "runs"))
        self.assert_same_file(a / "events.jsonl", b / "events.jsonl")

    def test_rerun_asks_while_the_run_is_not_over(self):
        t = Tmux(self, self.slow())
        t.wait("PAUSED", line=0)
        t.keys("F5")
        t.wait("RUNNING", line=0)
        t.keys("R")
        t.wait(r"y.*n")
        t.keys("y")
        self.assertEqual(virtual_time(t.wait("PAUSED", line=0)), 0)

    def test_quit_asks_while_the_run_is_not_over(self):
        t = Tmux(self, "--out", "out", self.slow())
        t.wait("PAUSED", line=0)
        t.keys("F5")
        t.wait("RUNNING", line=0)
        t.keys("q")
        t.wait("not over.*y.*n")
        t.keys("n")
        t.wait("RUNNING", line=0)
        t.keys("q")
        t.wait("not over.*y.*n")
        t.keys("y")
        self.assertEqual(t.end(), 130)
        self.assertEqual(self.summary("out")["outcome"], "aborted")

    def test_quit_at_t_0_or_at_the_end_does_not_ask(self):
        t = Tmux(self, BASELINE)
        t.wait("PAUSED", line=0)
        t.keys("q")
        self.assertEqual(t.end(), 0)
        t = Tmux(self, "--out", "out", "--run", BASELINE)
        t.wait("FINISHED", line=0)
        t.keys("q")
        self.assertEqual(t.end(), 0)
        self.batch(BASELINE, "batch")
        self.assertEqual(self.events("out"), self.events("batch"))

    def test_what_was_aborted_before_its_first_quantum_is_aborted_too(self):
        t = Tmux(self, "--out", "out", BASELINE)
        t.wait("PAUSED", line=0)
        t.keys("a")
        t.wait("ABORTED", line=0)
        t.keys("q")
        self.assertEqual(t.end(), self.summary("out")["exit_code"])

    def test_while_nodes_are_started_the_screen_says_for_whom_it_waits(self):
        """In no keys file: those go on once the nodes are ready."""
        path = self.write("s.yaml", PROCESS.replace("[cat]", "[sleep, '1000'], timeouts: { start: 500s, stop: 100ms }"))
        for columns, rows in ((80, 24), (160, 48)):
            with self.subTest(columns=columns):
                t = Tmux(self, "--out", f"out{columns}", path, columns=columns, rows=rows)
                screen = t.wait("Starting the nodes: waiting for p")
                self.assertIn("STARTING", screen[0])
                self.assertEqual(len(screen), rows)
                self.assertRegex("\n".join(screen), r"p +starting")
                self.assertRegex(screen[-1], r"a abort .*q quit +\? help$")
                t.keys("a")
                t.wait("ABORTED", line=0)
                t.keys("q")
                t.end()

    def test_an_invalid_scenario_opens_with_its_problems_and_can_be_repaired(self):
        path = self.write("bad.yaml", SLOW.replace("type: gateway", "type: gatewax").replace("seed: 1", "seed: soon"))
        t = Tmux(self, path)
        text = "\n".join(t.wait("Problems"))
        self.assertIn("nodes[2].type", text)
        self.assertIn("simulation.seed", text)
        t.keys("s", "Space", "u", "N", "/", "a", "5", "Tab", "z", "Enter", "F", "t", "?", "Escape", "q")
        self.assertEqual(t.end(), 3)
        t = Tmux(self, path)
        t.wait("Problems")
        self.write("bad.yaml", SLOW)
        t.keys("R")
        t.wait("PAUSED", line=0)
        t.keys("Q")
        self.assertEqual(t.end(), 0)

    def test_a_launch_that_fails_is_said_on_the_screen(self):
        t = Tmux(self, self.write("p.yaml", PROCESS))
        t.wait("launch failed")
        t.wait("was expected")
        t.keys("q")
        self.assertEqual(t.end(), 4)

    def test_a_click_selects_and_the_wheel_scrolls(self):
        t = Tmux(self, BASELINE, term="xterm-256color")
        screen = t.wait("PAUSED", line=0)
        row = next(y for y, line in enumerate(screen) if "sensor3" in line) + 1
        t.type(f"\033[<0;6;{row}M\033[<0;6;{row}m")
        t.keys("Enter")
        t.wait("Node sensor3")
        t.keys("Escape", "Space")
        t.wait("FINISHED", line=0)
        last = wait_until("the events", lambda: selected_event(t.screen()))
        t.type("\033[<64;40;6M" * 3)
        wait_until("scrolled", lambda: selected_event(t.screen()) < last)

    def test_a_slow_line_cuts_a_click_and_an_arrow_and_no_part_acts_as_keys(self):
        """Each gap is longer than an ESC alone waits for the rest of its sequence."""
        click = b"\033[<0;6;6M\033[<0;6;6m"  # on sensor3
        for whole, node in ((click, "sensor3"), (b"\033[B", "sensor2"), (b"\033OB", "sensor2")):
            for cut in (1, 2, 3, 6, 9, 10, 11, 12, 15)[:len(whole) - 1]:
                with self.subTest(whole=whole, cut=cut):
                    p = Pty(self, BASELINE, columns=80, rows=24)
                    p.wait(b"PAUSED")
                    p.send(whole[:cut])
                    time.sleep(0.12)
                    p.send(whole[cut:])
                    time.sleep(0.06)
                    p.send(b"\r")
                    p.wait(self.in_colours("Node " + node), since=p.send(b"\x0c"))  # drawn whole
                    p.send(b"Q")
                    self.assertEqual(p.end(), 0)

    @staticmethod
    def in_colours(text):
        return rb"(?:\033\[[\d;]*m|\033\(B|\017)*".join(re.escape(c.encode()) for c in text)

    def test_half_of_a_click_does_not_hold_up_a_run(self):
        for part in (b"\033[<", b"\033[<0;6", b"\033[M", b"\033[", b"\033"):
            with self.subTest(part=part):
                p = Pty(self, "--run", self.slow(), columns=80, rows=24)
                p.wait(b"RUNNING")
                since = p.send(part)
                wait_until("its time goes on", lambda: len(p.data) > since + 4000)
                p.send(b"\x03")
                p.wait(b"ABORTED", since)
                p.send(b"q")
                self.assertEqual(p.end(), 130)

    def test_a_double_click_is_enter_and_the_key_bar_can_be_clicked(self):
        t = Tmux(self, BASELINE, term="xterm-256color")
        screen = t.wait("sensor2")
        row = next(y for y, line in enumerate(screen) if "sensor2" in line) + 1
        t.wait("s step", line=-1)
        t.type(f"\033[<0;6;{row}M\033[<0;6;{row}m" * 2)
        t.wait("Node sensor2")
        x = t.wait("Esc", line=-1)[-1].index("Esc") + 1
        t.type(f"\033[<0;{x};24M\033[<0;{x};24m")
        t.wait("1 Nodes")
        x = t.wait("s step", line=-1)[-1].index("s step") + 3
        t.type(f"\033[<0;{x};24M\033[<0;{x};24m")
        t.wait("Paused after 1 quantum", line=-2)

    def test_keys_and_history_of_a_person_count_from_run_to_run(self):
        folder = self.dir / "config" / "lockstep"
        folder.mkdir(parents=True)
        (folder / "keys.yaml").write_text("step: F7\nzoom: s\nfold: s\n")
        own = {"XDG_CONFIG_HOME": str(self.dir / "config"), "XDG_STATE_HOME": str(self.dir / "state")}
        t = Tmux(self, BASELINE, **own)
        t.wait("1 warning in your settings", line=-2)
        t.keys("F7")
        t.wait("Paused after 1 quantum", line=-2)
        t.keys(":")
        t.type("step 41")
        t.keys("Enter")
        t.wait("Paused after 42 quanta", line=-2)
        t.keys("Q")
        t.end()
        t = Tmux(self, BASELINE, **own)
        t.wait("PAUSED", line=0)
        t.keys(":", "Up")
        t.wait(":step 41", line=-2)
        t.keys("Enter")
        t.wait("Paused after 41 quanta", line=-2)

    def test_that_it_is_to_run_can_be_said_while_its_nodes_start(self):
        ready = self.dir / "ready"
        node = self.write("node.sh", f"""
while read -r word now; do
  case $word in
    INIT) while [ ! -e {ready} ]; do sleep 0.02; done; echo READY ;;
    ADVANCE) read -r messages; echo DONE; echo '[]' ;;
    SHUTDOWN) exit ;;
  esac
done
""")
        scenario = self.write("slow.yaml", PROCESS.replace("[cat]", f"[sh, {node}]").replace("duration: 1s", "duration: 10ms"))
        for keys, state in ((["c"], "FINISHED"), (["Space"], "FINISHED"), (["Space", "Space"], "PAUSED")):
            t = Tmux(self, scenario, "--out", self.dir / f"out{len(keys)}{keys[0]}")
            t.wait("STARTING", line=0)
            t.keys(*keys)
            t.wait("It is paused when" if state == "PAUSED" else "It runs as soon as", line=-2)
            ready.touch()
            screen = t.wait(state, line=0)
            self.assertNotIn("all nodes are ready", "\n".join(screen))
            t.keys("Q")
            t.end()
            ready.unlink()

    def test_a_pause_says_at_once_for_whom_it_waits(self):
        node = self.write("node.sh", """
while read -r word now; do
  case $word in
    INIT) echo READY ;;
    ADVANCE) read -r messages; if [ $now = 3000 ]; then sleep 60; fi; echo DONE; echo '[]' ;;
    SHUTDOWN) exit ;;
  esac
done
""")
        t = Tmux(self, self.write("hang.yaml", PROCESS.replace("[cat]", f"[sh, {node}], timeouts: {{ stop: 200ms }}")))
        t.wait("PAUSED", line=0)
        t.keys("u")
        t.type("3ms")
        t.keys("Enter")
        t.wait("Running until 3ms: waiting for p", line=-2)
        t.keys("Space")
        t.wait(r"PAUSING.*0\.002 000 s", line=0)
        t.wait(r"Pausing at the end of this quantum: waiting for p, [\d.]+ .?s of 30 s", line=-2)
        t.keys("c")
        t.wait("RUNNING", line=0)
        t.wait("Waiting for p", line=-2)
        t.keys("r")
        t.wait("anew.*y/n", line=-2)
        t.keys("y")
        t.wait("p was started anew|p is being started anew|finished at", line=-2)
        t.keys("Q")
        self.assertIn(t.end(), (0, 130))  # the run may have come to its end by then


if __name__ == "__main__":
    main(JOBS)
