"""Damaged files: each is found, named and set aside, and what it held is computed again."""
import json
import signal
import unittest

from sweep_case import SweepCase
from sweeps import COMPLETE, STOPPED, Job


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\0")


DAMAGES = (flip_a_bit, cut_off, empty, lengthen)


class DamagedSegments(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_stack(cls.shared, 150, 768, 768)
        alone = cls.job.sweep("alone")
        cls.digest = alone.run_to_digest()
        cls.units = len(alone.results())

    def partial_sweep(self, name, segments):
        """Drained after so many segments; returns the sweep and the segments' paths."""
        sweep = self.job.sweep(name)
        while len(sweep.segments()) < segments:
            process = self.started(sweep.start())
            sweep.wait_for_segments(process, len(sweep.segments()) + 1)
            process.send_signal(signal.SIGUSR2)
            self.assert_ended(sweep.finish(process), STOPPED)
        return sweep, sweep.segments()

    def resume(self, sweep):
        resumed = sweep.run()
        self.assert_ended(resumed, COMPLETE)
        self.assertEqual(json.loads(resumed.out)["results_digest"], self.digest)
        self.assert_each_unit_once(sweep, self.units)
        self.assert_verifies(sweep, self.digest)
        return resumed

    def assert_quarantined(self, sweep, resumed, damaged):
        folder = sweep.run_dir / "segments" / "quarantine"
        names = sorted(path.name for path in damaged)
        self.assertEqual(sorted(path.name for path in folder.iterdir()), names)
        self.assertEqual(sorted(event["segment"] for event in sweep.events("quarantined")), names)
        for name in names:
            self.assertIn(name, resumed.err)

    def test_EachDamagedSegmentIsQuarantinedByNameAndItsUnitsRunAgain(self):
        for damage in DAMAGES:
            with self.subTest(damage=damage.__name__):
                sweep, segments = self.partial_sweep(damage.__name__, 2)
                held = {u.id: u.segment for u in sweep.done()}
                damage(segments[0])
                epoch = sweep.epochs() + 1
                resumed = self.resume(sweep)
                self.assert_quarantined(sweep, resumed, segments[:1])
                for row in sweep.results():
                    intact = held.get(row.id, segments[0].name) != segments[0].name
                    self.assertEqual(row.epoch < epoch, intact, row)

    def test_SeveralAtOnceAndFromOtherRanks(self):
        sweep, segments = self.partial_sweep("several", len(DAMAGES) + 1)
        for damage, path in zip(DAMAGES, segments):
            damage(path)
        self.assert_quarantined(sweep, self.resume_on_ranks(sweep), segments[:len(DAMAGES)])

    def resume_on_ranks(self, sweep):
        resumed = sweep.run(ranks=2)
        self.assert_ended(resumed, COMPLETE)
        self.assertEqual(json.loads(resumed.out)["results_digest"], self.digest)
        return resumed

    def test_VerifyAndStatusNameTheDamageAndChangeNothing(self):
        sweep, segments = self.partial_sweep("looked_at", 1)
        flip_a_bit(segments[0])
        verified = sweep.ask("verify")
        self.assert_ended(verified, STOPPED)
        self.assertIn(segments[0].name, verified.err)
        self.assertEqual(sweep.status()["rotten_segments"], 1)
        self.assertEqual(sweep.segments(), segments)

    def test_TemporaryFilesOfKilledWritersAreNoSegments(self):
        sweep, segments = self.partial_sweep("temporaries", 1)
        folder = sweep.run_dir / "segments"
        (folder / ".tmp.0123456789abcdef0000").write_bytes(segments[0].read_bytes()[:100])
        (folder / f"{segments[0].name}.part").write_bytes(b"half")
        self.resume(sweep)
        self.assertEqual(sweep.events("quarantined"), [])

    def test_DamageToACompleteSweepIsFoundAndRepairedByARun(self):
        sweep, segments = self.partial_sweep("complete", 1)
        self.resume(sweep)
        flip_a_bit(segments[0])
        verified = sweep.ask("verify")
        self.assertNotEqual(verified.code, COMPLETE)
        self.assertIn(segments[0].name, verified.err)
        status = sweep.ask("status", "--exit-code", "--json")
        self.assertEqual((json.loads(status.out)["state"], status.code), ("damaged", STOPPED))
        self.assert_quarantined(sweep, self.resume(sweep), segments[:1])


class DamagedResults(SweepCase):
    def test_AreRebuiltFromTheSegments(self):
        sweep = Job(self.folder).sweep("run")
        digest = sweep.run_to_digest()
        results = sweep.run_dir / "results.h5"
        for damage in DAMAGES:
            with self.subTest(damage=damage.__name__):
                damage(results)
                self.assert_ended(sweep.ask("aggregate"), COMPLETE)
                self.assert_verifies(sweep, digest)

    def test_ThatAreMissingAreNamed(self):
        sweep = Job(self.folder).sweep("run")
        sweep.run_to_digest()
        (sweep.run_dir / "results.h5").unlink()
        verified = sweep.ask("verify")
        self.assertNotEqual(verified.code, COMPLETE)
        self.assertIn("results.h5", verified.err)


if __name__ == "__main__":
    unittest.main()
