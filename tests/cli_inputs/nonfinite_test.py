"""A NaN among the weights: its unit fails by name and the sweep goes on, or is skipped by name where the job says so."""
import json
import unittest

import h5py
import numpy as np
from cli import COMPLETE, SOME_FAILED, CliTest, moesweep, random_matrices, write_safetensors

COLUMNS = 40
FIRST = 7 * COLUMNS + 11


class Nonfinite(CliTest):
    def setUp(self):
        super().setUp()
        tensors = random_matrices(3, 64, COLUMNS)
        for index in (FIRST, FIRST + 5, 63 * COLUMNS):
            tensors["layers.1.weight"].ravel()[index] = np.nan
        self.checkpoint = self.folder / "model.safetensors"
        write_safetensors(self.checkpoint, tensors)
        self.run_directory = self.folder / "run"

    def run_sweep(self, *more):
        return moesweep("run", self.job(self.checkpoint), "--run-dir", self.run_directory, *more)

    def test_nan_fails_its_unit_naming_tensor_and_first_index(self):
        done = self.run_sweep()
        self.assert_ends(done, SOME_FAILED)
        self.assertRegex(done.stderr, r"\Amoesweep: [^\n]+\n\Z")
        for text in ("layers.1.weight", f"index {FIRST} ", "nan", "nonfinite"):
            self.assertIn(text, done.stderr)

        status = json.loads(moesweep("status", self.run_directory, "--json").stdout)
        self.assertEqual((status["units_failed"], status["units_done"]), (1, status["units_total"] - 1))
        [failure] = status["failures"]
        self.assertIn("layers.1.weight", failure["key"])
        self.assertIn(f"index {FIRST} ", failure["error"])
        with h5py.File(self.run_directory / "results.h5") as results:
            self.assertIn(b"layers.1.weight", results["failures/key"][0])
            self.assertIn(f"index {FIRST} ".encode(), results["failures/error"][0])
            self.assertEqual(results.attrs["complete"], b"no")

    def test_several_failures_are_told_in_one_line(self):
        tensors = random_matrices(3, 64, COLUMNS)
        for values in tensors.values():
            values[0, 0] = np.inf
        write_safetensors(self.checkpoint, tensors)
        done = self.run_sweep("--quiet")  # what failed first is named, and with several threads that may be any
        self.assert_refused(done, SOME_FAILED, ".weight", "index 0 ", "inf", "2 more")

    def test_resume_tries_failed_units_again(self):
        self.assert_ends(self.run_sweep(), SOME_FAILED)
        self.assert_ends(self.run_sweep(), SOME_FAILED)
        sound = random_matrices(3, 64, COLUMNS)
        write_safetensors(self.checkpoint, sound)  # the same header and size
        self.assert_ends(self.run_sweep(), COMPLETE)

    def test_skip_completes_and_gives_the_reason(self):
        done = self.run_sweep("--set", "checkpoint.nonfinite=skip")
        self.assert_ends(done, COMPLETE)
        self.assertEqual(done.stderr, "")
        with h5py.File(self.run_directory / "results.h5") as results:
            table = results["sensitivity/tensors"]
            reasons = dict(zip(table["name"][:], table["reason"][:]))
            bits = dict(zip(table["name"][:], table["bits"][:]))
        self.assertTrue(reasons[b"layers.1.weight"].startswith(b"skipped: "), reasons)
        self.assertIn(str(FIRST).encode(), reasons[b"layers.1.weight"])
        self.assertEqual(bits[b"layers.1.weight"], 16)
        self.assertFalse(reasons[b"layers.0.weight"].startswith(b"skipped: "), reasons)


if __name__ == "__main__":
    unittest.main()
