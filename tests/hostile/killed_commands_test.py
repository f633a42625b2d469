"""What killed or refused commands leave behind: the same command again removes it or goes on, and nothing else is touched.

A preloaded library (gauntlet_preload.cpp) kills a program before its N-th rename or link, or refuses a write.
"""
import errno
import json
import shutil
import signal
import subprocess
import unittest

import numpy

from gauntlet import disturbance
from sweep_case import SweepCase
from sweeps import (COMPLETE, IO_ERROR, SOME_FAILED, USE_LITE, Job, Result, Sweep, binary, environment,
                    write_one_layer_inventory)

BAD_USAGE, BAD_INPUT = 64, 65


def moesweep(*arguments, **variables):
    done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False,
                          stdin=subprocess.DEVNULL, env=environment(**variables))
    return Result(done.returncode, done.stdout, done.stderr)


def killed_before_rename(number, folder, *arguments):
    """Or link, of those to names below the folder."""
    return moesweep(*arguments, **disturbance(folder, "kill-before", number, "rename,link"))


def temporaries(folder):
    return sorted(path.name for path in folder.rglob(".tmp.*"))


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Leftovers(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sweep = Job(cls.shared).sweep("run")
        cls.sweep.run_to_digest()

    def commands(self):
        """Each with the folder that it writes into."""
        run, out = self.sweep.run_dir, self.folder / "out"
        plan = self.folder / "plan.json"
        self.assert_ended(moesweep("allocate", run, "--target", "5bpw", "--architecture", "generic", "--out", plan), COMPLETE)
        arrays = self.folder / "arrays.npz"
        numpy.savez(arrays, labels=numpy.arange(8, dtype=numpy.int64) % 2, split=numpy.arange(8, dtype=numpy.int8) % 3,
                    **{"L1/mean": numpy.ones((8, 4), numpy.float32)})
        return [(("export", run, out, "--to", "csv", "--overwrite"), out),
                (("export", run, out / "all.sqlite", "--to", "sqlite", "--overwrite"), out),
                (("export", "--plan", plan, "--to", "mlx-lm", out, "--architecture", "generic", "--overwrite"), out),
                (("allocate", run, "--target", "5bpw", "--architecture", "generic", "--out", out / "p.json"), out),
                (("import-cache", arrays, out / "v.h5"), out),
                (("aggregate", run), run)]

    def test_OfKilledCommandsAreRemovedByTheSameCommand(self):
        for arguments, folder in self.commands():
            with self.subTest(" ".join(map(str, arguments[:1] + arguments[3:5]))):
                folder.mkdir(exist_ok=True)
                foreign = folder / ".tmp.of-somebody-else"
                foreign.write_text("kept")
                killed = killed_before_rename(1, folder, *arguments)
                self.assertEqual(killed.code, -signal.SIGKILL, killed.err)
                self.assertGreater(len(temporaries(folder)), 1)
                self.assert_ended(moesweep(*arguments), COMPLETE)
                self.assertEqual(temporaries(folder), [foreign.name])
                foreign.unlink()

    def test_OfKilledStartsAreRemovedByTheNext(self):
        sweep = Job(self.folder).sweep("killed")
        for at in range(1, 6):
            killed_before_rename(at, sweep.run_dir, "run", sweep.job.file, "--run-dir", sweep.run_dir)
        lock = sweep.run_dir / "lock"
        self.assertGreater(len(list(lock.glob("*.reserved"))), 0)
        sweep.run_to_digest()
        self.assertEqual(temporaries(sweep.run_dir), [])
        self.assertEqual(list(lock.glob("*.reserved")), [])


class WithoutHardLinks(SweepCase):
    """Nor renames that never replace: who makes a claim first may take a name, and a kill leaves no half of a file."""
    CALLS = "link,renameat2"

    def assert_is_finished_by_the_same_command(self, folder, name, *arguments):
        log = self.folder / "calls"
        for at in range(1, 9):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            log.unlink(missing_ok=True)
            killed = moesweep(*arguments, **disturbance(folder, "kill-before", at, "rename", log, self.CALLS))
            self.assertEqual(killed.code, -signal.SIGKILL, killed.err)
            if log.read_text().splitlines()[-1].endswith(f"/{name}"):
                break
        else:
            self.fail(f"{name} was never renamed into place")
        self.assertEqual(list(folder.rglob(name)), [])
        self.assert_ended(moesweep(*arguments, **disturbance(folder, without=self.CALLS)), COMPLETE)
        self.assertEqual(temporaries(folder), [])

    def test_AKilledStartIsFollowedByAnother(self):
        job, run = Job(self.folder), self.folder / "run"
        self.assert_is_finished_by_the_same_command(run, "e0001.json", "run", job.file, "--run-dir", run)

    def test_AKilledAllocationIsMadeByTheNext(self):
        sweep = Job(self.folder).sweep("swept")
        sweep.run_to_digest()
        plans = self.folder / "plans"
        self.assert_is_finished_by_the_same_command(
            plans, "plan.json", "allocate", sweep.run_dir, "--architecture", "generic", "--target", "5bpw", "--out",
            plans / "plan.json")

    def test_AKilledTwinIsBegunByTheNext(self):
        out = self.folder / "twin"
        inventory = write_one_layer_inventory(self.folder / "inventory.csv")
        self.assert_is_finished_by_the_same_command(out, ".moesweep-unfinished", "twin", inventory, out, "--scale", "64")


class Twin(SweepCase):
    def setUp(self):
        super().setUp()
        self.inventory = write_one_layer_inventory(self.folder / "inventory.csv")
        self.out = self.folder / "twin"

    def arguments(self, out=None, seed=3):
        return "twin", self.inventory, out or self.out, "--scale", "64", "--seed", seed, "--shard-size", "1MiB"

    def test_ThatWasKilledIsFinishedByTheSameCommand(self):
        whole = self.folder / "whole"
        self.assert_ended(moesweep(*self.arguments(whole)), COMPLETE)
        shards = len(list(whole.glob("*.safetensors")))
        self.assertGreater(shards, 2)
        marker = 1  # the link that makes it
        for at in (marker, marker + 1, marker + 2, marker + shards, marker + shards + 1, marker + shards + 2):
            with self.subTest(killed_before=at):
                shutil.rmtree(self.out, ignore_errors=True)
                self.assertEqual(killed_before_rename(at, self.out, *self.arguments()).code, -signal.SIGKILL)
                if at > marker:
                    self.assert_is_unfinished()
                kept = {path.name: path.stat().st_ino for path in self.out.glob("*.safetensors")}
                self.assertEqual(len(kept), max(0, min(at - marker - 1, shards)))
                self.assert_ended(moesweep(*self.arguments()), COMPLETE)
                self.assertEqual(contents(self.out), contents(whole))
                now = {path.name: path.stat().st_ino for path in self.out.glob("*.safetensors")}
                self.assertLessEqual(kept.items(), now.items(), "whole shards are not written again")

    def assert_is_unfinished(self):
        job = Job(self.folder, "job", self.out)
        for arguments in (("inspect", self.out), ("run", job.file, "--run-dir", self.folder / "run")):
            done = moesweep(*arguments)
            self.assert_ended(done, BAD_INPUT)
            self.assertRegex(done.err, rf"\Amoesweep: {self.out}: is not finished: \"twin [^\n]*run the same command again[^\n]*\n\Z")

    def test_OfOtherOptionsIsNotTouched(self):
        killed_before_rename(3, self.out, *self.arguments())
        before = contents(self.out)
        refused = moesweep(*self.arguments(seed=4))
        self.assert_ended(refused, BAD_USAGE)
        self.assertRegex(refused.err, r"\Amoesweep: [^\n]*--seed 3[^\n]*not finished[^\n]*\n\Z")
        left = {path: data for path, data in before.items() if not path.name.startswith(".tmp.")}
        self.assertEqual(contents(self.out), left)

    def test_NeverTakesAFolderThatIsNotOurs(self):
        self.out.mkdir()
        for name in ("thesis.tex", ".hidden", "model-00001-of-00002.safetensors"):
            (self.out / name).write_text("mine")
            refused = moesweep(*self.arguments())
            self.assert_ended(refused, BAD_USAGE)
            self.assertIn("is not empty", refused.err)
            self.assertEqual((self.out / name).read_text(), "mine")
            (self.out / name).unlink()


class RefusedWrites(SweepCase):
    """One write that a full disk refuses ends `quantize` with 74, to be resumed; it is no failure of the unit."""

    def test_OfAShardEndTheSweepToBeResumed(self):
        sweep = Job(self.folder).sweep("run")
        sweep.run_to_digest()
        plan = self.folder / "plan.json"
        self.assert_ended(moesweep("allocate", sweep.run_dir, "--target", "5bpw", "--for", "mlx", "--architecture", "generic",
                                   "--out", plan), COMPLETE)

        def arguments(out):
            return "quantize", sweep.run_dir, "--plan", plan, "--to", "mlx", "--shard-size", "200KiB", out

        reference, out = self.folder / "reference", self.folder / "out"
        self.assert_ended(moesweep(*arguments(reference)), COMPLETE)
        # The beat and the notes of units in flight are pwrites too, which nobody minds.
        for at in (4, 8, 12, 16, 20, 24):
            shutil.rmtree(out, ignore_errors=True)
            done = moesweep(*arguments(out), **disturbance(out, errno.ENOSPC, at, "pwrite"))
            self.assertIn(done.code, (COMPLETE, IO_ERROR), done.err)
            if done.code == IO_ERROR:
                break
        self.assert_ended(done, IO_ERROR)
        self.assertRegex(done.err, r"(?m)^moesweep: [^\n]*No space left[^\n]*run the same command again[^\n]*$")
        status = moesweep("status", out / ".moesweep", "--json", "--exit-code")
        self.assert_ended(status, IO_ERROR)
        self.assertEqual(json.loads(status.out)["units_failed"], 0)
        self.assert_ended(moesweep(*arguments(out)), COMPLETE)
        for shard in reference.glob("*.safetensors"):
            self.assertEqual((out / shard.name).read_bytes(), shard.read_bytes(), shard.name)


if __name__ == "__main__":
    unittest.main()
