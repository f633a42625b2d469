"""doctor: traps are named with their remedy; --calibrate gives a profile that plan takes, or one line that says why not."""
import json
import signal
import unittest

from cli import BAD_INPUT, BAD_USAGE, COMPLETE, RUN_DIRECTORY, USE_LITE, CliTest, moesweep

RATES = ("read_bytes_per_second_node", "gram_flops_per_core", "round_trips_per_second_core",
         "moments_per_second_core", "unit_overhead_seconds")


class Examination(CliTest):
    def examine(self, code=COMPLETE, ranks=None, options=(), **more):
        done = moesweep("doctor", "--json", "--run-dir", self.folder / "new/run", *options, ranks=ranks, **more)
        self.assert_ends(done, code)
        return {check["name"]: check for check in json.loads(done.stdout)}

    def assert_found(self, checks, name, verdict, *named):
        self.assertEqual(checks[name]["verdict"], verdict, checks[name])
        for text in named:
            self.assertIn(text, checks[name]["found"] + checks[name]["remedy"])
        self.assertEqual(bool(checks[name]["remedy"]), verdict != "ok")

    def test_a_sound_place_is_ok_and_nothing_is_left_there(self):
        with self.unchanged(self.folder):
            checks = self.examine()
        for name in ("MPI world", "MPI", "affinity", "signals", "HDF5", "exclusive link", "fsync and rename"):
            self.assert_found(checks, name, "ok")

    def test_a_table_has_a_line_a_check(self):
        done = moesweep("doctor", "--run-dir", self.folder)
        self.assert_ends(done, COMPLETE)
        self.assertEqual(len(done.stdout.splitlines()), len(self.examine()) + 1)

    def test_ranks_are_counted_against_slurm(self):
        self.assert_found(self.examine(ranks=2, env={"SLURM_NTASKS": "2"}), "MPI world", "ok", "2 ranks")
        done = moesweep("doctor", "--json", ranks=2, env={"SLURM_NTASKS": "3"})
        self.assertEqual(done.returncode, BAD_USAGE)
        self.assertIn("2 ranks, Slurm has 3 tasks", done.stdout)

    def test_tasks_without_mpi_are_found(self):
        self.assert_found(self.examine(BAD_USAGE, env={"SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS": "4"}), "MPI world",
                          "fail", "srun --mpi=pmix")
        self.assert_found(self.examine(env={"SLURM_JOB_NUM_NODES": "2", "SLURM_NTASKS_PER_NODE": "2"}), "MPI world",
                          "warn", "4 tasks", "mpirun")

    def test_fewer_cpus_than_given_are_found(self):
        self.assert_found(self.examine(env={"SLURM_CPUS_PER_TASK": "4096"}), "affinity", "warn", "4096", "--bind-to none")
        self.assert_found(self.examine(options=("--threads", "4096")), "affinity", "warn", "4096 threads")

    def test_blocked_signals_are_found(self):
        checks = self.examine(BAD_USAGE, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}))
        self.assert_found(checks, "signals", "fail", "blocked: USR2")

    def test_a_place_that_cannot_be_written_is_found(self):
        done = moesweep("doctor", "--json", "--run-dir", "/proc/sys")
        self.assert_ends(done, RUN_DIRECTORY)
        self.assertIn("/proc/sys", done.stdout)

    def test_memory_is_no_place_for_results(self):
        done = moesweep("doctor", "--run-dir", "/dev/shm")
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stdout, "warn +file system +tmpfs")


class Calibration(CliTest):
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

    def test_a_profile_is_not_written_over_another_file_nor_into_a_missing_folder(self):
        job = self.job()
        before = job.read_bytes()
        measure = ("doctor", "--calibrate", "--read", USE_LITE, "--threads", "1", "--out")
        self.assert_refused(moesweep(*measure, job), BAD_USAGE, job, "is not a cluster profile")
        self.assertEqual(job.read_bytes(), before)
        missing = self.folder / "missing"
        self.assert_refused(moesweep(*measure, missing / "node.toml"), BAD_USAGE, missing,
                            "is not a folder; create it first")

    def test_what_to_measure_has_to_be_named(self):
        self.assert_refused(moesweep("doctor", "--read", USE_LITE), BAD_USAGE, "--calibrate")
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
