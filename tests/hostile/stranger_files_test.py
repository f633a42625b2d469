"""Files that crash the HDF5 library, handed over as results.h5 and as caches: one line and exit 65.

The bytes are the seeds of tests/fuzz: a fuzzer found those named crash-*, with HDF5 1.10.8. The checksum in front of
results.h5 is made to fit, as who makes such a file would do; memory that is freed is filled, so that luck does not help."""
import ctypes
import ctypes.util
import shutil
import unittest

from cli import BAD_INPUT, SOURCE, CliTest, moesweep

CORPUS = SOURCE / "tests/fuzz/corpus"
FILLED = {"MALLOC_PERTURB_": "165"}


class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def sealed(contents):
    """Behind the 512 bytes that a results.h5 of these contents begins with."""
    library = ctypes.CDLL(ctypes.util.find_library("xxhash") or "libxxhash.so.0")
    library.XXH3_128bits.restype = Hash128
    made = library.XXH3_128bits(contents, ctypes.c_size_t(len(contents)))
    block = f"moesweep results 1\nbytes {len(contents)}\nxxh3-128 {made.high:016x}{made.low:016x}\n"
    return block.encode().ljust(512, b"\0") + contents


class StrangerFiles(CliTest):
    def assert_one_line(self, done, place):
        self.assert_refused(done, BAD_INPUT, place)

    def heads_job(self):
        job = self.folder / "heads.toml"
        job.write_text(f'schema = 1\nkind = "heads"\n[cache]\ndir = "{self.folder}"\nvariants = ["v"]\nbaseline = "v"\n'
                       '[heads]\nlayers = ["L1"]\npooling = ["mean"]\nepochs = 1\nseeds = { first = 0, count = 1 }\n')
        return job

    def test_results_that_crash_hdf5_cost_one_line(self):
        run = self.sweep()
        for stranger in sorted((CORPUS / "results").glob("crash-*")):
            (run / "results.h5").write_bytes(sealed(stranger.read_bytes()))
            for command in (("export", run, self.folder / "out", "--to", "csv"), ("verify", run),
                            ("allocate", run, "--target", "8bpw", "--out", self.folder / "plan.json")):
                with self.subTest(stranger=stranger.name, command=command[0]):
                    done = moesweep(*command, env=FILLED)
                    self.assertEqual(done.returncode, BAD_INPUT, done.stderr)
                    self.assertRegex(done.stderr, r"\A(moesweep: [^\n]+\n)+\Z")
                    self.assertIn("results.h5", done.stderr)

    def test_caches_that_crash_hdf5_cost_one_line(self):
        job = self.heads_job()
        for stranger in sorted((CORPUS / "hidden_cache").glob("crash-*")):
            shutil.copyfile(stranger, self.folder / "v.h5")
            with self.subTest(stranger=stranger.name):
                self.assert_one_line(moesweep("run", job, "--run-dir", self.folder / "run", env=FILLED), "v.h5")
                self.assertFalse((self.folder / "run").exists())

    def test_ranks_are_told_alike(self):
        stranger = min((CORPUS / "hidden_cache").glob("crash-*"))
        shutil.copyfile(stranger, self.folder / "v.h5")
        job = self.heads_job()
        done = moesweep("run", job, "--run-dir", self.folder / "run", ranks=2, env=FILLED)
        self.assertEqual(done.returncode, BAD_INPUT, done.stderr)
        self.assertEqual(done.stderr.count("v.h5"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
