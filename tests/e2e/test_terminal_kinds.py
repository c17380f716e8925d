"""The terminal UI on every kind of terminal and at every size."""
import os
import re
import termios
import time

import common
from terminal import JOBS, SLOW, Pty, Terminal, Tmux, main, wait_until

BASELINE = common.SCENARIOS / "m0_baseline.yaml"
LARGE = common.SCENARIOS / "large.yaml"


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
