"""A sweep with resources.memory = "1GiB" on tensors larger than that stays under 1.3 GiB, rank by rank.

Peak memory is VmHWM of /proc/<pid>/status, looked at until each rank has ended.
"""
import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest

import numpy as np
from cli import BAD_JOB, COMPLETE, CliTest, command, moesweep

GIB = 1 << 30
LIMIT_BYTES = int(1.3 * GIB)
LONG, SHORT = 2_300_000, 256  # 1.1 GiB in BF16
PATTERN_BYTES = 64 << 20
STRIPE_BYTES = 64 << 20  # what is read at a time of a matrix wider than tall


def write_header(file, tensors):
    """`tensors`: name to shape, BF16. Returns the bytes of data that must follow."""
    header, offset = {}, 0
    for name, shape in tensors.items():
        end = offset + 2 * shape[0] * shape[1]
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    file.write(len(text).to_bytes(8, "little") + text)
    return offset


def bf16_noise():
    """Any sign and mantissa, four exponents around 2^-6."""
    bits = np.random.default_rng(5).integers(0, 1 << 16, PATTERN_BYTES // 2, np.uint16)
    return ((bits & 0x81FF) | 0x3C00).tobytes()


def write_checkpoint(path):
    pattern = bf16_noise()
    with open(path, "wb") as file:
        left = write_header(file, {"tall.weight": [LONG, SHORT], "wide.weight": [SHORT, LONG]})
        while left > 0:
            left -= file.write(pattern[:left])


def ranks_below(pid):
    """The process itself, or the ranks that a launcher has started."""
    def is_rank(candidate):
        try:
            return os.readlink(f"/proc/{candidate}/exe") == os.path.realpath(os.environ["MOESWEEP"])
        except OSError:
            return False

    tree, found = [pid], []
    while tree:
        parent = tree.pop()
        if is_rank(parent):
            found.append(parent)
            continue  # its children are not ranks: one reads HDF5 files
        try:
            children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        tree += [int(child) for child in children.split()]
    return found


def high_water_bytes(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


class PeakMemory(CliTest):
    @classmethod
    def setUpClass(cls):
        cls.scratch = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"moesweep-memory-{os.getpid()}"
        cls.scratch.mkdir()
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.checkpoint = cls.scratch / "large.safetensors"
        write_checkpoint(cls.checkpoint)

    def large_job(self, checkpoint):
        job = self.job(checkpoint)
        job.write_text(job.read_text() + '[sensitivity]\nquantizers = ["affine"]\nbits = [4]\ngroup_sizes = [64]\n'
                                         '[resources]\nmemory = "1GiB"\n')
        return job

    def sweep_watched(self, ranks, threads):
        """High-water mark of each rank, and the seconds it took."""
        run = self.folder / "run"
        began = time.monotonic()
        sweep = subprocess.Popen(command("run", self.large_job(self.checkpoint), "--run-dir", run,
                                         "--threads", threads, ranks=ranks),
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        marks = {}
        try:
            while sweep.poll() is None:
                for pid in ranks_below(sweep.pid):
                    marks[pid] = max(marks.get(pid, 0), high_water_bytes(pid))
                time.sleep(0.01)
            self.assertEqual(sweep.returncode, COMPLETE, sweep.stdout.read())
        finally:
            sweep.kill()
            sweep.communicate()
        return list(marks.values()), time.monotonic() - began, moesweep("verify", run).stdout

    def assert_under_the_limit(self, ranks, threads):
        marks, seconds, digest = self.sweep_watched(ranks, threads)
        print(f"{ranks or 1} ranks x {threads} threads: VmHWM {[f'{mark >> 20} MiB' for mark in marks]}, {seconds:.1f} s")
        self.assertEqual(len(marks), ranks or 1)
        self.assertGreater(max(marks), STRIPE_BYTES, "the wide tensor alone takes more: was anything watched?")
        for mark in marks:
            self.assertLess(mark, LIMIT_BYTES)
        return digest

    def test_tensors_larger_than_the_memory_are_measured_within_it(self):
        alone = self.assert_under_the_limit(None, 2)
        shutil.rmtree(self.folder / "run")
        self.assertEqual(self.assert_under_the_limit(2, 1), alone)

    def test_matrix_whose_gram_scratch_cannot_fit_is_refused_by_name(self):
        checkpoint = self.folder / "square.safetensors"
        with open(checkpoint, "wb") as file:
            data_bytes = write_header(file, {"huge.weight": [60_000, 60_000]})
            file.truncate(file.tell() + data_bytes)
        job, run = self.large_job(checkpoint), self.folder / "run"
        gram_bytes = 4 * 60_000 ** 2
        for arguments in (("plan", job), ("run", job, "--run-dir", run)):
            done = moesweep(*arguments)
            self.assert_refused(done, BAD_JOB, "huge.weight", "needs ", "GiB of memory", "resources.memory is 1.00 GiB")
            needed = float(done.stderr.split("needs ")[1].split(" GiB")[0])
            self.assertGreater(needed * GIB, gram_bytes)
        self.assertFalse(run.exists())


if __name__ == "__main__":
    unittest.main()
