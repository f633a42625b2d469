"""What README.md promises about results in Python holds on real results."""
import re
import subprocess
import sys
import unittest

from cli import SOURCE, CliTest

MARKED = re.compile(r"^<!-- test: read-results -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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


if __name__ == "__main__":
    unittest.main()
