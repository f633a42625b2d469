"""A system that refuses threads: 74 in one line, and the end of the epoch is on record whenever the lock was taken."""
import os
import resource
import subprocess
import sys
import unittest

from cli import COMPLETE, IO_ERROR, CliTest, command, moesweep, random_matrices, write_safetensors

SKIPPED = 77
USER = 61234  # nobody else's: the limit counts all threads of a user


class ThreadLimit(CliTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o777)
        write_safetensors(self.folder / "checkpoint/model.safetensors", random_matrices(12, 96, 96))
        self.job_file = self.job(self.folder / "checkpoint")

    def limited(self, threads, *arguments):
        def limit():
            resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))

        return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120, user=USER, group=USER,
                              extra_groups=[], preexec_fn=limit, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})

    def test_threads_that_cannot_start_end_the_sweep_in_good_order(self):
        recorded = 0
        for threads in range(1, 16):
            run = self.folder / f"run{threads}"
            done = self.limited(threads, "run", self.job_file, "--run-dir", run, "--threads", "6")
            with self.subTest(threads=threads):
                self.assertIn(done.returncode, (COMPLETE, IO_ERROR), done.stderr)
                if done.returncode == COMPLETE:
                    continue
                self.assertRegex(done.stderr, r"(?m)^moesweep: [^\n]*thread[^\n]*$")
                self.assertNotIn("bug", done.stderr)
                if (run / "lock/e0001.json").exists():
                    recorded += 1
                    self.assert_ends(moesweep("status", run, "--exit-code"), IO_ERROR)
                    self.assert_ends(self.limited(200, "run", self.job_file, "--run-dir", run), COMPLETE)
        self.assertGreater(recorded, 0, "no limit was between the lock and the end")


class MemoryLimit(CliTest):
    """A thread without memory for its stack has the errno of one too many."""

    def limited(self, mebibytes, *arguments):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))

        return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120, preexec_fn=limit, check=False,
                              env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})

    def test_the_message_names_the_limit_that_is_lacking(self):
        if self.limited(300, "--version").returncode != COMPLETE:
            self.skipTest("this build cannot even start in 300 MiB: sanitizers reserve more")
        write_safetensors(self.folder / "checkpoint/model.safetensors", random_matrices(4, 64, 64))
        for mebibytes in (200, 300):  # 32 stacks of 8 MiB and the program itself take more
            done = self.limited(mebibytes, "run", self.job(self.folder / "checkpoint"), "--run-dir",
                                self.folder / f"run{mebibytes}", "--threads", "32")
            self.assert_ends(done, IO_ERROR)
            self.assertRegex(done.stderr, r"(?m)^moesweep: [^\n]*cannot start a thread[^\n]*ulimit -v[^\n]*$")
            self.assertNotIn("bug", done.stderr)
        for mebibytes in (500, 900):  # TBB's threads lack it, if any
            done = self.limited(mebibytes, "run", self.job(self.folder / "checkpoint"), "--run-dir",
                                self.folder / f"run{mebibytes}", "--threads", "32")
            self.assertIn(done.returncode, (COMPLETE, IO_ERROR), done.stderr)
            self.assertNotIn("bug", done.stderr)


if __name__ == "__main__":
    if os.getuid() != 0:
        print("NOT RUN: a limit of threads needs a user of its own, and that needs root")
        sys.exit(SKIPPED)
    unittest.main()
