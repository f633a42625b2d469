"""Slow file systems: what is reported done is on disk, and newer results are never replaced by older ones.

A preloaded library (held_calls.cpp) holds a program at one call until the test lets it go on.
"""
import errno
import json
import os
import pathlib
import shutil
import signal
import subprocess
import unittest

import processes
from gauntlet import disturbance
from sweep_case import SweepCase
from sweeps import COMPLETE, IO_ERROR, Job, binary, environment


class Held:
    """A program that stands at one call."""

    def __init__(self, test, *arguments, **variables):
        self.gate = test.folder / f"gate.{len(list(test.folder.glob('gate.*')))}"
        self.reached = pathlib.Path(f"{self.gate}.reached")
        self.process = test.started(subprocess.Popen(
            [binary(), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=environment(LD_PRELOAD=os.environ["MOESWEEP_HELD_CALLS"], HELD_GATE=str(self.gate), **variables)))
        processes.wait_until(lambda: self.reached.exists() or self.process.poll() is not None, "the call")
        test.assertIsNone(self.process.poll(), "it ended before the call")

    def let_go(self):
        self.gate.touch()
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


class SlowCase(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_stack(cls.shared, 80, 512, 512, flush_seconds=0.01)
        cls.reference = cls.job.sweep("reference")
        cls.digest = cls.reference.run_to_digest()

    def partial_sweep(self, name):
        """Stopped after its first segments, in good order."""
        sweep = self.job.sweep(name)
        process = self.started(sweep.start())
        sweep.wait_for_segments(process, 2)
        sweep.stop(process, signal.SIGUSR2)
        code = process.wait(120)
        self.assertIn(code, (COMPLETE, 75))
        if code == COMPLETE:
            self.skipTest("the sweep was over before it could be stopped")
        return sweep


class Status(SlowCase):
    def test_CountsASegmentOnlyWhenItsFolderIsOnDisk(self):
        """The writer still waits for the folder's fsync: status does its own, and says so when it can't."""
        sweep = self.job.sweep("held")
        # A start looks at the segments itself: the second fsync is that of the first segment.
        held = Held(self, "run", self.job.file, "--run-dir", sweep.run_dir, "--json", HELD_FSYNC_OF="segments",
                    HELD_AFTER="1")
        self.assertEqual(len(sweep.segments()), 1, "renamed, not yet acknowledged")
        refused = subprocess.run([binary(), "status", str(sweep.run_dir), "--json"], capture_output=True, text=True,
                                 env=environment(**disturbance(sweep.run_dir / "segments", f"{errno.EIO}+", 1, "fsync-directory")))
        self.assertEqual((refused.returncode, refused.stdout), (IO_ERROR, ""))
        self.assertRegex(refused.stderr, r"\Amoesweep: [^\n]*segments: cannot fsync directory: [^\n]*\n\Z")
        self.assertEqual(held.let_go()[0], COMPLETE)
        self.assertEqual(sweep.status()["units_done"], sweep.status()["units_total"])

    def test_WaitsForASlowFolder(self):
        sweep = self.partial_sweep("slow")
        held = Held(self, "status", sweep.run_dir, "--json", HELD_FSYNC_OF="segments")
        code, out, _ = held.let_go()
        self.assertEqual(code, COMPLETE)
        self.assertGreater(json.loads(out)["units_done"], 0)


class Results(SlowCase):
    def assert_complete(self, sweep):
        self.assert_verifies(sweep, self.digest)
        self.assertEqual(len(sweep.results()), len(self.reference.results()))

    def aggregate(self, sweep, **variables):
        return Held(self, "aggregate", sweep.run_dir, "--json", **variables)

    def test_OfAnAggregateThatLookedInMidSweepNeverReplaceThoseOfTheFinishedSweep(self):
        sweep = self.partial_sweep("finished")
        # It has looked at the segments, and its results.h5 is not begun: the fsync is of its look.
        slow = self.aggregate(sweep, HELD_FSYNC_OF="segments")
        self.assertEqual(sweep.run_to_digest(), self.digest)
        code, out, err = slow.let_go()
        self.assertEqual((code, err), (COMPLETE, ""))
        self.assertEqual(json.loads(out)["results_digest"], self.digest, "it looked again")
        self.assert_complete(sweep)

    def test_AreRenamedOneAfterTheOther(self):
        """Held at the rename itself: the sweep's end waits for it, and its results stay."""
        sweep = self.partial_sweep("renamed")
        slow = self.aggregate(sweep, HELD_RENAME_TO="results.h5")
        finishing = self.started(sweep.start())
        processes.wait_until(lambda: len(list((sweep.run_dir / "lock").glob("results-*.look"))) == 2, "the sweep's own look")
        with self.assertRaises(subprocess.TimeoutExpired):
            finishing.wait(1.0)
        self.assertEqual(slow.let_go()[0], COMPLETE)
        self.assertEqual(finishing.wait(120), COMPLETE)
        self.assert_complete(sweep)

    def test_OfTwoAggregatesTheLaterLookStays(self):
        sweep = self.partial_sweep("two")
        first = self.aggregate(sweep, HELD_FSYNC_OF="segments")
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assertEqual(sweep.ask("aggregate").code, COMPLETE)
        self.assertEqual(first.let_go()[0], COMPLETE)
        self.assert_complete(sweep)
        left = sorted(path.name for path in (sweep.run_dir / "lock").glob("results-*"))
        self.assertEqual(len(left), 2, "numbers of earlier looks are gone")

    def test_AKilledAggregateHoldsUpNobody(self):
        sweep = self.partial_sweep("killed")
        held = self.aggregate(sweep, HELD_RENAME_TO="results.h5")
        held.process.kill()
        held.process.communicate()
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assert_complete(sweep)
        self.assertEqual(list(sweep.run_dir.glob(".tmp.*")), [])


class Starts(SlowCase):
    def test_LeaveTheTemporaryFilesOfLivingProcesses(self):
        sweep = self.partial_sweep("living")
        slow = Held(self, "aggregate", sweep.run_dir, HELD_RENAME_TO="results.h5")
        [temporary] = sweep.run_dir.glob(".tmp.*")
        dead = temporary.with_name(temporary.name.replace(f"-{slow.process.pid}-", "-1-"))
        shutil.copyfile(temporary, dead)
        resumed = self.started(sweep.start(options=("--deadline", "1")))
        sweep.wait_for_epoch(resumed, 2)
        self.assertEqual(resumed.wait(120), 75)
        self.assertTrue(temporary.exists(), "a living process writes it")
        self.assertFalse(dead.exists(), "pid 1 started at another time: its maker is dead")
        self.assertEqual(slow.let_go()[0], COMPLETE)


if __name__ == "__main__":
    unittest.main()
