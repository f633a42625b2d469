"""A unit that ends the sweep twice is failed by name; the sweep goes on, and a resume retries it."""
import json
import unittest

import numpy

import processes
from sweep_case import SweepCase
from sweeps import COMPLETE, SOME_FAILED, STACK, Job


class UnitThatEndsTheSweep(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_stack(cls.shared, 12, 64, 96)
        alone = cls.job.sweep("alone")
        cls.digest = alone.run_to_digest()
        cls.plan = {unit.key: unit for unit in alone.results()}

    def setUp(self):
        super().setUp()
        self.sweep = self.job.sweep(self.id().rpartition(".")[2])
        self.unit = self.plan[f"sensitivity/{STACK}/07-07"]

    def crash(self, *units):
        """One abnormal end with these units in flight, as a crash inside a unit would leave it."""
        epoch = self.sweep.epochs() + 1
        # A deadline that has passed: the epoch starts, takes no unit, and its end is forgotten.
        self.sweep.run(options=("--deadline", "1"))
        lock = self.sweep.run_dir / "lock"
        (lock / f"e{epoch:04}.end.json").unlink()
        numpy.array([unit.id for unit in units], "<u8").tofile(lock / f"e{epoch:04}-r0000.inflight")

    def test_IsFailedByNameAfterTwoEndsAndRetriedByAResume(self):
        self.crash(self.unit)
        self.crash(self.unit)
        failed = self.sweep.run()
        self.assert_ended(failed, SOME_FAILED)
        document = json.loads(failed.out)
        self.assertEqual((document["units_failed"], document["units_done"]), (1, len(self.plan) - 1))
        self.assertEqual(document["results_digest"], "")
        self.assert_listed_by_status()
        [row] = [row for row in self.sweep.results() if row.status == "failed"]
        self.assertEqual((row.key, row.epoch), (self.unit.key, 3))

        self.assertEqual(self.sweep.run_to_digest(), self.digest)
        self.assert_each_unit_once(self.sweep, len(self.plan))
        self.assertEqual(self.sweep.status()["failures"], [])
        epochs = {row.key: row.epoch for row in self.sweep.results()}
        self.assertEqual(epochs.pop(self.unit.key), 4)
        self.assertEqual(set(epochs.values()), {3}, "only the failed unit ran again")

    def assert_listed_by_status(self):
        status = self.sweep.status()
        self.assertEqual(status["state"], "some units failed")
        [failure] = status["failures"]
        self.assertEqual(failure["key"], self.unit.key)
        self.assertIn("2 times", failure["error"])
        text = self.sweep.ask("status", "--exit-code")
        self.assert_ended(text, SOME_FAILED)
        self.assertIn(self.unit.key, text.out)

    def test_IsNotBlamedForOneEnd(self):
        self.crash(self.unit)
        self.assertEqual(self.sweep.run_to_digest(), self.digest)

    def test_IsNotBlamedForEndsOfOthers(self):
        others = [self.plan[f"sensitivity/{STACK}/{i:02}-{i:02}"] for i in (1, 2)]
        for other in others:
            self.crash(other)
        self.assertEqual(self.sweep.run_to_digest(), self.digest)

    def test_StartsWithACleanSlateOnceItWasRecordedAsFailed(self):
        self.crash(self.unit)
        self.crash(self.unit)
        self.assert_ended(self.sweep.run(), SOME_FAILED)
        self.crash(self.unit)  # epoch 4: one end since the failure of epoch 3
        self.assertEqual(self.sweep.run_to_digest(), self.digest)

    def test_FailsAgainWhenItKeepsEndingTheSweep(self):
        for ends in range(2):
            self.crash(self.unit)
            self.crash(self.unit)
            with self.subTest(round=ends):
                self.assert_ended(self.sweep.run(ranks=2), SOME_FAILED)
        self.assertEqual(self.sweep.run_to_digest(ranks=2), self.digest)

    def test_EveryUnitInFlightOnAnyRankIsBlamed(self):
        units = [self.plan[f"sensitivity/{STACK}/{i:02}-{i:02}"] for i in (0, 11)]
        self.crash(*units)
        self.crash(*units)
        self.assert_ended(self.sweep.run(ranks=2), SOME_FAILED)
        self.assertEqual({f["key"] for f in self.sweep.status()["failures"]}, {u.key for u in units})
        self.assertEqual(self.sweep.run_to_digest(ranks=3), self.digest)


class UnitWhoseInputIsBad(SweepCase):
    def test_IsFailedByNameAndTheOthersAreDone(self):
        job = Job.of_stack(self.folder, 6, 64, 96)
        sweep = job.sweep("nan")
        checkpoint = self.folder / "stack" / "model.safetensors"
        bytes_before = checkpoint.read_bytes()
        data = int.from_bytes(bytes_before[:8], "little") + 8
        bad = bytearray(bytes_before)
        bad[data + 3 * 64 * 96 * 2:data + 3 * 64 * 96 * 2 + 2] = b"\xc0\x7f"  # a NaN opens slice 3
        checkpoint.write_bytes(bad)
        self.assert_ended(sweep.run(ranks=2), SOME_FAILED)
        [failure] = sweep.status()["failures"]
        self.assertEqual(failure["key"], f"sensitivity/{STACK}/3-3")
        self.assertIn("slice 3", failure["error"])
        checkpoint.write_bytes(bytes_before)
        self.assert_ended(sweep.run(ranks=2), COMPLETE)
        self.assert_each_unit_once(sweep, 8)
        processes.wait_for_orphans()


if __name__ == "__main__":
    unittest.main()
