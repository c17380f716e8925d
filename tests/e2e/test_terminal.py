"""The terminal UI on real terminals: what a person sees at each key, on every kind of terminal and at every size."""
import os
import re
import termios
import time

import common
from terminal import JOBS, Pty, Tmux, main, wait_until

BASELINE = common.SCENARIOS / "m0_baseline.yaml"
LARGE = common.SCENARIOS / "large.yaml"
# An hour that follows the wall clock: it is still running whenever it is looked at.
SLOW = """
name: slow
simulation: { duration: 1h, quantum: 1ms, seed: 1, pace: 1 }
nodes:
  - { id: sensor1, type: sensor, config: { interval: 50ms } }
  - { id: sensor2, type: sensor, config: { interval: 70ms } }
  - { id: gateway, type: gateway }
"""
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


class Terminal(common.Case):
    def slow(self):
        return self.write("slow.yaml", SLOW)

    def assert_whole(self, screen, columns, rows):
        """The header, the key bar, and between them frames that reach to the right edge in every row."""
        text = "\n".join(screen)
        self.assertEqual(len(screen), rows, text)
        self.assertRegex(screen[0], "PAUSED|RUNNING|FINISHED|ABORTED", text)
        self.assertRegex(screen[-1], r"q quit\b", text)
        framed = [line for line in screen if len(line) == columns and line[-1] in "╮│╯┃┤"]
        self.assertGreaterEqual(len(framed), rows - 4, text)
        self.assertTrue(all(len(line) <= columns for line in screen), text)


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
        known = r"worker +(ready|idle|finished) .*? \d[\d.]* [KM]i?B "
        t = Tmux(self, path, columns=120, rows=36)
        t.wait("PAUSED", line=0)
        t.wait(known)
        t.keys("c")
        t.wait("FINISHED", line=0)
        t.wait(known)

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


class Sizes(Terminal):
    def test_the_screen_is_whole_at_every_usual_size(self):
        t = Tmux(self, BASELINE)
        t.wait("PAUSED", line=0)
        for columns, rows in ((80, 24), (200, 60), (80, 50), (132, 24), (60, 16), (400, 100), (80, 24)):
            t.resize(columns, rows)
            t.wait(r"q quit", line=-1)
            self.assert_whole(t.settled(0.3), columns, rows)

    def test_tiny_and_huge_sizes_do_no_harm(self):
        p = Pty(self, self.slow())
        p.wait(b"PAUSED")
        p.send(b" ")
        keys = [b" ", b"?", b"\r", b"\033", b"/", b"abc\r", b"n", b"N", b"5\r", b"u", b"+1ms\r", b"z", b"\t", b"q",
                b"n", b"G", b"g", b"j", b"k", b"\033[<0;1;1M", b"\033[<0;200;90M"]
        for columns, rows in ((1, 1), (2, 1), (1, 5), (3, 3), (10, 2), (39, 7), (40, 8), (41, 9), (0, 0),
                              (65535, 65535), (1000, 1), (1, 500), (1000, 500), (5, 5)):
            p.resize(columns, rows)
            for key in keys:
                p.send(key)
                time.sleep(0.005)
            time.sleep(0.05)
            self.assertIsNone(p.process.poll(), f"{columns}x{rows}")
        p.resize(100, 30)
        p.wait(b"quit", since=p.send(b"\033\033\033\x0c"))
        p.send(b"Q")
        self.assertIn(p.end(), (0, 130))

    def test_a_tiny_screen_says_so_and_comes_back_whole(self):
        t = Tmux(self, BASELINE)
        before = t.wait("PAUSED", line=0)
        for columns, rows in ((20, 5), (1, 1), (5, 2), (80, 3), (10, 24)):
            t.resize(columns, rows)
            screen = t.settled(0.3)
            self.assertEqual(len(screen), rows)
            if columns >= 9:
                self.assertIn("too small", "\n".join(screen))
        t.resize(80, 24)
        wait_until("the screen of before", lambda: t.screen() == before)

    def test_a_storm_of_resizes_while_the_large_scenario_runs(self):
        rng = common.seeded_random()
        t = Tmux(self, "--run", "--duration", "100h", LARGE)
        t.wait("RUNNING", line=0)
        for _ in range(100):
            t.resize(rng.randint(20, 220), rng.randint(4, 70))
        t.resize(120, 40)
        t.wait("RUNNING", line=0)
        t.keys("Space")
        t.wait("PAUSED", line=0)
        screen = t.settled(0.4)
        self.assert_whole(screen, 120, 40)
        t.keys("C-l")
        self.assertEqual(t.settled(0.4), screen)
        t.keys("Q")
        self.assertEqual(t.end(), 130)

    def test_resizes_faster_than_frames(self):
        rng = common.seeded_random()
        p = Pty(self, "--run", self.slow())
        p.wait(b"RUNNING")
        for _ in range(500):
            p.resize(rng.randint(1, 300), rng.randint(1, 100))
            time.sleep(0.001)
        p.resize(90, 30)
        p.wait(b"PAUSED", since=p.send(b" "))
        p.send(b"Q")
        self.assertEqual(p.end(), 130)


COLOR = re.compile(rb"\033\[(?:[\d;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;:m]")
KINDS = ("xterm-256color", "xterm", "tmux-256color", "screen", "screen-256color", "vt100", "vt220", "linux")


class Kinds(Terminal):
    """Kinds of terminals, and what they can show."""

    def bytes_of(self, *args, **env):
        """What it writes from its start over a run to its end."""
        p = Pty(self, *args, columns=80, rows=24, **env)
        p.wait(b"PAUSED|P.?A.?U.?S.?E.?D")
        p.wait(b"quanta", since=p.send(b"sss"))
        p.wait(b"FINISHED", since=p.send(b"\rh\033 "))
        p.send(b"?\033[B\033?2z\033")
        p.send(b"Q")
        self.assertEqual(p.end(), 0)
        return bytes(p.data)

    def test_the_same_screen_on_every_kind_of_terminal(self):
        kinds = [k for k in KINDS if k != "linux"]
        screens = []
        for kind in kinds:
            t = Tmux(self, BASELINE, term=kind, columns=100, rows=30)
            t.wait("PAUSED", line=0)
            screens.append(t.settled(0.1))
            self.assert_whole(screens[-1], 100, 30)
            t.keys("Down", "Enter")
            t.wait("Node sensor2")
            t.keys("Escape", "s")
            t.wait(r"0\.001 000 s", line=0)
            t.keys("Space")
            t.wait("FINISHED", line=0)
            t.keys("q")
            self.assertEqual(t.end(), 0)
            t.kill()
        for kind, screen in zip(kinds, screens):
            self.assertEqual(screen, screens[0], kind)

    def test_the_linux_console(self):
        t = Tmux(self, BASELINE, term="linux")
        self.assertEqual(len(t.wait("PAUSED", line=0)[1]), 80)
        t.keys("Down", "Enter")
        t.wait("Node sensor2")
        t.type("\033[[A")
        t.wait("Help")
        t.type("\033[[E")
        t.wait("FINISHED", line=0)

    def test_every_kind_is_left_as_it_was(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                p = Pty(self, BASELINE, TERM=kind)
                p.wait(b"PAUSED")
                p.wait(b"after 1", since=p.send(b"s"))
                p.wait(b"FINISHED", since=p.send(b" "))
                p.send(b"q")
                self.assertEqual(p.end(), 0)
                self.assertEqual(termios.tcgetattr(p.slave), p.before)

    def test_without_utf_8_every_byte_is_ascii(self):
        self.assertTrue(any(b >= 0x80 for b in self.bytes_of(BASELINE)))
        for args, env in (((), {"LC_ALL": "C"}), ((), {"LC_ALL": "POSIX", "TERM": "vt100"}), (("--ascii",), {}),
                          ((), {"LC_ALL": "xx_YY.UTF-8"}), (("--ascii",), {"TERM": "linux"})):
            with self.subTest(args=args, **env):
                data = self.bytes_of(*args, BASELINE, **env)
                self.assertEqual([hex(b) for b in data if b >= 0x80], [])
                self.assertIn(b"gateway", data)

    def test_what_is_not_ascii_in_the_scenario_is_shown_in_ascii_where_it_must(self):
        path = self.write("u.yaml", SLOW.replace("name: slow", "name: größe 東京 é e\u0301")
                          .replace("interval: 50ms", "interval: 50ms, ort: 東京"))
        p = Pty(self, path, LC_ALL="C")
        p.wait(b"PAUSED")
        p.wait(b"sensor1", since=p.send(b"\r"))
        p.send(b"\0332\rQ")
        p.end()
        self.assertEqual([hex(b) for b in p.data if b >= 0x80], [])

    def test_no_colour_where_none_is_wanted(self):
        self.assertRegex(self.bytes_of(BASELINE), COLOR)
        for args, env in ((("--no-color",), {}), ((), {"NO_COLOR": "1"}), ((), {"TERM": "vt100"}),
                          (("--no-color",), {"TERM": "linux"})):
            with self.subTest(args=args, **env):
                self.assertNotRegex(self.bytes_of(*args, BASELINE, **env), COLOR)
        self.assertRegex(self.bytes_of(BASELINE, NO_COLOR=""), COLOR)

    def test_an_unusable_terminal_is_refused_in_one_line(self):
        for kind in ("no-such-terminal", "", "dumb", None):
            with self.subTest(kind=kind):
                p = Pty(self, BASELINE, TERM=kind, ASAN_OPTIONS="detect_leaks=0")  # ncurses' own, where it fails
                self.assertEqual(p.end(), 2)
                self.assertRegex(bytes(p.data), rb"^\r?lockstep: [^\r\n]*terminal[^\r\n]*\r\n$")

    def test_without_a_terminal_it_says_so_in_one_line(self):
        _, err = self.lockstep(BASELINE, expect=2)
        self.assertRegex(err, r"^lockstep: .*terminal.*--batch.*\n$")
        self.assertEqual(os.listdir(self.dir), [])


if __name__ == "__main__":
    main(JOBS)
