"""What the command line tests share: the binary, small checkpoints, job files, and what a refusal looks like."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import numpy as np

# What a batch system or launcher around the tests has left.
for name in [name for name in os.environ if name.startswith(("SLURM_", "PMI_", "PMIX_", "OMPI_COMM_"))]:
    del os.environ[name]

MOESWEEP = os.environ["MOESWEEP"]
SOURCE = pathlib.Path(os.environ["MOESWEEP_SOURCE"])
USE_LITE = SOURCE / "tests/data/use-lite"
MPIRUN = [os.environ["MOESWEEP_MPIEXEC"], os.environ["MOESWEEP_RANKS_FLAG"]]

COMPLETE, BAD_USAGE, BAD_INPUT, RUN_DIRECTORY, IO_ERROR = 0, 64, 65, 73, 74
STOPPED_EARLY, BAD_JOB, SOME_FAILED = 75, 78, 80


def command(*arguments, ranks=None):
    launcher = [] if ranks is None else [*MPIRUN, str(ranks)]
    return [*launcher, MOESWEEP, *map(str, arguments)]


# For what hangs. ctest says how many times as slow as usual the program is.
SECONDS = 120 * int(os.environ.get("MOESWEEP_TEST_SLOWDOWN", "1"))


def moesweep(*arguments, ranks=None, env=None, timeout=SECONDS, **options):
    return subprocess.run(command(*arguments, ranks=ranks), capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, **options)


def write_safetensors(path, tensors, header=None):
    """`tensors`: name to float32 array, or to (dtype, shape, bytes); `header` replaces the one they would have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    entries, data, offset = {}, [], 0
    for name, values in tensors.items():
        if isinstance(values, tuple):
            dtype, shape, raw = values
        else:
            dtype, shape, raw = "F32", values.shape, np.ascontiguousarray(values, "<f4").tobytes()
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(entries if header is None else header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data))


def random_matrices(count, rows, columns, seed=1):
    random = np.random.default_rng(seed)
    return {f"layers.{i}.weight": random.standard_normal((rows, columns), np.float32) for i in range(count)}


def segments(run):
    return {path.name: path.read_bytes() for path in (run / "segments").glob("*.h5")}


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {seconds} s")
        time.sleep(0.002)


class CliTest(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="moesweep-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def job(self, checkpoint=USE_LITE, more="", name="job.toml"):
        path = self.folder / name
        path.write_text(f'schema = 1\nkind = "sensitivity"\n{more}\n[checkpoint]\npath = "{checkpoint}"\n')
        return path

    def copy_of_use_lite(self):
        copy = self.folder / "checkpoint"
        copy.mkdir()
        for file in USE_LITE.iterdir():
            shutil.copyfile(file, copy / file.name)
        return copy

    def sweep(self, job=None, run="run", *more, ranks=None):
        """A complete run directory."""
        run = self.folder / run
        self.assert_ends(moesweep("run", job or self.job(), "--run-dir", run, *more, ranks=ranks), COMPLETE)
        return run

    def assert_ends(self, done, code):
        self.assertEqual(done.returncode, code, f"{done.args}\n{done.stdout}\n{done.stderr}")

    def assert_refused(self, done, code, *named):
        """One line on stderr, the exit code, nothing on stdout; the line names every text of `named`."""
        self.assert_ends(done, code)
        self.assertRegex(done.stderr, r"\Amoesweep: [^\n]+\n\Z")
        self.assertEqual(done.stdout, "")
        for text in named:
            self.assertIn(str(text), done.stderr)

    @contextlib.contextmanager
    def unchanged(self, *folders):
        """No file below `folders` changes, comes or goes."""
        def contents(folder):
            return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}

        before = [contents(folder) for folder in folders]
        yield
        for folder, then in zip(folders, before):
            now = contents(folder)
            self.assertEqual(set(now), set(then), f"files came or went in {folder}")
            changed = [path for path in now if now[path] != then[path]]
            self.assertEqual(changed, [], "these files changed")

    @contextlib.contextmanager
    def running(self, job, run):
        """A sweep that has the run directory and is stopped (SIGSTOP); killed at the end."""
        sweep = subprocess.Popen(command("run", job, "--run-dir", run, "--threads", "1"),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for((run / "events.jsonl").exists, "the start of the sweep")
            sweep.send_signal(signal.SIGSTOP)
            self.assertIsNone(sweep.poll())
            yield sweep
        finally:
            sweep.kill()
            sweep.wait()
