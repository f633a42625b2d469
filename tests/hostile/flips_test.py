"""One bit flipped, a file cut off, a sector of zeros: no command ever tells another number, and none crashes.

MOESWEEP_FLIPS=5000 for more of it, MOESWEEP_FLIP_SEED for others.
"""
import collections
import json
import os
import random
import shutil
import subprocess
import unittest

import sweeps
from sweep_case import SweepCase
from sweeps import COMPLETE, STOPPED, Job, Result, Sweep, binary, environment

BAD_INPUT, BUG = 65, 70
FLIPS = int(os.environ.get("MOESWEEP_FLIPS", "150"))
SEED = int(os.environ.get("MOESWEEP_FLIP_SEED", "1"))
BLOCK_BYTES = 512  # the checksum in front of results.h5


def flip(data, bit):
    data[bit // 8] ^= 1 << bit % 8
    return f"bit {bit} flipped"


def flip_in_front(data, chance):
    return flip(data, chance.randrange(8 * BLOCK_BYTES))


def flip_anywhere(data, chance):
    return flip(data, chance.randrange(8 * len(data)))


def cut_off(data, chance):
    kept = chance.randrange(len(data))
    del data[kept:]
    return f"cut off after {kept} bytes"


def lose_sector(data, chance):
    """512 bytes that a disk gives back as zeros; where they were zeros anyway nothing is damaged."""
    begin = 512 * chance.randrange((len(data) + 511) // 512)
    data[begin:begin + 512] = bytes(len(data[begin:begin + 512]))
    return f"zeros from byte {begin}"


# Three quarters are single bits.
DAMAGES = (flip_anywhere,) * 5 + (flip_in_front, cut_off, lose_sector)


HUNG = "hung"


def ask(*arguments):
    try:
        done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, env=environment(),
                              check=False, timeout=120)
    except subprocess.TimeoutExpired:
        return Result(HUNG, "", "")
    return Result(done.returncode, done.stdout, done.stderr)


class Flips(SweepCase):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(SEED)
        self.counts = collections.Counter()

    def damage(self, path, whole):
        """Writes `whole` with a damage; returns what was done to it."""
        while True:
            data = bytearray(whole)
            what = self.chance.choice(DAMAGES)(data, self.chance)
            if data != whole:
                path.write_bytes(data)
                self.counts["damages"] += 1
                return f"{path.name} of {len(whole)} bytes, {what}"

    def ask(self, *arguments):
        result = ask(*arguments)
        self.assert_ended_well(result, arguments)
        return result

    def assert_ended_well(self, result, command):
        """Counts the command. No signal, no bug, and it ended."""
        self.counts["commands"] += 1
        hung = result.code == HUNG
        crashed = not hung and (result.code < 0 or result.code >= 128 or result.code == BUG or "bug:" in result.err)
        self.counts["hung"] += hung
        self.counts["crashes"] += crashed
        self.assertFalse(hung or crashed, f"{command}: {result.code} {result.err}")

    def assert_same(self, numbers, sound, what="other numbers"):
        self.counts["other numbers"] += numbers != sound
        self.assertEqual(numbers, sound, what)

    def assert_refuses(self, result, path):
        self.assertEqual(result.code, BAD_INPUT, result.err + result.out)
        self.assertIn(path.name, result.err)

    def report(self):
        print(", ".join(f"{self.counts[what]} {what}"
                        for what in ("damages", "commands", "other numbers", "crashes", "hung")), flush=True)


class FlippedResults(Flips):
    """`results.h5` beside its segments, where it is made again, and without them, where it is refused."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        whole = Job(cls.shared).sweep("whole")
        cls.digest = whole.run_to_digest()
        cls.whole = whole.run_dir
        cls.alone = cls.shared / "alone"
        shutil.copytree(cls.whole, cls.alone)
        for segment in (cls.alone / "segments").iterdir():
            segment.unlink()
        cls.bytes = (cls.whole / "results.h5").read_bytes()
        cls.sound = {command: numbers(cls, cls.whole) for command, numbers in cls.COMMANDS.items()}

    def exported(self, run):
        out = self.shared / "tables"
        result = ask("export", run, out, "--to", "csv", "--overwrite")
        numbers = {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else {}
        shutil.rmtree(out, ignore_errors=True)
        return result, numbers

    def exported_table(self, run):
        out = self.shared / "units.jsonl"
        result = ask("export", run, out, "--to", "jsonl", "--table", "units")
        numbers = out.read_bytes() if out.exists() else b""
        out.unlink(missing_ok=True)
        return result, numbers

    def correlated(self, run):
        result = ask("correlate", run, "--json")
        return result, result.out

    def allocated(self, run):
        plan = self.shared / "plan.json"
        result = ask("allocate", run, "--target", "5bpw", "--architecture", "generic", "--out", plan, "--json")
        planned = json.loads(plan.read_text()) if plan.exists() else {}
        planned.pop("made", None)  # when, and in which folder
        numbers = result.out, planned
        plan.unlink(missing_ok=True)
        return result, numbers

    COMMANDS = {"export": exported, "export --table": exported_table, "correlate": correlated, "allocate": allocated}

    def assert_tells_the_same_or_nothing(self, command, run, made_again):
        result, numbers = self.COMMANDS[command](self, run)
        self.assert_ended_well(result, command)
        path = run / "results.h5"
        if not made_again:
            self.assert_same(any(numbers), False, "numbers of a damaged file")
            self.assert_refuses(result, path)
            self.assertIn("moesweep aggregate", result.err)
            return
        self.assertEqual(result.code, COMPLETE, result.err)
        self.assertIn(f"warning: {path} does not match its checksum: it was made again from the segments", result.err)
        self.assert_same(numbers, self.sound[command][1])
        self.assert_same(path.read_bytes(), self.bytes, "made again, but of other bytes")

    def test_EveryCommandTellsTheSoundNumbersOrNone(self):
        for command, (result, numbers) in self.sound.items():
            self.assertEqual((result.code, result.err), (COMPLETE, ""), command)
            self.assertTrue(numbers, command)
        commands = list(self.COMMANDS)
        for i in range(FLIPS * 4 // 5):
            run, made_again = (self.whole, True) if i % 2 == 0 else (self.alone, False)
            path = run / "results.h5"
            with self.subTest(self.damage(path, self.bytes)):
                damaged = path.read_bytes()
                verified = self.ask("verify", run)
                self.assertNotEqual(verified.code, COMPLETE, "verify is content with a damaged file")
                self.assertIn("results.h5", verified.err)
                self.assertEqual(path.read_bytes(), damaged, "verify has changed it")
                self.assert_tells_the_same_or_nothing(commands[i // 2 % len(commands)], run, made_again)
        self.report()

    def test_ARunOfACompleteSweepMakesThemAgain(self):
        sweep = Job(self.folder).sweep("run")
        digest = sweep.run_to_digest()
        path = sweep.run_dir / "results.h5"
        whole = path.read_bytes()
        for remove in (False, True):
            self.damage(path, whole)
            if remove:
                path.unlink()
            self.assertEqual(sweep.run_to_digest(), digest)
            self.assertEqual(path.read_bytes(), whole)


class FlippedHeads(Flips):
    """Trained heads below artifacts/."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = cls.shared / "heads.toml"
        cls.job.write_text("\n".join([
            'schema = 1', 'kind = "heads"', '[cache]', f'dir = "{sweeps.HIDDEN}"', 'variants = ["bf16", "4bit"]',
            'baseline = "bf16"', '[heads]', 'layers = ["L1"]', 'pooling = ["mean"]', 'width = 4', 'epochs = 1',
            'seeds = { first = 0, count = 2 }', 'seeds_per_unit = 1', '[resources]', 'memory = "1GiB"', '']))
        cls.run_dir = cls.shared / "heads"
        cls.sweep = Sweep(None, cls.run_dir)
        ran = ask("run", cls.job, "--run-dir", cls.run_dir, "--json", "--threads", "1")
        assert ran.code == COMPLETE, ran.err
        cls.digest = json.loads(ran.out)["results_digest"]
        cls.artifacts = {path: path.read_bytes() for path in (cls.run_dir / "artifacts").iterdir()}
        cls.heads = cls.exported(cls)[1]

    def exported(self):
        out = self.shared / "npz"
        result = ask("export", self.run_dir, out, "--to", "heads")
        numbers = {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else {}
        shutil.rmtree(out, ignore_errors=True)
        return result, numbers

    def assert_nothing_is_told(self, path):
        result, numbers = self.exported()
        self.assert_ended_well(result, "export")
        self.assert_same(numbers, {}, "a part of the heads was exported")
        self.assert_refuses(result, path)
        self.assertIn("moesweep run", result.err)
        verified = self.ask("verify", self.run_dir)
        self.assert_refuses(verified, path)
        self.assertIn("moesweep run", verified.err)

    def assert_status_sees_what_it_can(self, path):
        """Status asks for sizes alone."""
        whole = path.exists() and path.stat().st_size == len(self.artifacts[path])
        status = self.ask("status", self.run_dir, "--exit-code", "--json")
        told = json.loads(status.out)
        self.assertEqual(told["state"], "complete" if whole else "damaged")
        self.assertEqual(status.code, COMPLETE if whole else STOPPED)
        self.assertEqual(len(told["lost_outputs"]), 0 if whole else 1)

    def assert_is_made_again(self, path, damaged):
        ran = self.ask("run", self.job, "--run-dir", self.run_dir, "--json", "--threads", "1")
        self.assertEqual(ran.code, COMPLETE, ran.err)
        self.assertEqual(json.loads(ran.out)["results_digest"], self.digest)
        self.assertIn(path.name, ran.err)
        self.assert_same({path: path.read_bytes() for path in self.artifacts}, self.artifacts)
        quarantined = self.run_dir / "artifacts" / "quarantine" / path.name
        self.assertEqual(quarantined.read_bytes() if damaged is not None else None, damaged)
        shutil.rmtree(quarantined.parent, ignore_errors=True)
        result, numbers = self.exported()
        self.assert_ended_well(result, "export")
        self.assertEqual(result.code, COMPLETE)
        self.assert_same(numbers, self.heads)

    def test_NoHeadIsExportedThatWasNotTrainedAndARunTrainsItAgain(self):
        self.assertEqual(len(self.heads), 4)
        paths = sorted(self.artifacts)
        for i in range(max(10, FLIPS // 5)):
            path = paths[i % len(paths)]
            with self.subTest(self.damage(path, self.artifacts[path])):
                self.assert_nothing_is_told(path)
                # Making it again takes a start: now and then is enough.
                if i % 10 == 0:
                    self.assert_status_sees_what_it_can(path)
                    self.assert_is_made_again(path, path.read_bytes())
                else:
                    path.write_bytes(self.artifacts[path])
        self.report()

    def test_ARemovedHeadIsMissedAndTrainedAgain(self):
        path = sorted(self.artifacts)[0]
        path.unlink()
        self.assert_nothing_is_told(path)
        self.assert_status_sees_what_it_can(path)
        self.assert_is_made_again(path, None)

    def test_SeveralAtOnceAreAllMadeAgain(self):
        before = len(self.sweep.events("output_lost"))
        for path, whole in self.artifacts.items():
            self.damage(path, whole)
        ran = self.ask("run", self.job, "--run-dir", self.run_dir, "--json")
        self.assertEqual(ran.code, COMPLETE, ran.err)
        self.assertEqual(json.loads(ran.out)["results_digest"], self.digest)
        self.assertEqual({path: path.read_bytes() for path in self.artifacts}, self.artifacts)
        lost = self.sweep.events("output_lost")[before:]
        self.assertEqual(sorted(event["file"] for event in lost), sorted(path.name for path in self.artifacts))


if __name__ == "__main__":
    unittest.main()
