"""Whatever happens to a file of a run directory: one line that names a place, an exit code of ours, never a bug, never a hang."""
import json
import os
import random
import shutil
import unittest

from cli import (BAD_INPUT, BAD_JOB, COMPLETE, IO_ERROR, RUN_DIRECTORY, STOPPED_EARLY, CliTest, moesweep)

EXPECTED = {COMPLETE, BAD_INPUT, BAD_JOB, IO_ERROR, RUN_DIRECTORY, STOPPED_EARLY}


def make_folder(path):
    path.unlink()
    path.mkdir()


def make_fifo(path):
    path.unlink()
    os.mkfifo(path)


def make_dangling(path):
    path.unlink()
    path.symlink_to("/none/of/that")


DAMAGES = {
    "is empty": lambda path: path.write_bytes(b""),
    "is cut in half": lambda path: path.write_bytes(path.read_bytes()[:path.stat().st_size // 2]),
    "is garbage": lambda path: path.write_bytes(random.Random(path.name).randbytes(300)),
    "is JSON of another shape": lambda path: path.write_bytes(b"[1, null]"),
    "is a folder": make_folder,
    "is a FIFO": make_fifo,
    "is a dangling link": make_dangling,
}


class DamagedRun(CliTest):
    def setUp(self):
        super().setUp()
        self.sound = self.sweep(None, "sound")
        # Also an epoch that crashed, so that every kind of file is there.
        start = json.loads((self.sound / "lock/e0001.json").read_text())
        start["pid"] += 9900000
        del start["hash"]  # as in records of 0.2
        (self.sound / "lock/e0002.json").write_text(json.dumps(start))
        (self.sound / "lock/e0002-r0000.inflight").write_bytes(random.Random(2).randbytes(16))
        (self.sound / "lock/beat").write_bytes(b"00000002 0000000000000001\n")

    def test_every_file_in_every_damaged_state_is_an_answer_by_name(self):
        files = sorted(path.relative_to(self.sound) for path in self.sound.rglob("*") if path.is_file())
        self.assertGreaterEqual(len(files), 8, files)
        for file in files:
            for what, damage in DAMAGES.items():
                with self.subTest(f"{file} {what}"):
                    self.assert_answers(file, damage)

    def test_warnings_about_strange_names_drive_no_terminal(self):
        run = self.folder / "run\x1b]0;x\x07"
        shutil.copytree(self.sound, run)
        for record in ("e0002.json", "e0002-r0000.inflight"):
            (run / "lock" / record).unlink()
        (run / "results.h5").unlink()
        done = moesweep("export", run, self.folder / "out", "--to", "csv")
        self.assert_ends(done, COMPLETE)
        self.assertIn("it was made again from the segments", done.stderr)
        for control in ("\x1b", "\x07"):
            self.assertNotIn(control, done.stderr)

    def test_a_beat_that_is_no_file_is_shown_and_mended_by_unlock(self):
        run = self.folder / "run"
        shutil.copytree(self.sound, run)
        make_fifo(run / "lock/beat")
        self.assert_ends(moesweep("status", run, timeout=30), COMPLETE)
        unlocked = moesweep("unlock", run, timeout=30)
        self.assert_ends(unlocked, COMPLETE)
        self.assertIn("lock/beat is not a regular file", unlocked.stdout)
        self.assertIn("set aside as beat.damaged", unlocked.stdout)
        self.assertTrue((run / "lock/beat.damaged").is_fifo())
        self.assert_ends(moesweep("run", self.job(), "--run-dir", run, timeout=60), COMPLETE)

    def assert_answers(self, file, damage):
        run = self.folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(self.sound, run)
        damage(run / file)
        for arguments in (("status", run), ("verify", run), ("run", self.job(), "--run-dir", run)):
            done = moesweep(*arguments, timeout=30)
            self.assertIn(done.returncode, EXPECTED, done.stderr)
            if done.returncode != COMPLETE:
                self.assertRegex(done.stderr, r"\Amoesweep: [^\n]+\n\Z")
                self.assertNotIn("bug", done.stderr)


if __name__ == "__main__":
    unittest.main()
