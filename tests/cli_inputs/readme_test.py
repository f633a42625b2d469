"""What README.md promises about results in Python and about smaller models holds on real results."""
import json
import re
import subprocess
import sys
import unittest

from cli import COMPLETE, SOURCE, CliTest, moesweep

MARKED = re.compile(r"^<!-- test: read-results -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SMALLER = re.compile(r"^<!-- test: smaller-model -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPENED = re.compile(r'h5py\.File\("([^"]+)/results\.h5"\)')


class Readme(CliTest):
    def test_four_lines_of_python_print_a_table(self):
        snippets = MARKED.findall((SOURCE / "README.md").read_text())
        self.assertEqual(len(snippets), 1, "README.md needs one python block marked <!-- test: read-results -->")
        [snippet] = snippets
        self.assertEqual(len(snippet.splitlines()), 4)
        self.sweep(None, OPENED.search(snippet).group(1))
        done = subprocess.run([sys.executable, "-c", snippet], cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = done.stdout.splitlines()
        self.assertEqual(len(rows), 29)
        by_name = {name: (bits, composite) for name, bits, composite in map(str.split, rows)}
        self.assertEqual(by_name["encoder.layers.1.mlp.fc2.weight"][0], "4")
        self.assertAlmostEqual(float(by_name["encoder.layers.1.mlp.fc2.weight"][1]), 0.4352, places=4)

    def shown(self, block):
        """Command lines, and a pattern of what each prints; a line of three dots stands for any lines."""
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, printed = part.split("\n", 1)
            yield line.split(), re.sub(r"(?m)^\\\.\\\.\\\.\\?\n", r"(.*\\n)*", re.escape(printed))

    def test_a_smaller_model_is_written_as_shown(self):
        for folder in ("jobs", "tests"):
            (self.folder / folder).symlink_to(SOURCE / folder)
        self.assert_ends(moesweep("run", "jobs/demo.toml", "--run-dir", "demo-run", cwd=self.folder), COMPLETE)
        [block] = SMALLER.findall((SOURCE / "README.md").read_text())
        commands = []
        for (program, *arguments), printed in self.shown(block):
            self.assertEqual(program, "moesweep")
            commands.append(arguments[0])
            done = moesweep(*arguments, cwd=self.folder)
            self.assert_ends(done, COMPLETE)
            self.assertRegex(done.stdout, rf"\A{printed}\Z")
        self.assertEqual(commands, ["allocate", "quantize", "verify-plan"])

    def test_the_committed_plan_is_what_allocate_makes(self):
        self.assert_ends(moesweep("run", SOURCE / "jobs/demo.toml", "--run-dir", "demo-run", cwd=self.folder), COMPLETE)
        self.assert_ends(moesweep("allocate", "demo-run", "--target", "5bpw", "--architecture", "generic", cwd=self.folder),
                         COMPLETE)
        made, committed = (json.loads(path.read_text()) for path in (self.folder / "demo-run/plan-budget-mlx-5bpw.json",
                                                                     SOURCE / "tests/data/use-lite-plan.json"))
        for row, expected in zip(made["rows"], committed["rows"]):
            for sum_of_squares in ("sse", "sum_squares"):
                if row[sum_of_squares] is not None:
                    self.assertAlmostEqual(row[sum_of_squares], expected[sum_of_squares],
                                           delta=1e-6 * expected[sum_of_squares])
                row[sum_of_squares] = expected[sum_of_squares]
        # When, and by which version, is of each making its own.
        self.assertEqual(made["made"].pop("command"), committed["made"].pop("command"))
        self.assertEqual(made.pop("made").keys(), committed.pop("made").keys())
        self.assertEqual(made, committed)

    def test_the_job_that_writes_it_runs_as_it_is(self):
        """Elsewhere: its folder is beside that of the job file."""
        (self.folder / "jobs").mkdir()
        (self.folder / "jobs/quantize.toml").write_text((SOURCE / "jobs/quantize.toml").read_text())
        (self.folder / "tests").symlink_to(SOURCE / "tests")
        self.assert_ends(moesweep("run", "jobs/quantize.toml", "--run-dir", "run", cwd=self.folder), COMPLETE)
        self.assert_ends(moesweep("verify-plan", "tests/data/use-lite-plan.json", "use-lite-5bpw", cwd=self.folder), COMPLETE)
        refused = moesweep("status", "use-lite-5bpw", cwd=self.folder)
        self.assertIn("is not a run directory; give the folder named by --run-dir", refused.stderr)

    def test_a_written_checkpoint_names_its_sweep_and_what_differs(self):
        self.assert_ends(moesweep("run", SOURCE / "jobs/demo.toml", "--run-dir", "run", cwd=self.folder), COMPLETE)
        write = ("quantize", "run", "--plan", SOURCE / "tests/data/use-lite-plan.json", "out", "--to")
        self.assert_ends(moesweep(*write, "mlx", cwd=self.folder), COMPLETE)
        other = moesweep(*write, "dequantized", cwd=self.folder)
        self.assertIn('quantize.to: "dequantized" here, "mlx" in the run directory; use a new OUT', other.stderr)
        self.assertIn("give out/.moesweep", moesweep("status", "out", cwd=self.folder).stderr)
        self.assert_ends(moesweep("status", "out/.moesweep", cwd=self.folder), COMPLETE)


if __name__ == "__main__":
    unittest.main()
