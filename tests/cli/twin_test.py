"""A written twin and the one that is swept without writing it are the same weights."""
import pathlib
import subprocess
import unittest

from sweep_case import SweepCase
from sweeps import COMPLETE, Job, Result, binary, environment

INVENTORY = pathlib.Path(__file__).parent.parent / "data" / "qwen35-397b-inventory.csv"
LAYER = "model.language_model.layers.0."


class Twin(SweepCase):
    def setUp(self):
        super().setUp()
        lines = INVENTORY.read_text().splitlines(keepends=True)
        self.inventory = self.folder / "inventory.csv"
        self.inventory.write_text(lines[0] + "".join(line for line in lines if line.startswith(LAYER)))

    def write_twin(self, out, scale):
        done = subprocess.run([binary(), "twin", self.inventory, out, "--scale", str(scale), "--seed", "3"],
                              capture_output=True, text=True, env=environment(), check=False, timeout=300)
        return Result(done.returncode, done.stdout, done.stderr)

    def job_of_twin(self, scale):
        job = Job(self.folder, "unwritten", "unused")
        text = job.file.read_text().replace('path = "unused"',
                                            f'twin = {{ inventory = "inventory.csv", scale = {scale}, seed = 3 }}')
        job.file.write_text(text)
        return job

    def test_WrittenAndUnwrittenHaveOneDigest(self):
        self.assert_ended(self.write_twin(self.folder / "twin", 64), COMPLETE)
        digest = Job(self.folder, "written", self.folder / "twin").sweep("written").run_to_digest(ranks=2)
        self.assertEqual(self.job_of_twin(64).sweep("unwritten").run_to_digest(), digest)

    def test_AnotherSeedOrScaleIsAnotherJob(self):
        job = self.job_of_twin(64)
        job.sweep("run").run_to_digest()
        for setting in ("checkpoint.twin.seed=4", "checkpoint.twin.scale=32"):
            refused = job.sweep("run").run(options=("--set", setting))
            self.assertEqual(refused.code, 73, refused.err)
            self.assertIn("twin", refused.err)


if __name__ == "__main__":
    unittest.main()
