"""What `moesweep quantize` writes of tiny-moe is read bit for bit, and has the figures of tests/data/tiny-moe/README.md."""
import pathlib
import subprocess
import tempfile
import unittest

import numpy

import checkpoint
import evaluation
import sweeps
import tokens
import written_checkpoints

TINY = pathlib.Path(__file__).resolve().parents[1] / "data" / "tiny-moe"
JOB = """
schema = 1
name = "tiny-moe"
kind = "sensitivity"
[checkpoint]
path = "{path}"
[sensitivity]
metrics = ["error"]
quantizers = ["affine"]
"""


def moesweep(*arguments):
    subprocess.run([sweeps.binary(), *map(str, arguments), "--quiet"], check=True, env=sweeps.environment())


class Written(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        job = cls.folder / "job.toml"
        job.write_text(JOB.format(path=TINY))
        moesweep("run", job, "--run-dir", cls.folder / "run", "--threads", 2)

    def write(self, bits, group, to):
        """The folder of a checkpoint with one format for every matrix."""
        plan, out = self.folder / f"{bits}-{group}.json", self.folder / f"{bits}-{group}-{to}"
        moesweep("allocate", self.folder / "run", "--method", "uniform", "--bits", bits, "--group-size", group,
                 "--for", "mlx", "--out", plan)
        moesweep("quantize", self.folder / "run", out, "--plan", plan, "--to", to, "--threads", 1)
        return out

    def test_EveryWidthIsWhatTheDequantizedCheckpointHolds(self):
        for bits, group in ((2, 32), (3, 64), (4, 128), (5, 32), (6, 64), (8, 128)):
            packed, plain = (checkpoint.load(self.write(bits, group, to)).weights for to in ("mlx", "dequantized"))
            for name, module, expert in (("lm_head.weight", "lm_head.weight", ...),
                                         ("model.layers.2.mlp.experts.7.down_proj.weight",
                                          "model.layers.2.mlp.switch_mlp.down_proj.weight", 7)):
                with self.subTest(bits=bits, group=group, name=name):
                    found = written_checkpoints.to_bf16(packed[module][expert])
                    self.assertTrue(numpy.array_equal(found, plain[name]))

    def test_FiguresOfTheReadme(self):
        out = self.write(4, 64, "mlx")
        windows = tokens.spread(tokens.encode(TINY / "text-development.txt", TINY), 96, 256)
        with evaluation.Reference(TINY, windows) as reference:
            found = reference.measure(out)
        self.assertEqual(found.weight_bytes, 5_849_896)
        self.assertAlmostEqual(reference.loss.mean(), 0.9212, delta=5e-5)
        self.assertAlmostEqual(found.kl.mean(), 0.0038, delta=5e-5)
        self.assertAlmostEqual(found.equal_top.mean(), 0.968, delta=1e-3)


if __name__ == "__main__":
    unittest.main()
