"""Files and folders that this user may not use: an error by name, never a stack trace. Run as nobody where we are root."""
import os
import subprocess
import unittest

from cli import BAD_INPUT, BAD_JOB, COMPLETE, IO_ERROR, RUN_DIRECTORY, CliTest, command

NOBODY = 65534


class Permissions(CliTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o777)
        self.addCleanup(self.open_everything)

    def open_everything(self):
        for folder, folders, _ in os.walk(self.folder):
            os.chmod(folder, 0o777)
            for name in folders:
                os.chmod(os.path.join(folder, name), 0o777)

    def unprivileged(self, *arguments):
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, **as_nobody)

    def sweep_of_nobody(self):
        run = self.folder / "run"
        job = self.job(self.copy_of_use_lite())
        self.assert_ends(self.unprivileged("run", job, "--run-dir", run), COMPLETE)
        return job, run

    def test_unreadable_job_file_is_refused(self):
        job = self.job()
        job.chmod(0)
        done = self.unprivileged("run", job, "--run-dir", self.folder / "run")
        self.assert_refused(done, BAD_JOB, job, "Permission denied")

    def test_unreadable_checkpoint_is_refused(self):
        checkpoint = self.copy_of_use_lite()
        shard = checkpoint / "model-00001-of-00002.safetensors"
        shard.chmod(0)
        done = self.unprivileged("run", self.job(checkpoint), "--run-dir", self.folder / "run")
        self.assert_refused(done, BAD_INPUT, shard.name, "Permission denied")
        checkpoint.chmod(0)
        done = self.unprivileged("inspect", checkpoint)
        self.assert_refused(done, BAD_INPUT, checkpoint, "Permission denied")

    def test_run_directory_below_a_closed_folder_is_refused(self):
        closed = self.folder / "closed"
        closed.mkdir()
        for mode in (0o555, 0):
            closed.chmod(mode)
            done = self.unprivileged("run", self.job(self.copy()), "--run-dir", closed / "run")
            self.assert_refused(done, RUN_DIRECTORY, closed / "run", "Permission denied")

    def copy(self):
        checkpoint = self.folder / "checkpoint"
        return checkpoint if checkpoint.exists() else self.copy_of_use_lite()

    def test_closed_run_directory_is_refused_by_every_command(self):
        job, run = self.sweep_of_nobody()
        run.chmod(0)
        for arguments in (("run", job, "--run-dir", run), ("status", run), ("aggregate", run), ("verify", run),
                          ("export", run, self.folder / "out", "--to", "csv")):
            with self.subTest(arguments[0]):
                self.assert_refused(self.unprivileged(*arguments), RUN_DIRECTORY, run, "Permission denied")

    def test_closed_folders_of_a_run_are_errors_by_name(self):
        job, run = self.sweep_of_nobody()
        for name in ("segments", "lock"):
            (run / name).chmod(0)
            for arguments in (("run", job, "--run-dir", run), ("status", run), ("aggregate", run), ("verify", run)):
                with self.subTest((name, arguments[0])):
                    done = self.unprivileged(*arguments)
                    self.assertIn(done.returncode, (RUN_DIRECTORY, IO_ERROR), done.stderr)
                    self.assert_refused(done, done.returncode, run / name, "Permission denied")
            (run / name).chmod(0o777)

    def test_read_only_run_directory_is_refused_without_harm(self):
        job, run = self.sweep_of_nobody()
        for name in ("", "lock", "segments"):
            (run / name).chmod(0o555)
        with self.unchanged(run):
            self.assert_refused(self.unprivileged("run", job, "--run-dir", run), IO_ERROR, run, "Permission denied")
            self.assert_refused(self.unprivileged("aggregate", run), IO_ERROR, run, "Permission denied")
            self.assert_ends(self.unprivileged("status", run, "--exit-code"), COMPLETE)
            self.assert_ends(self.unprivileged("verify", run), COMPLETE)

    def test_a_colleague_who_may_only_read_can_look_and_export_elsewhere(self):
        """Another user's run, mid-sweep or complete: everything that only reads works, the rest is one line."""
        if os.getuid() != 0:
            self.skipTest("two users need root")
        run, job = self.sweep(), self.job()
        for folder, _, files in os.walk(run):
            os.chmod(folder, 0o755)
            for name in files:
                os.chmod(os.path.join(folder, name), 0o644)
        self.folder.chmod(0o755)
        mine = self.folder / "mine"
        mine.mkdir()
        os.chown(mine, NOBODY, NOBODY)
        with self.unchanged(run):
            for arguments in (("status", run, "--exit-code"), ("verify", run), ("correlate", run),
                              ("export", run, mine / "csv", "--to", "csv"), ("export", run, mine / "all.npz", "--to", "npz"),
                              ("allocate", run, "--target", "5bpw", "--architecture", "generic", "--out", mine / "plan.json"),
                              ("quantize", run, "--plan", mine / "plan.json", "--to", "dequantized", mine / "written")):
                with self.subTest(arguments[0]):
                    self.assert_ends(self.unprivileged(*arguments), COMPLETE)
            for arguments in (("run", job, "--run-dir", run), ("aggregate", run),
                              ("allocate", run, "--target", "5bpw", "--architecture", "generic")):
                with self.subTest(arguments[0]):
                    self.assert_refused(self.unprivileged(*arguments), IO_ERROR, run, "Permission denied")

    def test_a_colleague_who_may_only_read_cannot_mend(self):
        if os.getuid() != 0:
            self.skipTest("two users need root")
        run = self.sweep()
        (run / "lock/e0001.end.json").unlink()
        self.folder.chmod(0o755)
        with self.unchanged(run):
            done = self.unprivileged("unlock", run)
            self.assert_ends(done, IO_ERROR)
            self.assertRegex(done.stderr, r"\Amoesweep: [^\n]*lock[^\n]*Permission denied[^\n]*\n\Z")
            self.assert_refused(self.unprivileged("unlock", run, "--quiet"), IO_ERROR, run / "lock", "Permission denied")

    def test_unwritable_export_folder_is_refused(self):
        _, run = self.sweep_of_nobody()
        closed = self.folder / "closed"
        closed.mkdir()
        closed.chmod(0o555)
        for form in ("csv", "sqlite"):
            done = self.unprivileged("export", run, closed / "out", "--to", form)
            self.assert_refused(done, IO_ERROR, closed, "Permission denied")


if __name__ == "__main__":
    unittest.main()
