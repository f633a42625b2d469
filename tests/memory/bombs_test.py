"""Files that unpack to far more than they are, or declare it, stay under a stated memory; out of memory is said as such.

Peak memory is the kernel's account of the program (ru_maxrss) and of what it has started."""
import itertools
import json
import os
import resource
import subprocess
import unittest
import zipfile
import zlib

import h5py
import numpy as np

from cli import BAD_INPUT, BAD_JOB, COMPLETE, IO_ERROR, SOME_FAILED, CliTest, command, moesweep

MIB = 1 << 20
READER_BYTES = 1 << 30  # docs/hidden-caches.md
SAMPLES = 64


def npy_header(shape, descr="<f4"):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def write_zeros(archive, name, shape, descr, item_bytes):
    """As .npy without its data in memory."""
    left, zeros = int(np.prod(shape)) * item_bytes, bytes(MIB)
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        member.write(npy_header(shape, descr))
        while left:
            left -= member.write(zeros[:left])


def packed_zeros(count):
    packer, zeros = zlib.compressobj(1), bytes(MIB)
    packed = [packer.compress(zeros[:min(MIB, count - at)]) for at in range(0, count, MIB)]
    return b"".join(packed) + packer.flush()


class Bombs(CliTest):
    def peak(self, *arguments):
        """Exit code, stderr and the largest resident set of the program and its readers."""
        process = subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        stderr = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        return process.returncode, stderr, usage.ru_maxrss * 1024

    def npz(self, states=(SAMPLES, 8), labels=None):
        path = self.folder / "bomb.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, values in (("labels", np.arange(states[0]) % 2), ("split", np.arange(states[0]) % 3)):
                if name == "labels" and labels:
                    write_zeros(archive, name, labels, "|i1", 1)
                    continue
                with archive.open(f"{name}.npy", "w") as member:
                    np.save(member, values.astype("i1"))
            write_zeros(archive, "L1/mean", states, "<f4", 4)
        return path

    def test_archive_that_unpacks_to_half_a_gigabyte_is_imported_in_pieces(self):
        source = self.npz(states=(SAMPLES, 1 << 21))
        self.assertLess(source.stat().st_size, 16 * MIB)
        code, stderr, peak = self.peak("import-cache", source, self.folder / "v.h5")
        self.assertEqual((code, stderr), (COMPLETE, ""))
        with h5py.File(self.folder / "v.h5") as cache:
            self.assertEqual(cache["L1/mean"].shape, (SAMPLES, 1 << 21))
        print(f"512 MiB of states imported with {peak // MIB} MiB")
        self.assertLess(peak, 256 * MIB)

    def test_rows_and_samples_beyond_any_use_are_refused_before_they_are_read(self):
        for bomb, named in (({"states": (4, 1 << 25)}, "at most 16777216 are written"),
                            ({"labels": (1 << 28,)}, "at most 33,554,432 are read")):
            code, stderr, peak = self.peak("import-cache", self.npz(**bomb), self.folder / "v.h5")
            self.assertEqual(code, BAD_INPUT, stderr)
            self.assertIn(named, stderr)
            self.assertLess(peak, 128 * MIB)
            self.assertEqual(list(self.folder.glob("*.h5")) + list(self.folder.glob(".tmp*")), [])

    def cache(self, shape, chunks):
        folder = self.folder / "caches"
        folder.mkdir(exist_ok=True)
        with h5py.File(folder / "v.h5", "w") as file:
            file["labels"], file["split"] = np.arange(SAMPLES) % 2, np.arange(SAMPLES) % 3
            file["sample_id"] = np.array([b"%d" % i for i in range(SAMPLES)])
            file.attrs["label_names"] = "APPROVE,VETO"
            states = file.create_dataset("L1/mean", shape=shape, chunks=chunks, dtype="f4", compression="gzip", shuffle=True)
            packed = packed_zeros(4 * int(np.prod(chunks)))
            for corner in itertools.product(*(range(0, side, step) for side, step in zip(shape, chunks))):
                states.id.write_direct_chunk(corner, packed)
        return folder

    def heads_job(self, caches, memory):
        path = self.folder / "heads.toml"
        path.write_text(f'schema = 1\nkind = "heads"\n[cache]\ndir = "{caches}"\nvariants = ["v"]\nbaseline = "v"\n[heads]\n'
                        f'layers = ["L1"]\npooling = ["mean"]\nepochs = 1\nseeds = {{ first = 0, count = 1 }}\n'
                        f'[resources]\nmemory = "{memory}"\n')
        return path

    def test_cache_whose_chunks_unpack_to_half_a_gigabyte_is_bounded_by_the_jobs_memory(self):
        caches = self.cache(shape=(SAMPLES, 1 << 21), chunks=(1, 1 << 18))
        self.assertLess((caches / "v.h5").stat().st_size, 16 * MIB)
        code, stderr, peak = self.peak("run", self.heads_job(caches, "256MiB"), "--run-dir", self.folder / "run", "-q")
        self.assertEqual(code, BAD_JOB, stderr)
        self.assertIn("resources.memory is 256.00 MiB", stderr)
        print(f"512 MiB of states checked with {peak // MIB} MiB")
        self.assertLess(peak, 256 * MIB)

    def test_cache_of_chunks_larger_than_the_readers_memory_is_refused(self):
        caches = self.cache(shape=(SAMPLES, 9 << 19), chunks=(SAMPLES, 9 << 19))
        code, stderr, peak = self.peak("run", self.heads_job(caches, "64GiB"), "--run-dir", self.folder / "run", "-q")
        self.assertEqual(code, BAD_INPUT, stderr)
        self.assertRegex(stderr, r"takes more than 1.00 GiB to read")
        self.assertLess(peak, READER_BYTES + 256 * MIB)


class OutOfMemory(CliTest):
    LIMIT = 3 << 30

    def limited(self, *arguments, limit_bytes=LIMIT, ranks=None):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))

        done = moesweep(*arguments, ranks=ranks, preexec_fn=limit)
        self.assertNotIn("bug", done.stderr)
        self.assertEqual(list(self.folder.rglob(".tmp*")), [])
        return done

    def test_it_ends_with_74_and_what_was_asked_for(self):
        inventory = self.folder / "inventory.csv"
        with open(inventory, "wb") as file:
            file.truncate(1 << 30)  # the most that such a file may have
        done = self.limited("allocate", inventory, "--target", "4bpw", "--out", self.folder / "plan.json", limit_bytes=1 << 30)
        self.assert_refused(done, IO_ERROR, "out of memory: 1.00 GiB were asked for")

    def huge_job(self):
        checkpoint = self.folder / "square.safetensors"
        side = 40_000
        header = json.dumps({"huge.weight": {"dtype": "BF16", "shape": [side, side], "data_offsets": [0, 2 * side * side]}}).encode()
        with open(checkpoint, "wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(file.tell() + 2 * side * side)
        job = self.job(checkpoint)
        job.write_text(job.read_text() + '[sensitivity]\nquantizers = ["rtn"]\nbits = [4]\ngroup_sizes = [64]\n'
                                         '[resources]\nmemory = "60GiB"\n')
        return job

    def test_units_that_get_no_memory_fail_by_name_and_the_epoch_ends(self):
        for ranks in (None, 2):
            run = self.folder / f"run-{ranks}"
            done = self.limited("run", self.huge_job(), "--run-dir", run, "--threads", 1, "-q", ranks=ranks)
            self.assert_ends(done, SOME_FAILED)
            self.assertRegex(done.stderr, r"huge.weight.* out of memory: [0-9.]+ GiB were asked for")
            ended = json.loads((run / "lock/e0001.end.json").read_text())
            self.assertEqual(ended["exit_code"], SOME_FAILED)


if __name__ == "__main__":
    unittest.main()
