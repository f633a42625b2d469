"""Standard streams that cannot be written are I/O errors, never bugs, and never cost the sweep."""
import json
import os
import subprocess
import unittest

import numpy as np
from cli import COMPLETE, IO_ERROR, CliTest, command, moesweep, random_matrices, write_safetensors


class FullStreams(CliTest):
    def with_full(self, stream, *arguments):
        with open("/dev/full", "w") as full:
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
            return subprocess.run(command(*arguments), text=True, timeout=60, **streams)

    def test_full_stdout_is_an_io_error(self):
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, random_matrices(200, 8, 8))
        for arguments in (("inspect", checkpoint), ("inspect", checkpoint, "--tensors"),
                          ("inspect", checkpoint, "--json"), ("plan", self.job(checkpoint), "--units")):
            with self.subTest(arguments):
                done = self.with_full("stdout", *arguments)
                self.assertEqual(done.returncode, IO_ERROR)
                self.assertRegex(done.stderr, r"\Amoesweep: standard output: [^\n]+\n\Z")

    def test_full_stderr_keeps_the_exit_code(self):
        self.assertEqual(self.with_full("stderr", "inspect", "/none").returncode, 65)
        self.assertEqual(self.with_full("stderr", "bogus").returncode, 64)
        done = self.with_full("stderr", "run", self.job(), "--run-dir", self.folder / "run")
        self.assertEqual(done.returncode, COMPLETE)

    def test_sweep_whose_stdout_is_full_is_complete_on_disk(self):
        run = self.folder / "run"
        self.assertEqual(self.with_full("stdout", "run", self.job(), "--run-dir", run).returncode, IO_ERROR)
        self.assert_ends(moesweep("status", run, "--exit-code"), COMPLETE)
        self.assert_ends(moesweep("verify", run), COMPLETE)

    def test_checkpoint_without_weights_is_summarised_without_nan(self):
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, {"empty.weight": np.zeros((0, 4))})
        done = moesweep("run", self.job(checkpoint), "--run-dir", self.folder / "run")
        self.assert_ends(done, COMPLETE)
        self.assertNotIn("nan", done.stdout)

    def test_progress_on_a_terminal_that_is_gone_does_not_end_the_sweep(self):
        """The bar is drawn on stderr many times a second; here every write fails."""
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, random_matrices(12, 600, 600))
        ours, theirs = os.openpty()
        run = self.folder / "run"
        sweep = subprocess.Popen(command("run", self.job(checkpoint), "--run-dir", run, "--threads", "1"),
                                 stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        os.close(ours)
        self.assertEqual(sweep.wait(60), COMPLETE)


if __name__ == "__main__":
    unittest.main()
