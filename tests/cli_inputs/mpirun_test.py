"""Several ranks that meet the same error print it once, and every one of them ends with its code."""
import re
import unittest

import numpy as np
from cli import (BAD_INPUT, BAD_JOB, BAD_USAGE, COMPLETE, RUN_DIRECTORY, SOME_FAILED, CliTest, moesweep,
                 random_matrices, write_safetensors)


class ManyRanks(CliTest):
    def assert_refused_once(self, arguments, code, *named):
        done = moesweep(*arguments, ranks=3)
        self.assert_ends(done, code)
        ours = [line for line in done.stderr.splitlines() if line.startswith("moesweep: ")]
        self.assertEqual(len(ours), 1, done.stderr)
        for text in named:
            self.assertIn(str(text), ours[0])
        self.assertNotIn("bug", done.stderr)

    def test_bad_job_is_told_once(self):
        job = self.job(more="nmae = \"x\"")
        run = self.folder / "run"
        self.assert_refused_once(("run", job, "--run-dir", run), BAD_JOB, f"{job}:3: ", '"nmae"', '"name"')
        self.assertFalse(run.exists())

    def test_bad_usage_is_told_once(self):
        self.assert_refused_once(("run", self.job(), "--run-dir", self.folder / "run", "--bogus"), BAD_USAGE, "--bogus")

    def test_ranks_of_a_node_share_its_memory(self):
        run, env = self.folder / "run", {"SLURM_MEM_PER_NODE": "8"}
        self.assert_ends(moesweep("plan", self.job(), env=env), COMPLETE)
        done = moesweep("run", self.job(), "--run-dir", run, ranks=3, env=env)
        self.assert_ends(done, BAD_JOB)
        self.assertIn("a rank may use 2.13 MiB, 80 % of 8.00 MiB (SLURM_MEM_PER_NODE), shared by 3 ranks", done.stderr)
        self.assertFalse(run.exists())

    def test_missing_shard_is_told_once(self):
        checkpoint = self.copy_of_use_lite()
        (checkpoint / "model-00002-of-00002.safetensors").unlink()
        run = self.folder / "run"
        self.assert_refused_once(("run", self.job(checkpoint), "--run-dir", run), BAD_INPUT, "model-00002-of-00002")
        self.assertFalse(run.exists())

    def test_directory_of_another_job_is_told_once(self):
        run = self.sweep()
        with self.unchanged(run):
            self.assert_refused_once(("run", self.job(), "--run-dir", run, "--set", "sensitivity.bits=[4]"),
                                     RUN_DIRECTORY, "sensitivity.bits")

    def test_error_that_only_rank_0_meets_ends_all(self):
        self.assert_refused_once(("run", self.job(), "--run-dir", "/dev/null/run"), RUN_DIRECTORY, "/dev/null/run")

    def test_lock_folder_that_is_a_file_ends_all(self):
        run = self.sweep()
        for path in (run / "lock").iterdir():
            path.unlink()
        (run / "lock").rmdir()
        (run / "lock").write_text("")
        self.assert_refused_once(("run", self.job(), "--run-dir", run), RUN_DIRECTORY, run)

    def test_failed_units_are_told_once(self):
        tensors = random_matrices(4, 64, 64)
        tensors["layers.2.weight"][0, 5] = np.nan
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, tensors)
        self.assert_refused_once(("run", self.job(checkpoint), "--run-dir", self.folder / "run"), SOME_FAILED,
                                 "layers.2.weight", "index 5 ")

    def test_expected_number_of_ranks_is_accepted_and_any_other_refused(self):
        run = self.folder / "run"
        self.assert_refused_once(("run", self.job(), "--run-dir", run, "--expect-ranks", "4"), BAD_USAGE, "4", "3")
        self.assertFalse(run.exists())
        self.sweep(None, "run", "--expect-ranks", "3", ranks=3)

    def test_digest_is_that_of_one_rank(self):
        alone, together = self.sweep(), self.sweep(None, "together", ranks=3)
        self.assertEqual(moesweep("verify", alone).stdout, moesweep("verify", together).stdout)


if __name__ == "__main__":
    unittest.main()
