"""A run directory belongs to one job: anything else is refused with 73 and leaves it as it was."""
import json
import shutil
import signal
import subprocess
import unittest

import numpy as np
from cli import (BAD_INPUT, COMPLETE, IO_ERROR, RUN_DIRECTORY, STOPPED_EARLY, CliTest, command, moesweep,
                 random_matrices, segments, wait_for, write_safetensors)


class RunDirectory(CliTest):
    def test_directory_of_another_job_is_refused_naming_each_key_with_both_values(self):
        run = self.sweep()
        with self.unchanged(run):
            done = moesweep("run", self.job(), "--run-dir", run, "--set", "sensitivity.bits=[4]",
                            "--set", "checkpoint.nonfinite=skip")
            self.assert_refused(done, RUN_DIRECTORY, run, "sensitivity.bits", "[4]", "[2, 3, 4, 5, 6, 8]",
                                "checkpoint.nonfinite", '"skip"', '"fail"')

    def test_keys_outside_the_fingerprint_may_differ(self):
        run = self.sweep()
        done = moesweep("run", self.job(more='name = "other"'), "--run-dir", run, "--set", "resources.memory=1GiB",
                        "--set", "output.flush_seconds=1", "--threads", "1")
        self.assert_ends(done, COMPLETE)

    def test_other_checkpoint_content_is_refused_naming_the_shard(self):
        checkpoint = self.folder / "checkpoint"
        checkpoint.mkdir()
        shard = checkpoint / "model.safetensors"
        write_safetensors(shard, random_matrices(2, 64, 64))
        job = self.job(checkpoint)
        run = self.sweep(job)
        write_safetensors(shard, random_matrices(3, 64, 64))
        with self.unchanged(run):
            done = moesweep("run", job, "--run-dir", run)
            self.assert_refused(done, RUN_DIRECTORY, run, "model.safetensors")

    def test_folder_that_is_no_run_is_refused(self):
        notes = self.folder / "notes"
        notes.mkdir()
        (notes / "thesis.tex").write_text("42")
        with self.unchanged(notes):
            self.assert_refused(moesweep("run", self.job(), "--run-dir", notes), RUN_DIRECTORY, notes)
        for name in ("status", "aggregate", "verify"):
            with self.subTest(name), self.unchanged(notes):
                self.assert_refused(moesweep(name, notes), RUN_DIRECTORY, notes)

    def test_run_directory_that_cannot_be_created_is_refused(self):
        for place in ("/dev/null/run", "/proc/run", self.job()):
            with self.subTest(place):
                self.assert_refused(moesweep("run", self.job(), "--run-dir", place), RUN_DIRECTORY, place)

    def test_living_owner_is_refused_by_process(self):
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, random_matrices(8, 700, 700))
        job, run = self.job(checkpoint), self.folder / "run"
        with self.running(job, run) as owner, self.unchanged(run / "lock"):
            self.assert_refused(moesweep("run", job, "--run-dir", run), RUN_DIRECTORY, run, f"process {owner.pid}")

    def test_deleted_job_file_does_not_open_the_directory_to_another_job(self):
        run = self.sweep()
        kept = (run / "job.toml").read_bytes()
        (run / "job.toml").unlink()
        with self.unchanged(run):
            done = moesweep("run", self.job(), "--run-dir", run, "--set", "sensitivity.bits=[4]")
            self.assert_refused(done, RUN_DIRECTORY, run, "job.toml")
        self.assert_ends(moesweep("run", self.job(), "--run-dir", run), COMPLETE)
        self.assertEqual((run / "job.toml").read_bytes(), kept)

    def test_edited_job_file_does_not_open_the_directory_to_another_job(self):
        run, other = self.sweep(), self.sweep(None, "other", "--set", "sensitivity.bits=[4]")
        shutil.copyfile(other / "job.toml", run / "job.toml")
        with self.unchanged(run):
            done = moesweep("run", self.job(), "--run-dir", run, "--set", "sensitivity.bits=[4]")
            self.assert_refused(done, RUN_DIRECTORY, run, "job.toml")

    def test_status_needs_no_job_file(self):
        """It is written after the lock: a crash in between must read as 75, not as no run at all."""
        run = self.sweep()
        (run / "job.toml").unlink()
        (run / "lock/e0001.end.json").unlink()
        self.assert_ends(moesweep("status", run, "--exit-code"), STOPPED_EARLY)
        for name in ("aggregate", "verify"):
            with self.subTest(name):
                self.assert_refused(moesweep(name, run), RUN_DIRECTORY, run / "job.toml")

    def test_damaged_lock_is_refused_by_file(self):
        run = self.sweep()
        (run / "lock/e0001.json").write_text("")
        for arguments in (("run", self.job(), "--run-dir", run), ("status", run), ("verify", run)):
            with self.subTest(arguments[0]), self.unchanged(run / "segments"):
                self.assert_refused(moesweep(*arguments), RUN_DIRECTORY, run / "lock/e0001.json")

    def test_working_directory_that_is_gone_is_an_error_of_its_own(self):
        gone = self.folder / "gone"
        script = f"mkdir {gone} && cd {gone} && rmdir {gone} && exec \"$@\""
        done = subprocess.run(["sh", "-c", script, "sh", *command("run", self.job(), "--run-dir", "run")],
                              capture_output=True, text=True, timeout=60)
        self.assert_refused(done, IO_ERROR, "No such file")


if __name__ == "__main__":
    unittest.main()
