"""Promise 1: the same results for any number of ranks and threads and any interruption."""
import signal
import unittest

import processes
from sweep_case import SweepCase
from sweeps import STOPPED, Job


class SameDigest(SweepCase):
    def assert_same_for_any_ranks_and_threads(self, job):
        alone = job.sweep("alone")
        digest = alone.run_to_digest()
        self.assertRegex(digest, r"^[0-9a-f]{32}$")
        self.assert_verifies(alone, digest)
        for ranks, threads in ((None, 2), (1, 1), (2, 1), (3, 1), (4, 1), (2, 2)):
            with self.subTest(ranks=ranks, threads=threads):
                sweep = job.sweep(f"ranks{ranks}-threads{threads}")
                self.assertEqual(sweep.run_to_digest(ranks, threads), digest)
                self.assert_each_unit_once(sweep, len(alone.results()))
                self.assert_verifies(sweep, digest)

    def test_SameForAnyNumberOfRanksAndThreads(self):
        self.assert_same_for_any_ranks_and_threads(Job(self.folder))

    def test_SameForAStackCutIntoManyUnits(self):
        self.assert_same_for_any_ranks_and_threads(Job.of_stack(self.folder, 60, 96, 160))

    def test_SameForHeadsSuppressionAndProbes(self):
        self.assert_same_for_any_ranks_and_threads(Job.of_caches(self.folder, 3, epochs=5))

    def test_CuttingAStackDifferentlyChangesNoMeasuredValue(self):
        # Another unit size is another job, but its tables hold the same rows.
        whole = Job.of_stack(self.folder, 24, 64, 96)
        pieces = Job(self.folder, "pieces", self.folder / "stack", unit_bytes=5 * 64 * 96 * 2)
        digests = {job.sweep(job.file.stem).run_to_digest() for job in (whole, pieces)}
        self.assertEqual(len(digests), 1)


class SameDigestAfterInterruptions(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_stack(cls.shared, 400, 768, 768)
        cls.alone = cls.job.sweep("alone")
        cls.digest = cls.alone.run_to_digest()

    def interrupt(self, sweep, stop, ranks, segments=0):
        """Starts or resumes, stops as soon as it has published so much, expects an orderly end."""
        epoch = sweep.epochs() + 1
        before = len(sweep.segments())
        process = self.started(sweep.start(ranks))
        sweep.wait_for_epoch(process, epoch)
        sweep.wait_for_segments(process, before + segments)
        sweep.stop(process, stop)
        result = sweep.finish(process)
        processes.wait_for_orphans()
        # mpirun returns 1 after SIGTERM: how the sweep ended is what its run directory says.
        self.assert_ended(sweep.ask("status", "--exit-code"), STOPPED)
        if stop == signal.SIGUSR2:
            self.assertIsNotNone(sweep.end_of(epoch), "a drain ends orderly")
        return result

    def assert_resumes_to_the_same(self, name, stop):
        sweep = self.job.sweep(name)
        self.interrupt(sweep, stop, ranks=3, segments=1)
        self.interrupt(sweep, stop, ranks=2)
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assert_each_unit_once(sweep, len(self.alone.results()))
        self.assert_verifies(sweep, self.digest)
        self.assertEqual(sweep.epochs(), 3)

    def test_DrainedOnThreeRanksThenTwoThenFinishedOnOne(self):
        self.assert_resumes_to_the_same("drained", signal.SIGUSR2)

    def test_TerminatedOnThreeRanksThenTwoThenFinishedOnOne(self):
        self.assert_resumes_to_the_same("terminated", signal.SIGTERM)

    def test_InterruptedAloneAndFinishedOnThreeRanks(self):
        sweep = self.job.sweep("interrupted")
        self.assert_ended(self.interrupt(sweep, signal.SIGINT, None, segments=1), STOPPED)
        self.assertEqual(sweep.run_to_digest(ranks=3), self.digest)

    def test_ACompleteSweepStaysAsItIs(self):
        before = self.alone.segments()
        self.assertEqual(self.alone.run_to_digest(ranks=2), self.digest)
        self.assertEqual(self.alone.segments(), before)


if __name__ == "__main__":
    unittest.main()
