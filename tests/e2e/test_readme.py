"""The scenarios of README.md and the node of doc/nodes.md, as they stand there."""
import re
import shutil

import common

PAGES = common.SOURCE


class Pages(common.Case):
    def setUp(self):
        super().setUp()
        for folder in ("nodes", "models"):
            shutil.copytree(common.SCENARIOS / folder, self.dir / folder)
        text = (PAGES / "README.md").read_text()
        self.plain, self.more, *_ = re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)

    def finishes(self, name, text):
        """Without a warning, neither of the scenario nor of the run."""
        path = self.write(f"{name}.yaml", text)
        out, err = self.lockstep("--dry-run", path)
        self.assertNotIn("warning", out + err)
        out, err = self.batch(path, name, "--json")
        self.assertNotIn("warning", err)
        records = self.records(name)
        self.assertEqual([r for r in records if r["kind"] == "warning"], [])
        self.assertEqual(self.summary(name)["outcome"], "finished")
        return records

    def test_the_scenario_that_is_told_line_by_line_finishes(self):
        records = self.finishes("plain", self.plain)
        self.assertIn("ALERT", [r.get("type") for r in records])

    def test_and_does_so_with_what_else_it_may_hold_and_every_fault_acts(self):
        records = self.finishes("more", self.plain + self.more)
        self.assertEqual([r["state"] for r in records if r["kind"] == "node"], ["failed", "restarted"])
        self.assertEqual([r["text"].split()[:2] for r in records if r["kind"] == "command"],
                         [["inject", "sensor1"], ["edit", "3"], ["delay", "3"], ["drop", "3"]])
        self.assertEqual(len([r for r in records if r["kind"] == "link"]), 2)

    def test_the_node_in_python_is_the_one_that_a_scenario_runs(self):
        page = (PAGES / "doc" / "nodes.md").read_text().split("## A node in Python\n")[1].split("\n## ")[0]
        shown = "".join(line[4:] or "\n" for line in re.search(r"(?m)(^(    .*)?\n)+^    \S.*\n", page).group()
                        .strip("\n").splitlines(keepends=True))
        node = (common.SCENARIOS / "nodes" / "thermostat.py").read_text()
        self.assertEqual(shown + "\n", node)
        scenario = (common.SCENARIOS / "process_python.yaml").read_text()
        records = self.finishes("python", scenario)
        hot = [r["id"] for r in records if r.get("type") == "TRANSMIT" and r["payload"]["temperature"] > 22]
        self.assertTrue(hot)
        self.assertEqual(len([r for r in records if r.get("type") == "COOL"]), len(hot))
        self.assertEqual(len([r for r in records if r.get("type") == "MEAN"]), 3)
        short = re.search(r"(?m)^    from lockstep_node import Node\n(^(    .*)?\n)*?^    \w+\(\).run\(\)\n",
                          (PAGES / "README.md").read_text()).group()
        (self.dir / "nodes" / "thermostat.py").write_text(re.sub("(?m)^    ", "", short))
        self.finishes("short", scenario)


if __name__ == "__main__":
    common.main()
