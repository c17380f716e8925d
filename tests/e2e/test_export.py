"""What a pane shows, as a file: whole, in three forms, and never half."""
import csv
import fcntl
import json
import os
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

from common import LOCKSTEP, SOURCE

BASELINE = SOURCE / "scenarios" / "m0_baseline.yaml"


class Export(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.work = Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def play(self, *steps: str, want: int = 0, environment: dict[str, str] | None = None) -> str:
        """Plays the steps behind a run to its end; returns the last screen."""
        (self.work / "keys").write_text("\n".join(["F5", "until FINISHED", *steps, "screen last", ""]),
                                        encoding="utf-8")
        done = subprocess.run([LOCKSTEP, "--keys", "keys", "--out", "run", BASELINE], cwd=self.work, check=False,
                              capture_output=True, text=True, timeout=120, env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, want, done.stderr)
        subprocess.run(["rm", "-rf", self.work / "run.before"], check=True)
        (self.work / "run").rename(self.work / "run.before")
        last = self.work / "last"
        return last.read_text(encoding="utf-8") if last.exists() else done.stderr

    def records(self) -> list[dict]:
        text = (self.work / "run.before" / "events.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def others(self) -> set[str]:
        """What is there that no test has put there."""
        return {p.name for p in self.work.iterdir()} - {"keys", "last", "run.before"}

    def test_all_events_are_there_in_each_form(self):
        self.play(":pane events", ":export e.json", ":export e.csv", ":export e.txt")
        records = self.records()
        rows = json.loads((self.work / "e.json").read_text(encoding="utf-8"))
        with open(self.work / "e.csv", encoding="utf-8", newline="") as f:
            lines = list(csv.DictReader(f))
        self.assertEqual(len(rows), len(records))
        self.assertEqual(len(lines), len(records))
        self.assertEqual(len((self.work / "e.txt").read_text(encoding="utf-8").splitlines()), len(records) + 1)
        for record, row, line in zip(records, rows, lines):
            self.assertEqual(row["kind"], record["kind"])
            self.assertEqual(round(row["time"] * 1e6), record["t"])
            self.assertEqual(line["source"], record.get("src") or "")
            if record["kind"] == "message":
                self.assertEqual(row["payload"], record["payload"])
                self.assertEqual(json.loads(line["payload"]), record["payload"])
                self.assertEqual(int(line["bytes"]), record["size"])
        self.assertEqual(self.others(), {"e.json", "e.csv", "e.txt"})

    def test_a_list_is_exported_whole_and_in_its_order(self):
        self.play("resize 80x16", ":pane health", ":sort-next", ":sort-reverse", ":export h.csv")
        with open(self.work / "h.csv", encoding="utf-8", newline="") as f:
            lines = list(csv.DictReader(f))
        self.assertEqual([line["node"] for line in lines], ["sensor3", "sensor2", "sensor1", "gateway"])
        self.assertEqual(lines[3]["in"], "27")

    def test_a_file_is_overwritten_only_after_a_question(self):
        file = self.work / "e.csv"
        file.write_text("mine", encoding="utf-8")
        self.assertIn("e.csv is there already. Overwrite it?", self.play(":export e.csv", "screen last"))
        self.play(":export e.csv", "n")
        self.assertEqual(file.read_text(encoding="utf-8"), "mine")
        self.play(":export e.csv", "y")
        self.assertIn("tier,node", file.read_text(encoding="utf-8"))
        self.assertEqual(self.others(), {"e.csv"})

    def test_the_file_is_as_the_umask_has_it_and_a_link_stays_one(self):
        (self.work / "to").mkdir()
        (self.work / "to" / "real.csv").write_text("", encoding="utf-8")
        (self.work / "link.csv").symlink_to("to/real.csv")
        before = os.umask(0o027)
        try:
            self.play(":export new.csv", ":export link.csv", "y")
        finally:
            os.umask(before)
        self.assertEqual(stat.S_IMODE((self.work / "new.csv").stat().st_mode), 0o640)
        self.assertTrue((self.work / "link.csv").is_symlink())
        self.assertIn("tier,node", (self.work / "to" / "real.csv").read_text(encoding="utf-8"))

    def test_what_cannot_be_written_is_told_and_leaves_nothing(self):
        (self.work / "full.csv").symlink_to("/dev/full")
        self.assertIn("full.csv: No space left on device; nothing was exported", self.play(":export full.csv", "y"))
        self.assertTrue(Path("/dev/full").is_char_device())
        self.assertIn("away/e.csv: No such file or directory", self.play(":export away/e.csv"))
        (self.work / "x.csv").mkdir()
        (self.work / "last").unlink()
        self.assertIn("that is a folder", self.play(":export x.csv", want=1))
        self.assertEqual(self.others(), {"full.csv", "x.csv"})

    def test_a_pipe_that_nobody_empties_is_told(self):
        os.mkfifo(self.work / "pipe.json")
        reader = os.open(self.work / "pipe.json", os.O_RDONLY | os.O_NONBLOCK)
        try:
            fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
            said = self.play(":pane events", ":export pipe.json", "y")
        finally:
            os.close(reader)
        self.assertIn("pipe.json: Resource temporarily unavailable; nothing was exported", said)
        self.assertTrue((self.work / "pipe.json").is_fifo())

    def test_nothing_takes_the_place_of_what_nobody_was_asked_about(self):
        (self.work / "link.csv").symlink_to("nowhere")
        self.assertIn("link.csv: File exists; nothing was exported", self.play(":export link.csv"))
        self.assertEqual(self.others(), {"link.csv"})
        self.assertTrue((self.work / "link.csv").is_symlink())

    def test_a_refused_command_in_a_script_names_its_place(self):
        said = self.play(":export e.xls", want=1)
        self.assertIn("keys:3: ':export e.xls': column 8: the name's ending says the form", said)

    def test_the_history_is_left_alone_by_scripts_unless_it_is_named(self):
        state = {"XDG_STATE_HOME": str(self.work / "state"), "LOCKSTEP_HISTORY": ""}
        self.play(":", "type help keys", "Enter", environment=state)
        self.assertFalse((self.work / "state").exists())
        state["LOCKSTEP_HISTORY"] = str(self.work / "state" / "lines")
        self.play(":", "type help keys", "Enter", environment=state)
        self.assertEqual((self.work / "state" / "lines").read_text(encoding="utf-8"), "help keys\n")
        self.assertIn(":help keys", self.play(":", "Up", environment=state))


if __name__ == "__main__":
    unittest.main()
