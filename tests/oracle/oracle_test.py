"""What a whole sweep writes to results.h5, against the numpy recomputation of sensitivity_oracle.py."""
import pathlib
import subprocess
import sys
import unittest

import h5py
from cli import USE_LITE, CliTest

HERE = pathlib.Path(__file__).parent


class Oracle(CliTest):
    def assert_agrees(self, checkpoint, run):
        """The oracle ends with 1 on a deviation, a missing row or a superfluous one."""
        done = subprocess.run([sys.executable, "-B", str(HERE / "sensitivity_oracle.py"), str(checkpoint),
                               str(run / "results.h5")], capture_output=True, text=True, timeout=250)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        verdict = done.stdout.splitlines()[-1]
        self.assertRegex(verdict, r"^OK: [1-9]\d* rows, [1-9]\d* columns, ")
        print(f"{checkpoint.name}: {verdict}")

    def hostile_checkpoint(self, *options):
        checkpoint = self.folder / "hostile.safetensors"
        subprocess.run([sys.executable, "-B", str(HERE / "make_hostile_checkpoint.py"), str(checkpoint), *options],
                       check=True, timeout=60)
        return checkpoint

    def test_real_checkpoint_agrees_with_numpy(self):
        self.assert_agrees(USE_LITE, self.sweep())

    def test_real_checkpoint_on_two_ranks_agrees_with_numpy(self):
        self.assert_agrees(USE_LITE, self.sweep(ranks=2))

    def test_hostile_matrices_agree_with_numpy(self):
        checkpoint = self.hostile_checkpoint()
        self.assert_agrees(checkpoint, self.sweep(self.job(checkpoint)))

    def test_hostile_matrices_on_two_ranks_agree_with_numpy(self):
        checkpoint = self.hostile_checkpoint("--nonfinite")
        run = self.sweep(self.job(checkpoint), "run", "--set", "checkpoint.nonfinite=skip", ranks=2)
        self.assert_agrees(checkpoint, run)

    def test_a_wrong_value_is_found(self):
        """The oracle has teeth: one distortion off by a part in ten thousand."""
        run = self.sweep()
        with h5py.File(run / "results.h5", "r+") as results:
            results["sensitivity/distortion/nrmse"][0] *= 1.0001
        with self.assertRaises(AssertionError):
            self.assert_agrees(USE_LITE, run)


if __name__ == "__main__":
    unittest.main()
