"""plan --cluster, --ranks and --sweep: one forecast a machine, from the profile that was named."""
import json
import os
import unittest

from cli import BAD_JOB, BAD_USAGE, COMPLETE, CliTest, moesweep

CLUSTER = """schema = 1
name = "c"
nodes = 2
tasks_per_node = 2
cpus_per_task = 3
memory_per_task = "4GiB"
launcher = "srun"
[rates]
unit_overhead_seconds = {overhead}
"""


class Plan(CliTest):
    def cluster(self, overhead=1.0):
        path = self.folder / f"cluster-{overhead}.toml"
        path.write_text(CLUSTER.format(overhead=overhead))
        return path

    def plan(self, *more):
        done = moesweep("plan", self.job(), "--json", *more)
        self.assert_ends(done, COMPLETE)
        return json.loads(done.stdout)

    def test_without_a_cluster_nothing_is_simulated(self):
        document = self.plan("--threads", "2")
        self.assertNotIn("forecast", document)
        self.assertGreaterEqual(document["makespan_seconds_estimate"], document["core_seconds_estimate"] / 2)

    def test_a_profile_that_names_no_rates_is_as_fast_as_none(self):
        silent = self.folder / "silent.toml"
        silent.write_text(CLUSTER.split("[rates]")[0].replace("nodes = 2", "nodes = 1")
                          .replace("tasks_per_node = 2", "tasks_per_node = 1"))
        with_profile = self.plan("--cluster", silent, "--threads", "2")
        without = self.plan("--threads", "2")
        self.assertEqual(with_profile["core_seconds_estimate"], without["core_seconds_estimate"])
        simulated = self.plan("--cluster", silent, "--threads", "2", "--sweep", "1,3")["scaling"]
        self.assertEqual(simulated, self.plan("--threads", "2", "--sweep", "1,3")["scaling"])

    def test_without_options_it_reckons_with_what_run_would_use_here(self):
        document = self.plan()
        cpus = len(os.sched_getaffinity(0))
        self.assertEqual((document["ranks"], document["threads"]), (1, cpus))
        self.assertGreater(document["memory_bytes_of_a_rank"], 1 << 20)
        self.assertLessEqual(document["memory_bytes_of_a_rank"],
                             0.8 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        one = json.loads(moesweep("plan", self.job(), "--json", "--set", "resources.threads=1").stdout)
        self.assertEqual(one["threads"], 1)
        text = moesweep("plan", self.job()).stdout
        self.assertRegex(text, rf"(?m)^estimate +\S.* on 1 rank x {cpus} threads$")
        self.assertRegex(text, r"(?m)^assumed +\S+ \w+ of memory a rank, as `run` here: 80 % of [^;]+; cautious default rates")

    def test_limits_of_slurm_are_seen_and_named(self):
        for env, limit, source in (({"SLURM_MEM_PER_NODE": "64"}, 64, "SLURM_MEM_PER_NODE"),
                                   ({"SLURM_MEM_PER_CPU": "12", "SLURM_CPUS_ON_NODE": "4"}, 48, "SLURM_MEM_PER_CPU x 4 CPUs")):
            document = json.loads(moesweep("plan", self.job(), "--json", env=env).stdout)
            self.assertEqual(document["memory_bytes_of_a_rank"], (limit << 20) // 10 * 8)
            self.assertEqual(document["memory_of_a_rank_from"], f"80 % of {limit}.00 MiB ({source})")
        few = {"SLURM_MEM_PER_NODE": "1"}
        for done in (moesweep("plan", self.job(), env=few), moesweep("run", self.job(), "--run-dir", self.folder / "run", env=few)):
            self.assert_refused(done, BAD_JOB, "of memory, a rank may use", "80 % of 1.00 MiB (SLURM_MEM_PER_NODE)")
        asked = json.loads(moesweep("plan", self.job(), "--json", "--set", "resources.memory=1GiB", env=few).stdout)
        self.assertEqual((asked["memory_bytes_of_a_rank"], asked["memory_of_a_rank_from"]), (1 << 30, "resources.memory"))

    def test_a_unit_beyond_the_memory_of_the_job_is_refused_as_by_run(self):
        done = moesweep("plan", self.job(), "--set", "resources.memory=1MiB")
        self.assert_refused(done, BAD_JOB, "resources.memory")

    def test_a_cluster_is_planned_for_as_a_whole(self):
        forecast = self.plan("--cluster", self.cluster())["forecast"]
        self.assertEqual((forecast["ranks"], forecast["threads"]), (4, 3))
        self.assertGreaterEqual(forecast["makespan_seconds"], forecast["lower_bound_seconds"])
        self.assertGreater(forecast["lower_bound_seconds"], 0)
        self.assertLessEqual(forecast["recommended"]["ranks"], 4)

    def test_ranks_and_threads_that_were_asked_for_are_simulated(self):
        forecast = self.plan("--cluster", self.cluster(), "--ranks", "3", "--threads", "2")["forecast"]
        self.assertEqual((forecast["ranks"], forecast["threads"]), (3, 2))

    def test_rates_are_those_of_the_profile(self):
        slow, fast = (self.plan("--cluster", self.cluster(overhead))["core_seconds_estimate"]
                      for overhead in (2.0, 1.0))
        units = self.plan()["units"]
        self.assertAlmostEqual(slow - fast, units, delta=1e-6 * units)

    def test_sweep_has_one_row_a_number_of_ranks_and_no_row_beats_its_bound(self):
        rows = self.plan("--cluster", self.cluster(), "--sweep", "1,2,4")["scaling"]
        self.assertEqual([row["ranks"] for row in rows], [1, 2, 4])
        for row in rows:
            self.assertGreaterEqual(row["makespan_seconds"], row["lower_bound_seconds"])
        self.assertLess(rows[2]["makespan_seconds"], rows[0]["makespan_seconds"])

    def test_the_same_plan_twice_is_the_same_text(self):
        for more in (["--sweep", "1,4"], ["--ranks", "4"]):
            texts = [moesweep("plan", self.job(), "--cluster", self.cluster(), *more).stdout for _ in range(2)]
            self.assertEqual(texts[0], texts[1])
            self.assertIn("efficiency" if more[0] == "--sweep" else "recommended", texts[0])

    def test_numbers_of_ranks_that_are_none_are_refused(self):
        for more in (["--ranks", "0"], ["--threads", "-1"], ["--sweep", "1,0"], ["--sweep", "1,two"]):
            with self.subTest(more):
                self.assert_refused(moesweep("plan", self.job(), *more), BAD_USAGE, more[0])

    def test_a_profile_that_is_missing_or_wrong_is_refused_by_name(self):
        missing = self.folder / "missing.toml"
        self.assert_refused(moesweep("plan", self.job(), "--cluster", missing), BAD_JOB, missing)
        wrong = self.cluster(overhead='"fast"')
        self.assert_refused(moesweep("plan", self.job(), "--cluster", wrong), BAD_JOB, "unit_overhead_seconds")

    def test_a_unit_beyond_the_memory_of_a_task_is_refused_by_name(self):
        small = self.folder / "small.toml"
        small.write_text(CLUSTER.format(overhead=1.0).replace("4GiB", "2MiB"))
        self.assert_refused(moesweep("plan", self.job(), "--cluster", small), BAD_JOB, "sensitivity/")


if __name__ == "__main__":
    unittest.main()
