"""What `status --exit-code` tells a batch script, in every state a run directory can be in."""
import json
import re
import signal
import subprocess
import time
import unittest

import numpy as np
from cli import (BAD_USAGE, COMPLETE, IO_ERROR, SOME_FAILED, STOPPED_EARLY, CliTest, command, moesweep, random_matrices, wait_for,
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

    def test_kinds_of_units_stand_below_each_other(self):
        lines = moesweep("status", self.sweep()).stdout.splitlines()
        kinds = {line.split()[0]: line for line in lines if line.startswith("  ")}
        self.assertEqual(set(kinds), {"checkpoint", "sensitivity"})
        self.assertEqual(*(len(re.match(r"  \w+ +", line)[0]) for line in kinds.values()))

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


class Status(CliTest):
    """What a person reads."""

    def test_several_runs_print_a_line_each(self):
        runs = [self.sweep(run="first"), self.sweep(run="second")]
        done = moesweep("status", *runs)
        self.assert_ends(done, COMPLETE)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 3)
        for run, line in zip(runs, lines[1:]):
            self.assertIn(str(run), line)
            self.assertIn("complete", line)
        told = json.loads(moesweep("status", *runs, "--json").stdout)
        self.assertEqual([told[str(run)]["state"] for run in runs], ["complete", "complete"])
        self.assert_refused(moesweep("status", *runs, "--exit-code"), BAD_USAGE, "--exit-code")

    def test_starts_tell_their_ranks_and_ends(self):
        job, run = self.job(), self.folder / "run"
        for ranks, deadline in ((2, ["--deadline", "1"]), (3, [])):
            moesweep("run", job, "--run-dir", run, *deadline, ranks=ranks)
        starts = json.loads(moesweep("status", run, "--json").stdout)["starts"]
        self.assertEqual([(start["ranks"], start["exit_code"]) for start in starts],
                         [(2, STOPPED_EARLY), (3, COMPLETE)])
        self.assertIn("ranks 2, 3\n", moesweep("status", run).stdout)

    def test_every_rank_that_published_has_a_last_flush(self):
        before = time.time()
        status = json.loads(moesweep("status", self.sweep(), "--json").stdout)
        self.assertEqual(list(status["last_flush"]), ["0"])
        self.assertLess(before - 2, status["last_flush"]["0"])
        self.assertLess(status["last_flush"]["0"], time.time() + 2)

    def test_watching_ends_with_the_sweep(self):
        run = self.sweep()
        done = moesweep("status", run, "--watch", timeout=60)
        self.assert_ends(done, COMPLETE)
        self.assertEqual(done.stdout, moesweep("status", run).stdout)

    def test_watching_shows_the_change(self):
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, random_matrices(16, 700, 700))
        run = self.folder / "run"
        with self.running(self.job(checkpoint), run) as sweep:
            log = self.folder / "watch.out"
            with log.open("w") as out:
                watcher = subprocess.Popen(command("status", run, "--watch"), stdout=out)
                self.addCleanup(watcher.wait)
                self.addCleanup(watcher.kill)
                wait_for(lambda: "running" in log.read_text(), "the first look")
                sweep.send_signal(signal.SIGCONT)
                self.assertEqual(sweep.wait(60), COMPLETE)
                self.assertEqual(watcher.wait(60), COMPLETE)
        self.assertTrue(log.read_text().splitlines()[0].startswith("state      running"))
        self.assertIn("state      complete", log.read_text())


if __name__ == "__main__":
    unittest.main()
