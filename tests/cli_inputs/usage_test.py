"""Command lines that are wrong end with 64, one line, and nothing done."""
import unittest

from cli import BAD_USAGE, CliTest, moesweep


class Usage(CliTest):
    def test_unknown_command_is_refused(self):
        self.assert_refused(moesweep("frobnicate"), BAD_USAGE, "frobnicate", "--help")
        self.assert_refused(moesweep("exprot", "run"), BAD_USAGE, '"exprot"', '"export"')

    def test_no_command_is_refused(self):
        self.assert_refused(moesweep(), BAD_USAGE, "--help")

    def test_unknown_option_of_every_command_is_refused_by_name(self):
        for name in ("inspect", "plan", "run", "status", "aggregate", "verify", "export", "twin", "correlate"):
            with self.subTest(name):
                done = moesweep(name, "x", "y", "--run-dir", "z", "--to", "csv", "--bogus")
                self.assert_refused(done, BAD_USAGE, "--bogus")

    def test_missing_argument_is_refused_by_name(self):
        self.assert_refused(moesweep("run", self.job()), BAD_USAGE, "--run-dir")
        self.assert_refused(moesweep("inspect"), BAD_USAGE, "CHECKPOINT")

    def test_empty_run_directory_is_refused(self):
        self.assert_refused(moesweep("run", self.job(), "--run-dir", ""), BAD_USAGE, "--run-dir")

    def test_value_that_is_no_number_is_refused(self):
        done = moesweep("run", self.job(), "--run-dir", self.folder / "run", "--threads", "two")
        self.assert_refused(done, BAD_USAGE, "--threads", "two")
        self.assertFalse((self.folder / "run").exists())

    def test_absurd_thread_counts_are_refused(self):
        for threads in ("0", "-1", "100000000"):
            with self.subTest(threads):
                done = moesweep("run", self.job(), "--run-dir", self.folder / "run", "--threads", threads)
                self.assert_refused(done, BAD_USAGE, "--threads")

    def test_override_without_value_is_refused(self):
        done = moesweep("run", self.job(), "--run-dir", self.folder / "run", "--set", "sensitivity.bits")
        self.assert_refused(done, BAD_USAGE, "--set", "sensitivity.bits")
        self.assertFalse((self.folder / "run").exists())

    def test_another_number_of_ranks_than_expected_is_refused(self):
        done = moesweep("run", self.job(), "--run-dir", self.folder / "run", "--expect-ranks", "3")
        self.assert_refused(done, BAD_USAGE, "--expect-ranks", "3 ranks", "1")
        self.assertFalse((self.folder / "run").exists())

    def test_slurm_tasks_without_mpi_are_refused_once(self):
        """Each of them would be a sweep of its own; the first one tells."""
        arguments = ("run", self.job(), "--run-dir", self.folder / "run")
        first = moesweep(*arguments, env={"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"})
        self.assert_refused(first, BAD_USAGE, "4 tasks", "srun --mpi=pmix")
        other = moesweep(*arguments, env={"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "3"})
        self.assert_ends(other, BAD_USAGE)
        self.assertEqual(other.stderr + other.stdout, "")
        self.assertFalse((self.folder / "run").exists())

    def test_help_and_version_go_to_stdout(self):
        for option in ("--help", "--version"):
            done = moesweep(option)
            self.assert_ends(done, 0)
            self.assertIn("moesweep", done.stdout)
            self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
