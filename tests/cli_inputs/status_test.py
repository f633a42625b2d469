"""What `status --exit-code` tells a batch script, in every state a run directory can be in."""
import json
import signal
import time
import unittest

import numpy as np
from cli import (COMPLETE, IO_ERROR, SOME_FAILED, STOPPED_EARLY, CliTest, command, moesweep, random_matrices, wait_for,
                 write_safetensors)


class StatusExitCode(CliTest):
    def slow_job(self):
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, random_matrices(16, 700, 700))
        return self.job(checkpoint)

    def assert_state(self, run, state, code):
        done = moesweep("status", run, "--exit-code", "--json")
        self.assert_ends(done, code)
        status = json.loads(done.stdout)
        self.assertEqual(status["state"], state)
        self.assertEqual(status["exit_code"], code)
        self.assert_ends(moesweep("status", run), COMPLETE)
        quiet = moesweep("status", run, "--exit-code", "--quiet")
        self.assertEqual((quiet.returncode, quiet.stdout, quiet.stderr), (code, "", ""))
        return status

    def test_complete_is_0(self):
        status = self.assert_state(self.sweep(), "complete", COMPLETE)
        self.assertEqual(status["units_done"], status["units_total"])

    def test_some_failed_is_80(self):
        tensors = random_matrices(2, 64, 64)
        tensors["layers.0.weight"][3, 3] = np.nan
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, tensors)
        run = self.folder / "run"
        self.assert_ends(moesweep("run", self.job(checkpoint), "--run-dir", run), SOME_FAILED)
        self.assert_state(run, "some units failed", SOME_FAILED)

    def test_running_then_crashed_is_75(self):
        run = self.folder / "run"
        with self.running(self.slow_job(), run) as sweep:
            self.assertEqual(self.assert_state(run, "running", STOPPED_EARLY)["abnormal_ends"], 0)
            sweep.kill()
            sweep.wait()
            self.assertEqual(self.assert_state(run, "crashed", STOPPED_EARLY)["abnormal_ends"], 1)

    def test_stopped_early_is_75_and_the_resume_is_0(self):
        job, run = self.slow_job(), self.folder / "run"
        with self.running(job, run) as sweep:
            sweep.send_signal(signal.SIGUSR2)
            sweep.send_signal(signal.SIGCONT)
            self.assertEqual(sweep.wait(60), STOPPED_EARLY)
        status = self.assert_state(run, "stopped", STOPPED_EARLY)
        self.assertLess(status["units_done"], status["units_total"])
        self.assert_ends(moesweep("run", job, "--run-dir", run), COMPLETE)
        self.assertEqual(self.assert_state(run, "complete", COMPLETE)["epochs"], 2)

    def test_started_directory_without_an_epoch_is_75(self):
        run = self.folder / "run"
        for name in ("lock", "segments", "artifacts"):
            (run / name).mkdir(parents=True)
        self.assert_state(run, "not started", STOPPED_EARLY)

    def test_results_that_cannot_be_written_are_74(self):
        """A sweep without results.h5 is not complete, whatever its segments hold."""
        job, run = self.slow_job(), self.folder / "run"
        with self.running(job, run) as sweep:
            (run / "results.h5").mkdir()
            sweep.send_signal(signal.SIGCONT)
            self.assertEqual(sweep.wait(60), IO_ERROR)
        self.assert_state(run, "broken", IO_ERROR)
        (run / "results.h5").rmdir()
        self.assert_ends(moesweep("run", job, "--run-dir", run), COMPLETE)
        self.assert_state(run, "complete", COMPLETE)


if __name__ == "__main__":
    unittest.main()
