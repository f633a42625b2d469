"""A disk that fills up in the middle of a sweep: 74, what was published stays, and the resume gives the same digest.

Needs to mount a small tmpfs, as root or in a user namespace of its own; ends with 77 (skipped) and says so where
neither is allowed.
"""
import errno
import json
import os
import signal
import subprocess
import sys
import unittest

import numpy as np

from cli import (COMPLETE, IO_ERROR, CliTest, command, moesweep, random_matrices, segments, wait_for,
                 write_safetensors)

SKIPPED = 77
INSIDE = "MOESWEEP_MAY_MOUNT"
KIB = 1024


def mount(folder, *options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)], check=True)


def in_own_mount_namespace():
    """Starts this program again where it may mount; the mounts go with it."""
    rights = [["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]]
    for unshare in rights if os.getuid() == 0 else rights[1:]:
        probe = subprocess.run([*unshare, "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True)
        if probe.returncode == 0:
            os.environ[INSIDE] = "yes"
            os.execvp(unshare[0], [*unshare, sys.executable, "-B", *sys.argv])
    print("NOT RUN: a full disk cannot be tested here, neither root nor a user namespace may mount a tmpfs")
    sys.exit(SKIPPED)


def fill(folder):
    """Takes what is left, to the last byte."""
    with open(folder / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(64 * KIB))
        except OSError as error:
            assert error.errno == errno.ENOSPC, error


class FullDisk(CliTest):
    def setUp(self):
        super().setUp()
        checkpoint = self.folder / "model.safetensors"
        matrix = random_matrices(1, 700, 700)["layers.0.weight"]
        write_safetensors(checkpoint, {f"layers.{i}.weight": matrix for i in range(48)})
        self.job_file = self.job(checkpoint)
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.run_directory = self.disk / "run"

    def arguments(self):
        return "run", self.job_file, "--run-dir", self.run_directory, "--threads", "1", "--set", "output.flush_seconds=0.01"

    def mount(self, *options):
        mount(self.disk, *options)
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(self.disk)], check=True)

    def status(self):
        return json.loads(moesweep("status", self.run_directory, "--json").stdout)

    def test_sweep_that_fills_the_disk_keeps_what_it_published_and_the_resume_completes(self):
        self.mount("size=4m")
        digest = moesweep("verify", self.sweep(self.job_file, "reference")).stdout
        done = self.run_until_the_disk_is_full()
        self.assertEqual(done.returncode, IO_ERROR, done.stderr)
        self.assert_tells_of_the_disk(done)
        published = segments(self.run_directory)
        status = self.status()
        self.assertGreater(status["units_done"], 0)
        self.assertLess(status["units_done"], status["units_total"])
        self.assertEqual(status["rotten_segments"], 0)
        self.assert_ends(moesweep("status", self.run_directory, "--exit-code"), IO_ERROR)

        with self.unchanged(self.run_directory / "segments", self.run_directory / "lock"):
            self.assert_tells_of_the_disk(moesweep(*self.arguments()))
            self.assert_ends(moesweep("status", self.run_directory, "--exit-code"), IO_ERROR)

        (self.disk / "filler").unlink()
        self.assert_ends(moesweep(*self.arguments()), COMPLETE)
        self.assertEqual(published, {name: segments(self.run_directory)[name] for name in published})
        self.assertEqual(moesweep("verify", self.run_directory).stdout, digest)
        self.assertEqual(self.units_done_before_the_last_start(), status["units_done"], "units on disk ran again")

    def run_until_the_disk_is_full(self):
        """Full from the moment on when the first segments are published."""
        sweep = subprocess.Popen(command(*self.arguments()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(lambda: segments(self.run_directory), "the first segment")
            sweep.send_signal(signal.SIGSTOP)
            fill(self.disk)
            sweep.send_signal(signal.SIGCONT)
            stdout, stderr = sweep.communicate(timeout=60)
            return subprocess.CompletedProcess(sweep.args, sweep.returncode, stdout, stderr)
        finally:
            sweep.kill()
            sweep.wait()

    def assert_tells_of_the_disk(self, done):
        self.assertEqual(done.returncode, IO_ERROR, done.stderr)
        self.assertRegex(done.stderr, r"\Amoesweep: [^\n]+\n\Z")
        for text in (self.run_directory, "No space left", "free some space"):
            self.assertIn(str(text), done.stderr)

    def units_done_before_the_last_start(self):
        events = map(json.loads, (self.run_directory / "events.jsonl").read_text().splitlines())
        return [event["units_done_before"] for event in events if event["event"] == "started"][-1]

    def test_import_cache_is_an_io_error_however_far_it_gets(self):
        """HDF5 crashes when it closes a file that it could not write, or cleans up after one."""
        arrays = self.folder / "arrays.npz"
        random = np.random.default_rng(3)
        np.savez(arrays, labels=np.arange(600) % 2, split=(np.arange(600) % 3).astype(np.int8),
                 **{f"L{layer}/mean": random.standard_normal((600, 48), np.float32) for layer in range(3)})
        refused = 0
        for kib in (4, 8, 12, 16, 24, 32, 64, 128, 192, 256, 320, 1024):
            with self.subTest(kib=kib):
                mount(self.disk, f"size={kib}k")
                try:
                    done = moesweep("import-cache", arrays, self.disk / "v.h5")
                    if done.returncode == COMPLETE:
                        self.assertGreater(kib, 256)
                        continue
                    refused += 1
                    self.assert_ends(done, IO_ERROR)
                    self.assertRegex(done.stderr, r"\Amoesweep: [^\n]*No space left[^\n]*free some space[^\n]*\n\Z")
                    self.assertEqual(list(self.disk.iterdir()), [])
                finally:
                    subprocess.run(["umount", str(self.disk)], check=True)
        self.assertGreater(refused, 6)

    def test_disk_without_room_for_a_run_directory_is_an_io_error(self):
        self.mount("nr_inodes=2")
        (self.disk / "taken").write_text("")
        self.assert_tells_of_the_disk(moesweep(*self.arguments()))


if __name__ == "__main__":
    if INSIDE not in os.environ:
        in_own_mount_namespace()
    unittest.main()
