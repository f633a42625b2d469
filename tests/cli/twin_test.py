"""A written twin and the one that is swept without writing it are the same weights."""
import subprocess
import unittest

from sweep_case import SweepCase
from sweeps import COMPLETE, Job, Result, binary, environment, write_one_layer_inventory


class Twin(SweepCase):
    def setUp(self):
        super().setUp()
        self.inventory = write_one_layer_inventory(self.folder / "inventory.csv")

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
