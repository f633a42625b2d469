"""Promise 2: which units run again after a stop, counted exactly, and how the ends are recorded."""
import json
import signal
import unittest

import processes
from sweep_case import SweepCase
from sweeps import COMPLETE, NO_PROGRESS, RUN_DIRECTORY, STOPPED, Job

THREADS = 2


class ResumeRepeatsOnlyWhatItMust(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_stack(cls.shared, 150, 768, 768)
        alone = cls.job.sweep("alone")
        cls.digest = alone.run_to_digest()
        cls.plan = {unit.id: unit for unit in alone.results()}
        cls.bytes_total = sum(unit.bytes_read for unit in cls.plan.values())
        cls.bytes_unit = max(unit.bytes_read for unit in cls.plan.values())

    def stop_and_resume(self, name, stop, ranks=None):
        """Returns the sweep and the bytes of units that were computed more than once."""
        sweep = self.job.sweep(name)
        process = self.started(sweep.start(ranks, THREADS))
        sweep.wait_for_segments(process, 1)
        sweep.stop(process, stop)
        first = sweep.finish(process)
        self.assert_ended(first, STOPPED)
        published = sweep.done()
        self.assertGreater(len(published), 0)
        self.assertLess(len(published), len(self.plan))
        second = sweep.run(ranks, THREADS)
        self.assert_ended(second, COMPLETE)
        self.assertEqual(json.loads(second.out)["results_digest"], self.digest)
        self.assert_published_units_stayed(sweep, published)
        computed = sum(json.loads(end.out)["bytes_read"] for end in (first, second))
        return sweep, computed - self.bytes_total

    def assert_published_units_stayed(self, sweep, published):
        self.assert_each_unit_once(sweep, len(self.plan))
        epochs = {row.id: row.epoch for row in sweep.results()}
        before = {unit.id for unit in published}
        self.assertEqual({epochs[i] for i in before}, {1})
        self.assertEqual({epochs[i] for i in self.plan.keys() - before}, {2})
        ids = [unit.id for unit in sweep.published()]
        self.assertEqual(len(ids), len(set(ids)), "a unit is in two segments")

    def test_ADrainRepeatsNoUnit(self):
        sweep, repeated = self.stop_and_resume("drained", signal.SIGUSR2)
        self.assertEqual(repeated, 0)
        self.assertEqual(sweep.in_flight(epoch=1), set())

    def test_ADrainOfTwoRanksRepeatsNoUnit(self):
        sweep, repeated = self.stop_and_resume("drained_ranks", signal.SIGUSR2, ranks=2)
        self.assertEqual(repeated, 0)
        self.assertEqual(sweep.in_flight(epoch=1), set())

    def test_ATerminationRepeatsOnlyUnitsInFlight(self):
        # What was computed is flushed before leaving; a unit that ends in the meantime may be lost.
        sweep, repeated = self.stop_and_resume("terminated", signal.SIGTERM)
        self.assertLessEqual(repeated, THREADS * self.bytes_unit)
        epochs = {row.id: row.epoch for row in sweep.results()}
        in_flight = sweep.in_flight(epoch=1)
        self.assertLessEqual(len(in_flight), THREADS)
        self.assertLessEqual({epochs[i] for i in in_flight}, {2})

    def test_ATerminationOfRanksPublishesWhatWasComputed(self):
        sweep = self.job.sweep("terminated_ranks")
        process = self.started(sweep.start(ranks=2))
        sweep.wait_for_segments(process, 1)
        for pid in processes.ranks_below(process.pid).values():  # as scancel does
            processes.signal_if_alive(pid, signal.SIGTERM)
        process.wait(120)
        end = sweep.end_of(epoch=1)
        self.assertIsNotNone(end, "the end was not recorded")
        self.assertEqual(end["exit_code"], STOPPED)
        # A unit that ended while the others were saying goodbye is on disk, but nobody was told.
        self.assertIn(len(sweep.done()) - end["units_published"], range(3))
        self.assertLessEqual(len(sweep.in_flight(epoch=1)), 2)
        self.assertEqual(sweep.run_to_digest(), self.digest)


class EndsOfStoppedSweeps(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_stack(cls.shared, 8, 768, 768)

    def run_out_of_time(self, sweep, ranks=None):
        """No unit fits before a deadline that has passed."""
        return sweep.run(ranks, options=("--deadline", "1"))

    def test_TwoStopsWithoutProgressAreToldFromOne(self):
        sweep = self.job.sweep("alone")
        self.assert_ended(self.run_out_of_time(sweep), STOPPED)
        self.assert_ended(self.run_out_of_time(sweep), NO_PROGRESS)
        self.assert_ended(sweep.ask("status", "--exit-code"), NO_PROGRESS)
        sweep.run_to_digest()

    def test_RanksAgreeThatThereWasNoProgress(self):
        sweep = self.job.sweep("ranks")
        self.assert_ended(self.run_out_of_time(sweep, ranks=3), STOPPED)
        for _ in range(3):
            self.assert_ended(self.run_out_of_time(sweep, ranks=3), NO_PROGRESS)

    def test_AnIncompleteSweepHasNoDigest(self):
        sweep = self.job.sweep("incomplete")
        stopped = self.run_out_of_time(sweep)
        self.assertEqual(json.loads(stopped.out)["results_digest"], "")
        verified = sweep.ask("verify", "--json")
        self.assert_ended(verified, STOPPED)
        self.assertEqual(json.loads(verified.out)["results_digest"], "")

    def test_WhatWouldChangeResultsIsRefusedByName(self):
        for key, name in (("isa", "instruction set"), ("blas", "BLAS"), ("build", "build")):
            with self.subTest(key):
                sweep = self.job.sweep(f"another_{key}")
                self.assert_ended(self.run_out_of_time(sweep), STOPPED)
                here = json.loads((sweep.run_dir / "lock" / "e0001.json").read_text())[key]
                sweep.change_start(**{key: "another one"})
                refused = sweep.run()
                self.assert_ended(refused, RUN_DIRECTORY)
                self.assertIn(f"{name} {here} here, another one there", refused.err)
                self.assertIn(f"use a new --run-dir, or the {name} it was started with", refused.err)
                self.assertEqual(sweep.epochs(), 1)


if __name__ == "__main__":
    unittest.main()
