"""doctor --calibrate: a profile that plan takes, or one line that says why there is none."""
import json
import unittest

from cli import BAD_INPUT, BAD_USAGE, COMPLETE, USE_LITE, CliTest, moesweep

RATES = ("read_bytes_per_second_node", "gram_flops_per_core", "round_trips_per_second_core",
         "moments_per_second_core", "unit_overhead_seconds")


class Doctor(CliTest):
    def test_calibrated_profile_is_what_plan_reckons_with(self):
        profile = self.folder / "node.toml"
        done = moesweep("doctor", "--calibrate", "--read", USE_LITE, "--out", profile, "--threads", "2", "--json")
        self.assert_ends(done, COMPLETE)
        measured = json.loads(done.stdout)
        self.assertEqual(measured["threads"], 2)
        for rate in RATES:
            self.assertGreater(measured[rate], 0, rate)
            self.assertIn(f"{rate} = {measured[rate]:.3e}", profile.read_text())
        planned = moesweep("plan", self.job(), "--cluster", profile, "--json")
        self.assert_ends(planned, COMPLETE)
        self.assertEqual(json.loads(planned.stdout)["forecast"]["threads"], 2)

    def test_what_to_measure_has_to_be_named(self):
        self.assert_refused(moesweep("doctor"), BAD_USAGE, "--calibrate")
        self.assert_refused(moesweep("doctor", "--calibrate"), BAD_USAGE, "--read")

    def test_unknown_option_is_refused_by_name(self):
        done = moesweep("doctor", "--calibrate", "--read", USE_LITE, "--bogus")
        self.assert_refused(done, BAD_USAGE, "--bogus")

    def test_nothing_to_read_is_refused_and_writes_no_profile(self):
        empty = self.folder / "empty"
        empty.mkdir()
        for path in (empty, self.folder / "missing"):
            with self.subTest(path):
                profile = self.folder / "node.toml"
                done = moesweep("doctor", "--calibrate", "--read", path, "--out", profile)
                self.assert_refused(done, BAD_INPUT, path)
                self.assertFalse(profile.exists())


if __name__ == "__main__":
    unittest.main()
