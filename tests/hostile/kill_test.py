"""Promise 2 under SIGKILL: one sweep, killed again and again, loses nothing and counts nothing twice.

MOESWEEP_KILLS is how often (25), MOESWEEP_KILL_SEED the seed of victims and instants.
"""
import collections
import contextlib
import os
import random
import signal
import subprocess
import time
import unittest

import processes
from sweep_case import SweepCase
from sweeps import COMPLETE, RUN_DIRECTORY, SOME_FAILED, STOPPED, Job

KILLS = int(os.environ.get("MOESWEEP_KILLS", "25"))
SEED = int(os.environ.get("MOESWEEP_KILL_SEED", "397"))
UNITS_PER_KILL = 10  # a kill after progress takes five to thirty of them, most take none
LAUNCHER, COORDINATOR, WORKER = "launcher", "coordinator", "worker"
FLUSH_SECONDS_PER_RANK = 0.25  # a rank publishes at most this often, times the number of ranks
COMPUTING_SECONDS = 0.1  # what a kill before the first segment leaves, at most, for computing units
LAUNCHER_SECONDS = 20.0  # mpirun gives ranks a second each for SIGTERM and SIGKILL
BLAMED = "ended abnormally 2 times"


class Ledger:
    """What was ever seen on disk, and what must therefore stay true."""

    def __init__(self, test, sweep):
        self.test = test
        self.sweep = sweep
        self.epoch_of_done = {}  # by unit id: the epoch that published it first
        self.epoch_of_failure = {}
        self.segments = set()

    def read(self):
        """Reads what is new since the last time, and checks it against all that is known."""
        test = self.test
        names = {path.name for path in self.sweep.segments()}
        test.assertLessEqual(self.segments, names, "a published segment vanished")
        new = names - self.segments
        for unit in self.sweep.published():
            if unit.segment not in new:  # read before, or published since we looked
                continue
            test.assertTrue(unit.segment.startswith(f"e{unit.epoch:04}-r{unit.rank:04}-"), unit)
            test.assertNotIn(unit.id, self.epoch_of_done, f"{unit} was done before")
            if unit.status == "done":
                self.epoch_of_done[unit.id] = unit.epoch
            else:
                test.assertIn(BLAMED, unit.error)
                self.epoch_of_failure[unit.id] = unit.epoch
        self.segments = names

    def to_blame(self):
        """Ids of the units that the next start has to fail instead of running them."""
        ends = collections.Counter()
        for epoch in range(1, self.sweep.epochs() + 1):
            if self.sweep.end_of(epoch) is None:
                ends.update(i for i in self.sweep.in_flight(epoch) if epoch > self.epoch_of_failure.get(i, 0))
        return {i for i, count in ends.items() if count >= 2 and i not in self.epoch_of_done}

    def published_in(self, epoch):
        return {i for i, e in self.epoch_of_done.items() if e == epoch}

    def failed_in(self, epoch):
        return {i for i, e in self.epoch_of_failure.items() if e == epoch}


class Killed:
    """The test, for any job that lasts: `make_job` says which."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.job = self.make_job()
        reference = self.job.sweep("reference")
        self.digest = reference.run_to_digest(ranks=2)
        self.units = {unit.id for unit in reference.results()}
        self.startup_seconds = self.measure_startup(reference)
        self.sweep = self.job.sweep("killed")
        self.ledger = Ledger(self, self.sweep)
        self.kills = collections.Counter()
        self.launchers_that_hung = 0
        self.kills_of_partial_sweeps = 0
        self.kills_after_progress_in_the_epoch = 0

    def measure_startup(self, complete):
        begin = time.monotonic()
        complete.run_to_digest(ranks=2)
        return time.monotonic() - begin

    def test_LosesNothingAndCountsNothingTwice(self):
        while self.kills.total() < KILLS:
            self.kill_once()
        self.finish_the_sweep()
        self.assertEqual(self.sweep.run_to_digest(), self.digest)
        self.assert_verifies(self.sweep, self.digest)
        self.assert_each_unit_once(self.sweep, len(self.units))
        stands = {row.id: row.epoch for row in self.sweep.results()}
        self.assertEqual(stands, self.ledger.epoch_of_done, "a unit left the epoch that published it")
        self.assertEqual(self.units, stands.keys())
        self.assert_kills_were_worth_something()

    def kill_once(self):
        """Starts or resumes, kills one process at a random instant, and looks at what is left."""
        to_blame = self.ledger.to_blame()
        epoch = self.sweep.epochs() + 1
        ranks = self.random.choice((2, 3))
        # Survivors of a killed rank get SIGTERM, and this long to flush before SIGKILL (Open MPI only).
        grace = {"OMPI_MCA_odls_base_sigkill_timeout": self.random.choice(("0", "1"))}
        process = self.started(self.sweep.start(ranks, variables=grace))
        self.wait_for_the_instant(process, epoch, ranks)
        if process.poll() is not None:
            # It ended by itself: nothing but blamed units can be left.
            self.assert_ended(self.sweep.finish(process), SOME_FAILED)
            self.check_after(epoch, to_blame)
            return
        self.ledger.read()
        before = len(self.ledger.epoch_of_done)
        in_this_epoch = len(self.ledger.published_in(epoch))
        victim = self.kill_one_of(process)
        self.wait_for_launcher(process, epoch)
        processes.wait_for_orphans()
        self.check_after(epoch, to_blame)
        self.kills[victim] += 1
        after = len(self.ledger.epoch_of_done)
        self.kills_of_partial_sweeps += 0 < before and after < len(self.units)
        self.kills_after_progress_in_the_epoch += in_this_epoch > 0

    def wait_for_the_instant(self, process, epoch, ranks):
        """Until a random instant, either after this epoch's first segment or not later than soon after its lock.

        What was published decides which, not the clock. Units that were computed are published at the end even by
        ranks that survive a kill: a sweep killed later than that would be over before it was killed often enough.
        """
        share_done = len(self.ledger.epoch_of_done) / len(self.units)
        if share_done <= 0.8 * self.kills.total() / KILLS:
            longest = 0.5 * FLUSH_SECONDS_PER_RANK * ranks
            processes.wait_until(lambda: process.poll() is not None or self.sweep.segments(epoch), "a segment")
        else:
            longest = COMPUTING_SECONDS
            end_of_start = time.monotonic() + self.random.uniform(0.0, self.startup_seconds)
            processes.wait_until(
                lambda: process.poll() is not None or self.sweep.epochs() >= epoch or time.monotonic() > end_of_start,
                "the lock or the end of the start")
        with contextlib.suppress(subprocess.TimeoutExpired):  # it runs, as it should
            process.wait(self.random.uniform(0.0, longest))

    def kill_one_of(self, launcher):
        """SIGKILL for the launcher, rank 0 or another rank; the launcher while it has no ranks yet."""
        kind = self.random.choice((LAUNCHER, COORDINATOR, WORKER))
        ranks = processes.ranks_below(launcher.pid)
        if kind == COORDINATOR and 0 in ranks:
            processes.signal_if_alive(ranks[0], signal.SIGKILL)
        elif kind == WORKER and len(ranks) > 1:
            worker = self.random.choice(sorted(rank for rank in ranks if rank != 0))
            processes.signal_if_alive(ranks[worker], signal.SIGKILL)
        else:
            kind = LAUNCHER
            launcher.kill()
        return kind

    def wait_for_launcher(self, launcher, epoch):
        """Open MPI 4.1.4 may hang in PMIx_server_finalize() when a rank was killed while it connected.

        That is before the sweep starts, and no rank is left then: only such a launcher is helped along.
        """
        try:
            launcher.wait(LAUNCHER_SECONDS)
        except subprocess.TimeoutExpired:
            self.assertEqual(processes.alive_below(launcher.pid), [], "ranks outlived a rank that was killed")
            self.assertLess(self.sweep.epochs(), epoch, "the launcher hangs after a sweep had started")
            self.launchers_that_hung += 1
            launcher.kill()
            launcher.wait()

    def check_after(self, epoch, to_blame):
        self.ledger.read()
        status = self.sweep.ask("status", "--exit-code")
        if self.sweep.epochs() < epoch:  # died before it had the lock
            self.assertIn(status.code, (STOPPED, SOME_FAILED, RUN_DIRECTORY))
            return
        self.assertIn(status.code, (STOPPED, SOME_FAILED), status.err)
        failed = self.ledger.failed_in(epoch)
        self.assertIn(failed, (set(), to_blame), "blamed others than those in flight at two ends")
        self.assertFalse(self.ledger.published_in(epoch) & to_blame, "a blamed unit ran all the same")

    def finish_the_sweep(self):
        """Resumes until nothing is left; a unit blamed for the kills takes one more resume."""
        code = None
        while code != COMPLETE:
            to_blame = self.ledger.to_blame()
            result = self.sweep.run(ranks=self.random.choice((1, 2, 3)))
            epoch = self.sweep.epochs()
            self.ledger.read()
            self.assertEqual(self.ledger.failed_in(epoch), to_blame)
            self.assert_ended(result, SOME_FAILED if to_blame else COMPLETE)
            code = result.code

    def assert_kills_were_worth_something(self):
        print(f"\n{KILLS} kills in {self.sweep.epochs()} epochs {dict(self.kills)}, seed {SEED}: "
              f"{self.kills_of_partial_sweeps} of a partly published sweep, "
              f"{self.kills_after_progress_in_the_epoch} after progress in the same epoch, "
              f"{len(self.ledger.epoch_of_failure)} units blamed, {len(self.ledger.segments)} segments, "
              f"{self.launchers_that_hung} launchers hung")
        self.assertGreaterEqual(self.kills_of_partial_sweeps, KILLS * 30 // 50)
        self.assertGreaterEqual(self.kills_after_progress_in_the_epoch, KILLS // 10)
        for victim in (LAUNCHER, COORDINATOR, WORKER):
            self.assertGreaterEqual(self.kills[victim], KILLS // 10, victim)


class KilledSensitivity(Killed, SweepCase):
    def make_job(self):
        # One byte a weight and many operations (q2_k's search most of all): a sweep that lasts, from a
        # file that is not large.
        return Job.of_stack(self.folder, KILLS * UNITS_PER_KILL, 1024, 1024, "F8_E4M3",
                            quantizers=("rtn", "affine", "q2_k"))


class KilledPipeline(Killed, SweepCase):
    def make_job(self):
        # Three variants, each seed a unit without and one with each of three suppressions; so many epochs that
        # a flush of three ranks holds a few units only.
        return Job.of_caches(self.folder, KILLS * UNITS_PER_KILL // 12, pooling=("mean",), epochs=300)


if __name__ == "__main__":
    unittest.main()
