"""Plans of one model at the sizes of uniform ones, written and measured: what `compare_plans` tabulates and plots.

A study works in a folder: the sweep, and a file of per-window values for each plan and text, so that a study that was
stopped resumes and a plan that two sizes share is measured once.
"""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
from typing import NamedTuple

import numpy

import checkpoint
import evaluation
import tokens

JOB = """schema = 1
name = "plans"
kind = "sensitivity"
[checkpoint]
path = {path}
[sensitivity]
metrics = {metrics}
quantizers = ["affine"]
bits = [2, 3, 4, 5, 6, 8]
group_sizes = [32, 64, 128]
"""


class StudyError(Exception):
    """The program refused a step that every study needs."""


class Size(NamedTuple):
    """Of the uniform checkpoint whose bytes other plans may take."""
    bits: int
    group_size: int

    def __str__(self):
        return f"{self.bits} bits, {self.group_size}"


class Method(NamedTuple):
    """A way to plan: its name in tables and the options of `moesweep allocate` that make it."""
    name: str
    options: tuple


UNIFORM = Method("uniform", ())
BUDGET = Method("budget", ())
SWAN = Method("swan", ("--method", "swan"))


class Outcome(NamedTuple):
    """Of one plan on one text. Arrays have a value for each window."""
    bytes: int
    bits_per_weight: float
    kl: numpy.ndarray
    loss: numpy.ndarray
    equal_top: numpy.ndarray


def binary():
    """MOESWEEP, else the build that README's commands make."""
    root = pathlib.Path(__file__).resolve().parents[2]
    return os.environ.get("MOESWEEP") or str(root / "build/release/bin/moesweep")


def moesweep(*arguments):
    """Standard output of the program; StudyError with what it says when it refuses."""
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise StudyError(done.stderr.strip() or f"moesweep {arguments[0]} ended with {done.returncode}")
    return done.stdout


def hash_of_weights(folder):
    """Of config.json and all weights: a model that was trained again in its folder is another one."""
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for path in checkpoint.weight_files(folder):
        with open(path, "rb") as file:
            while block := file.read(1 << 24):
                digest.update(block)
    return digest.hexdigest()[:12]


def hash_of(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:24]


class Study:
    """One model and one text. `run` is a finished sweep of the model with `affine`; without it the study makes one, of what
    all methods need or of `metrics` alone (["error"] will do for all but SWAN)."""

    def __init__(self, model, windows, work, run=None, metrics=("moments", "noise", "error", "spectrum")):
        self.model, self.windows, self.work = pathlib.Path(model), numpy.asarray(windows), pathlib.Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self._weights = hash_of_weights(self.model)
        self.run = pathlib.Path(run) if run else self._sweep(list(metrics))
        self._text = hash_of(self.windows.tolist())
        self._reference = None

    def _sweep(self, metrics):
        run, job = self.work / f"run-{self._weights}", self.work / "job.toml"
        job.write_text(JOB.format(path=json.dumps(str(self.model.resolve())), metrics=json.dumps(metrics)))
        if not (run / "results.h5").exists():
            moesweep("run", job, "--run-dir", run, "--quiet")
        return run

    @property
    def measured(self):
        """Folder of the values of plans of these weights."""
        return self.work / f"measured-{self._weights}"

    @property
    def reference(self):
        if self._reference is None:
            self._reference = evaluation.Reference(self.model, self.windows, self.work)
        return self._reference

    def close(self):
        if self._reference is not None:
            self._reference.__exit__()

    def plan(self, method, size, target=None):
        """The plan file and what allocate reports of it; None when the method has no plan of that size.

        `target`: bytes, headers included; without it the uniform plan of `size`.
        """
        path = self.work / "plan.json"
        options = ("--method", "uniform", "--bits", size.bits, "--group-size", size.group_size)
        if target is not None:
            options = (*method.options, "--target", f"{target}B")
            if method.options[:2] == SWAN.options:
                options += ("--group-size", size.group_size)
        try:
            report = json.loads(moesweep("allocate", self.run, "--for", "mlx", "--json", "--out", path, "--overwrite", *options))
        except StudyError as error:
            if "below what is possible" in str(error):
                return None
            raise
        return path, report

    def measure(self, plan, report):
        """The Outcome of a plan that is written, measured and removed, or was before."""
        rows = json.loads(plan.read_text())["rows"]
        stored = [(row["tensor"], row["action"], row["quantizer"], row["bits"], row["group_size"]) for row in rows]
        kept = self.measured / f"{hash_of(stored)}-{self._text}.npz"
        if not kept.exists():
            self.measured.mkdir(exist_ok=True)
            self._write_and_measure(plan, kept)
        values = numpy.load(kept)
        return Outcome(report["bytes"], report["without_headers"]["bits_per_weight"], values["kl"], values["loss"],
                       values["equal_top"])

    def _write_and_measure(self, plan, kept):
        out = self.work / "written"
        shutil.rmtree(out, ignore_errors=True)
        moesweep("quantize", self.run, out, "--plan", plan, "--to", "mlx", "--quiet")
        found = self.reference.measure(checkpoint.load(out))
        temporary = kept.with_suffix(".tmp.npz")
        numpy.savez(temporary, kl=found.kl, loss=found.loss, equal_top=found.equal_top)
        temporary.replace(kept)
        shutil.rmtree(out)

    def outcomes(self, size, methods):
        """Outcome by name of method at the bytes of uniform `size`; without methods that have no such plan."""
        path, report = self.plan(UNIFORM, size)
        found = {UNIFORM.name: self.measure(path, report)}
        for method in methods:
            planned = self.plan(method, size, report["bytes"])
            if planned is not None:
                found[method.name] = self.measure(*planned)
        return found


def windows_of(model, source, count, length):
    """Windows [count, length] of a text file or .npy of token ids."""
    ids = tokens.read_ids(source) if str(source).endswith(".npy") else tokens.encode(source, model)
    return tokens.spread(ids, count, length)
