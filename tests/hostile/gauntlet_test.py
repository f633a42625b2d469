"""Death, errors and short transfers at every file call of every command that writes.

gauntlet_preload.cpp counts the calls that a command makes below its folder and lets one of them go wrong. Whatever
happens: success is never claimed for another result than the undisturbed command has, an error ends with 74 and one
line, and the same command, given again, completes with that result and leaves nothing of the first attempt behind.

MOESWEEP_GAUNTLET_POINTS is how many points are tried in all (300), or "all"; MOESWEEP_GAUNTLET_SEED draws others.
"""
import collections
import errno
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import unittest

from gauntlet import disturbance
from hidden_arrays import write_hidden_arrays
from sweep_case import remove, temporary_folder
from sweeps import COMPLETE, IO_ERROR, USE_LITE, binary, environment

POINTS = os.environ.get("MOESWEEP_GAUNTLET_POINTS", "300")
SEED = int(os.environ.get("MOESWEEP_GAUNTLET_SEED", "397"))

KILLS = ["kill-before", "kill-after", "kill-middle"]
ERRORS = [f"{number}{persists}" for number in (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ESTALE,
                                               errno.ENOMEM) for persists in ("", "+")]
INTERRUPTIONS = [str(errno.EINTR), str(errno.EAGAIN), "short"]
EFFECTS = [*KILLS, *ERRORS, *INTERRUPTIONS]
LEFTOVER = re.compile(r"^\.tmp\.|\.reserved$|\.partial$")
TRANSFERS = ("read", "pread", "write", "pwrite")
OF_THE_SYSTEM = r"(?m)^moesweep: .*(" + "|".join([
    "Input/output error", "No space left", "quota exceeded", "Too many open files", "Stale file handle",
    "Cannot allocate memory", "Resource temporarily unavailable", "Interrupted system call", "cannot be written",
    "SQLite cannot write it", "HDF5: "]) + ")"

Point = collections.namedtuple("Point", "at effect call")


def hash_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Command:
    """One command in a folder of its own, which starts as a copy of `template`."""

    def __init__(self, name, template, arguments, outputs=(), digest_of=None):
        self.name = name
        self.template = template
        self._arguments = arguments
        self._outputs = outputs  # files whose bytes are the result, as globs
        self._digest_of = digest_of  # or a run directory, whose digest is

    def copy(self, folder):
        shutil.copytree(self.template, folder)
        # A job file names its inputs and outputs relative to itself.
        return folder

    def run(self, folder, variables=None):
        return subprocess.run([binary(), *self._arguments], cwd=folder, capture_output=True, text=True,
                              env=environment(**(variables or {})), check=False, timeout=120, errors="replace")

    def disturbed(self, folder, **gauntlet):
        return self.run(folder, disturbance(folder, **gauntlet))

    def result(self, folder):
        """Of a finished command; None where something of it is missing."""
        if self._digest_of:
            verified = subprocess.run([binary(), "verify", self._digest_of], cwd=folder, capture_output=True, text=True,
                                      env=environment(), check=False, timeout=120)
            return verified.stdout if verified.returncode == COMPLETE else None
        files = sorted(path for glob in self._outputs for path in folder.glob(glob) if path.is_file())
        return {str(path.relative_to(folder)): hash_of(path) for path in files}


INVENTORY = """name,shape,dtype,analysed,excess_kurtosis,spectral_concentration
model.embed_tokens.weight,4096x2048,BF16,0,,
model.layers.0.self_attn.q_proj.weight,2048x2048,BF16,1,1.5,0.1
model.layers.0.mlp.down_proj.weight,2048x4096,BF16,1,0.5,0.2
"""


def run_in(folder, *arguments):
    done = subprocess.run([binary(), *arguments], cwd=folder, capture_output=True, text=True, env=environment(),
                          check=False, timeout=120)
    if done.returncode != COMPLETE:
        raise AssertionError(f"{arguments} ended with {done.returncode}: {done.stderr}")


def make_commands(shared):
    """Every command that writes, with what it needs."""
    fresh = shared / "fresh"
    fresh.mkdir()
    shutil.copytree(USE_LITE, fresh / "checkpoint")
    (fresh / "job.toml").write_text(
        'schema = 1\nkind = "sensitivity"\n[checkpoint]\npath = "checkpoint"\n[sensitivity]\nquantizers = ["affine"]\n'
        'bits = [2, 4, 8]\ngroup_sizes = [32]\n[resources]\nmemory = "1GiB"\n[output]\nflush_seconds = 0.01\n')
    swept = shutil.copytree(fresh, shared / "swept")
    run_in(swept, "run", "job.toml", "--run-dir", "run", "--quiet")
    without_results = shutil.copytree(swept, shared / "without-results")
    (without_results / "run" / "results.h5").unlink()
    planned = shutil.copytree(swept, shared / "planned")
    run_in(planned, "allocate", "run", "--target", "5bpw", "--architecture", "generic", "--group-size", "32", "--out",
           "plan.json", "--quiet")
    arrays = shared / "arrays"
    arrays.mkdir()
    write_hidden_arrays(arrays / "source.npz")
    inventory = shared / "inventory"
    inventory.mkdir()
    (inventory / "inventory.csv").write_text(INVENTORY)

    def exported(form, outputs):
        return Command(f"export-{form}", swept, ["export", "run", outputs, "--to", form, "--overwrite", "--quiet"],
                       [outputs, f"{outputs}/*"])

    def quantized(form):
        return Command(f"quantize-{form}", planned,
                       ["quantize", "run", "out", "--plan", "plan.json", "--to", form, "--threads", "1", "--quiet"],
                       ["out/*"])

    return [
        Command("run", fresh, ["run", "job.toml", "--run-dir", "run", "--threads", "1", "--quiet"], digest_of="run"),
        Command("aggregate", without_results, ["aggregate", "run", "--quiet"], digest_of="run"),
        Command("allocate", swept, ["allocate", "run", "--target", "5bpw", "--architecture", "generic", "--group-size",
                                    "32", "--out", "plan.json", "--quiet"], ["plan.json"]),
        exported("csv", "tables"), exported("jsonl", "tables"), exported("sqlite", "tables.sqlite"),
        exported("npz", "tables.npz"), exported("markdown", "tables.md"),
        quantized("mlx"), quantized("dequantized"),
        Command("import-cache", arrays, ["import-cache", "source.npz", "cache.h5", "--quiet"], ["cache.h5"]),
        Command("twin", inventory, ["twin", "inventory.csv", "out", "--scale", "32", "--shard-size", "8KiB", "--quiet"], ["out/*"]),
    ]


class Gauntlet(unittest.TestCase):
    """A test for each command is added below."""

    @classmethod
    def setUpClass(cls):
        cls.shared = temporary_folder()
        cls.addClassCleanup(remove, cls.shared)
        cls.commands = {command.name: command for command in make_commands(cls.shared)}
        cls.calls, cls.expected = {}, {}
        for command in cls.commands.values():
            cls.calls[command.name], cls.expected[command.name] = cls.undisturbed(command)
        cls.serial = itertools.count()
        cls.tried = collections.Counter()

    @classmethod
    def undisturbed(cls, command):
        folder, log = command.copy(cls.shared / f"{command.name}-undisturbed"), cls.shared / f"{command.name}.log"
        done = command.disturbed(folder, log=log)
        assert done.returncode == COMPLETE, f"{command.name} ended with {done.returncode}: {done.stderr}"
        expected = command.result(folder)
        assert expected, f"{command.name} has no result"
        calls = [line.split(" ", 2)[1] for line in log.read_text().splitlines()]
        return calls, expected

    def points_of(self, command):
        calls = self.calls[command.name]
        every = [Point(at, effect, call) for at, call in enumerate(calls, 1) for effect in EFFECTS
                 if effect != "short" or call in TRANSFERS]
        if POINTS == "all":
            return every
        # As many of each command as its calls weigh, and at least one of each effect.
        share = int(POINTS) * len(calls) // sum(map(len, self.calls.values()))
        return self.spread(every, max(share, len(EFFECTS)))

    def spread(self, every, count):
        """Over all effects equally, and for each over all calls."""
        draw = random.Random(f"{SEED} {count}")
        chosen = []
        for i, effect in enumerate(EFFECTS):
            points = [point for point in every if point.effect == effect]
            wanted = min(len(points), count // len(EFFECTS) + (i < count % len(EFFECTS)))
            for j in range(wanted):
                chosen.append(points[int((j + draw.random()) * len(points) / wanted)])
        return chosen

    def assert_survives(self, command, point):
        folder = command.copy(self.shared / f"{command.name}-{next(self.serial)}")
        expected = self.expected[command.name]
        done = command.disturbed(folder, at=point.at, do=point.effect)
        was_killed = point.effect in KILLS
        self.tried["killed" if done.returncode < 0 else f"ended with {done.returncode}"] += 1
        about = f"{command.name} {point}: ended with {done.returncode}: {done.stderr}"
        # With several threads, or where it depends on the clock, a call more or less is made.
        if was_killed and done.returncode >= 0:
            self.assertEqual(done.returncode, COMPLETE, about)
            self.assertGreater(point.at, len(self.calls[command.name]) * 0.8, about)
        elif not was_killed:
            self.assertIn(done.returncode, (COMPLETE, IO_ERROR), about)
        if done.returncode == COMPLETE:
            self.assertEqual(command.result(folder), expected, about)
        elif done.returncode == IO_ERROR:
            self.assertRegex(done.stderr, OF_THE_SYSTEM, about)
            self.assertNotIn("bug", done.stderr, about)
        self.assert_completes(command, folder, about)
        shutil.rmtree(folder)

    def assert_completes(self, command, folder, about):
        """What a killed command had published is complete, or the same command completes it."""
        expected = self.expected[command.name]
        done = command.run(folder)
        if done.returncode != COMPLETE:
            self.assertRegex(done.stderr, "exists|is not empty", f"{about}\nthe next one ended with {done.returncode}: {done.stderr}")
        self.assertEqual(command.result(folder), expected, about)
        left = [str(path.relative_to(folder)) for path in folder.rglob("*") if LEFTOVER.search(path.name)]
        self.assertEqual(left, [], f"{about}\nleft behind")

    def run_gauntlet(self, name):
        command = self.commands[name]
        for point in self.points_of(command):
            with self.subTest(command=name, point=point):
                self.assert_survives(command, point)

    @classmethod
    def tearDownClass(cls):
        print(json.dumps({"calls": {name: len(calls) for name, calls in cls.calls.items()},
                          "points": sum(cls.tried.values()), "ends": dict(cls.tried)}))


def add_tests():
    for name in ("run", "aggregate", "allocate", "export-csv", "export-jsonl", "export-sqlite", "export-npz",
                 "export-markdown", "quantize-mlx", "quantize-dequantized", "import-cache", "twin"):
        test = lambda self, name=name: self.run_gauntlet(name)
        setattr(Gauntlet, "test_" + name.replace("-", "_"), test)


add_tests()

if __name__ == "__main__":
    unittest.main(argv=sys.argv)
