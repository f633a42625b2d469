"""Promise 5 on a real Slurm: one submission finds its own way to the end, with the digest of an undisturbed sweep.

Each class is a ctest entry with a Slurm of its own. Sizes follow from how fast this machine is: a sweep of
`seconds` is one that takes about that long here on four ranks.
"""
import collections
import json
import math
import pathlib
import re
import subprocess
import sys
import time
import unittest

import private_slurm
import processes
from sweep_case import SweepCase, remove, temporary_folder
from sweeps import COMPLETE, NO_PROGRESS, STOPPED, Job, Sweep, binary

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROFILE = SOURCE / "cluster/slurm-test.toml"
MARKED = re.compile(r"^<!-- test: on-your-cluster -->\n```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROWS = 1536
# After TERM a rank may lose what it computes (2 threads), and what it has computed but not published.
MOST_IN_FLIGHT = 2


class Submitted:
    """A sweep that was given to Slurm."""

    def __init__(self, slurm, sweep, job_id):
        self.slurm, self.sweep, self.id = slurm, sweep, job_id

    def log(self):
        return "".join(path.read_text(errors="replace") for path in (self.sweep.run_dir / "submit").glob("slurm-*.out"))

    def state(self):
        return self.slurm.job_state(self.id)

    def wait_for_state(self, *prefixes, seconds=120):
        return processes.wait_until(lambda: self.state().startswith(prefixes), f"{prefixes}, not {self.state()}: {self.log()}",
                                    seconds, 0.2)

    def wait_for_segments(self, count, seconds=120):
        processes.wait_until(lambda: len(self.sweep.segments()) >= count, f"{count} segments: {self.log()}", seconds, 0.05)

    def wait_for_restart(self, epochs, seconds=240):
        processes.wait_until(lambda: self.sweep.epochs() >= epochs, f"start {epochs}: {self.log()}", seconds, 0.2)

    def wait_for_end(self, seconds=900):
        """Until Slurm has nothing of it in the queue any more."""
        over = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
        processes.wait_until(lambda: not self.state() or self.state().startswith(over), f"the end: {self.log()}", seconds, 0.5)


class SlurmCase(SweepCase):
    @classmethod
    def setUpClass(cls):
        # Not super(): what Slurm's daemons leave behind is theirs to find, not this process's children.
        cls.shared = temporary_folder()
        cls.addClassCleanup(remove, cls.shared)
        cls.slurm = private_slurm.PrivateSlurm()
        cls.addClassCleanup(cls.slurm.stop)
        cls.slurm.start()
        cls.unit_seconds = cls.measure_unit_seconds()

    def wait_for_leftovers(self):
        self.slurm.run("scancel", "--user=root")
        processes.wait_until(lambda: not self.slurm.run("squeue", "-h").stdout, "an empty queue", 120, 0.5)

    @classmethod
    def measure_unit_seconds(cls):
        folder = cls.shared / "speed"
        folder.mkdir()
        sweep = Job.of_stack(folder, 16, ROWS, ROWS).sweep("run")
        begin = time.monotonic()
        sweep.run_to_digest(threads=2)
        return (time.monotonic() - begin) / 16

    def job_of(self, seconds):
        """A job that keeps this machine busy for about that long."""
        units = max(24, math.ceil(seconds / self.unit_seconds))
        return Job.of_stack(self.folder, units, ROWS, ROWS, flush_seconds=1.0)

    def profile(self, replacements=()):
        text = PROFILE.read_text()
        for before, after in replacements:
            self.assertIn(before, text)
            text = text.replace(before, after)
        path = self.folder / "profile.toml"
        path.write_text(text)
        return path

    def submit(self, job, replacements=(), name="run"):
        sweep = Sweep(job, self.folder / name)
        done = subprocess.run([binary(), "submit", str(job.file), "--cluster", str(self.profile(replacements)), "--run-dir",
                               str(sweep.run_dir), "--json"], capture_output=True, text=True, env=self.slurm.environment())
        self.assertEqual(done.returncode, COMPLETE, done.stderr)
        job_id = json.loads(done.stdout)["job_id"]
        return Submitted(self.slurm, sweep, job_id)

    def assert_complete(self, submitted):
        """Complete, every unit once, and equal to a sweep that nobody disturbed."""
        sweep = submitted.sweep
        status = sweep.ask("status", "--exit-code")
        self.assertEqual(status.code, COMPLETE, status.out + submitted.log())
        undisturbed = Sweep(sweep.job, self.folder / "undisturbed")
        digest = undisturbed.run_to_digest(threads=2)
        self.assert_each_unit_once(sweep, len(undisturbed.results()))
        self.assert_verifies(sweep, digest)

    def computed_twice(self, sweep):
        counts = collections.Counter(unit.id for unit in sweep.done())
        return [i for i, count in counts.items() if count > 1]


class Submission(SlurmCase):
    def test_one_submission_runs_to_the_end_on_four_nodes(self):
        job = self.job_of(5)
        submitted = self.submit(job, [('min_nodes = 3\n', '')], name="it's \"a\" $(touch pwned) # %j")
        submitted.wait_for_end()
        self.assert_complete(submitted)
        self.assertEqual({row.rank for row in submitted.sweep.results()}, {0, 1, 2, 3})
        self.assertEqual(submitted.sweep.epochs(), 1)
        self.assertTrue((submitted.sweep.run_dir / f"submit/slurm-{submitted.id}.out").exists())
        self.assertEqual(list(self.folder.rglob("pwned")), [])

    def test_several_ranks_a_node_on_a_range_of_nodes(self):
        submitted = self.submit(self.job_of(5), [("tasks_per_node = 1", "tasks_per_node = 2"),
                                                 ("cpus_per_task = 2", "cpus_per_task = 1")])
        submitted.wait_for_end()
        self.assert_complete(submitted)
        self.assertEqual([event["ranks"] for event in submitted.sweep.events("started")], [8])

    def test_scancel_is_the_end(self):
        job = self.job_of(60)
        submitted = self.submit(job, [('time = "1"', 'time = "10"')])
        submitted.wait_for_segments(1)
        self.slurm.run("scancel", submitted.id)
        submitted.wait_for_state("CANCELLED")
        time.sleep(15)  # a requeued job would be pending after the credential's lifetime
        self.assertTrue(submitted.state() == "" or submitted.state().startswith("CANCELLED"), submitted.state())


class Readme(SlurmCase):
    def test_its_commands_lead_to_a_finished_sweep(self):
        [block] = MARKED.findall((SOURCE / "README.md").read_text())
        for name in ("jobs", "cluster", "tests"):
            (self.folder / name).symlink_to(SOURCE / name)
        # What is different here: it is built already, and the profile is that of this Slurm.
        script = block.replace("scripts/build\n", "").replace("slurm-generic", "slurm-test")
        self.assertNotEqual(script, block)
        variables = self.slurm.environment()
        variables["PATH"] = f"{pathlib.Path(binary()).parent}:{variables['PATH']}"
        done = subprocess.run(["bash", "-euc", script], cwd=self.folder, env=variables, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, COMPLETE, done.stderr + done.stdout)
        self.assertRegex(done.stdout, "state +complete")
        self.assertRegex(done.stdout, "results digest [0-9a-f]{32}\n$")


class DisturbedCase(SlurmCase):
    def disturb(self, *command):
        job = self.job_of(40)
        submitted = self.submit(job, [('time = "1"', 'time = "10"')])
        submitted.wait_for_segments(2)
        self.slurm.run(*command, submitted.id)
        submitted.wait_for_restart(2)
        submitted.wait_for_end()
        self.assert_complete(submitted)
        return submitted


class Drain(DisturbedCase):
    def test_usr2_to_the_batch_shell_repeats_nothing(self):
        submitted = self.disturb("scancel", "--batch", "--signal=USR2")
        self.assertEqual(self.computed_twice(submitted.sweep), [])
        self.assertEqual(submitted.sweep.in_flight(epoch=1), set())


class Signals(DisturbedCase):
    def test_term_to_the_batch_shell_repeats_nothing(self):
        submitted = self.disturb("scancel", "--batch", "--signal=TERM")
        self.assertEqual(submitted.sweep.in_flight(epoch=1), set())

    def test_term_to_everything_repeats_at_most_what_was_in_flight(self):
        submitted = self.disturb("scancel", "--full", "--signal=TERM")
        self.assertLessEqual(len(submitted.sweep.in_flight(epoch=1)), 4 * MOST_IN_FLIGHT)

    def test_a_requeue_by_hand_is_survived(self):
        self.disturb("scontrol", "requeue")


class TimeLimit(SlurmCase):
    def test_a_sweep_longer_than_its_limit_completes_and_repeats_nothing(self):
        job = self.job_of(150)
        submitted = self.submit(job)
        submitted.wait_for_end(1800)
        self.assert_complete(submitted)
        sweep = submitted.sweep
        self.assertGreaterEqual(sweep.epochs(), 3)
        self.assertEqual(self.computed_twice(sweep), [])
        ends = [sweep.end_of(epoch) for epoch in range(1, sweep.epochs())]
        self.assertEqual({end and end["exit_code"] for end in ends}, {STOPPED}, submitted.log())

    def test_a_chain_of_jobs_completes_where_requeueing_is_forbidden(self):
        job = self.job_of(90)
        submitted = self.submit(job, [("[slurm]\n", "[slurm]\nrequeue = false\n")])
        queue_is_empty = lambda: not self.slurm.run("squeue", "-h").stdout
        processes.wait_until(queue_is_empty, f"an empty queue: {submitted.log()}", 1800, 1)
        self.assert_complete(submitted)
        self.assertGreaterEqual(submitted.sweep.epochs(), 2)
        self.assertEqual(self.computed_twice(submitted.sweep), [])


class Preemption(SlurmCase):
    def test_a_more_urgent_job_goes_first_and_the_sweep_after_it(self):
        job = self.job_of(40)
        submitted = self.submit(job, [('time = "1"', 'time = "10"')])
        submitted.wait_for_segments(2)
        self.slurm.run("sbatch", "--partition=urgent", "--nodes=4", "--ntasks-per-node=1", "--cpus-per-task=2",
                       "--output=/dev/null", "--wrap=sleep 5")
        submitted.wait_for_restart(2)
        submitted.wait_for_end()
        self.assert_complete(submitted)


class NodeLoss(SlurmCase):
    def lose(self, node):
        job = self.job_of(40)
        submitted = self.submit(job, [('time = "1"', 'time = "10"')])
        submitted.wait_for_segments(4)
        self.slurm.lose_node(node)
        try:
            submitted.wait_for_restart(2)
            submitted.wait_for_end()
        finally:
            self.slurm.start_node(node)
        self.assert_complete(submitted)
        self.assertEqual(submitted.sweep.events("started")[-1]["ranks"], 3)
        self.assertEqual(self.slurm.job_field(submitted.id, "Restarts"), "1")

    def test_losing_a_node_is_survived(self):
        self.lose("n3")

    def test_losing_the_node_of_the_batch_script_is_survived(self):
        self.lose("n1")


class Controller(SlurmCase):
    def test_a_restart_of_the_controller_is_not_noticed(self):
        job = self.job_of(40)
        submitted = self.submit(job, [('time = "1"', 'time = "10"')])
        submitted.wait_for_segments(2)
        self.slurm.end("slurmctld")
        before = len(submitted.sweep.segments())
        submitted.wait_for_segments(before + 2)
        self.slurm.start_controller()
        submitted.wait_for_end()
        self.assert_complete(submitted)
        self.assertEqual(submitted.sweep.epochs(), 1)


class RankCounts(SlurmCase):
    def test_four_nodes_then_three_then_four(self):
        job = self.job_of(60)
        submitted = self.submit(job, [('time = "1"', 'time = "10"')])
        submitted.wait_for_segments(2)
        self.slurm.run("scontrol", "update", "NodeName=n4", "State=DRAIN", "Reason=test")
        self.slurm.run("scancel", "--batch", "--signal=USR2", submitted.id)
        submitted.wait_for_restart(2)
        submitted.wait_for_segments(len(submitted.sweep.segments()) + 2)
        self.slurm.run("scontrol", "update", "NodeName=n4", "State=RESUME")
        self.slurm.run("scancel", "--batch", "--signal=USR2", submitted.id)
        submitted.wait_for_end()
        self.assert_complete(submitted)
        self.assertEqual([event["ranks"] for event in submitted.sweep.events("started")], [4, 3, 4])


class NoProgress(SlurmCase):
    def test_a_sweep_that_gets_nowhere_is_held(self):
        job = self.job_of(10)
        # Nothing fits before a margin that is as long as the limit, less a second.
        submitted = self.submit(job, [("margin_seconds = 10", "margin_seconds = 59")])
        submitted.wait_for_state("PENDING job requeued in held state", "PENDING JobHeld", "SPECIAL_EXIT", seconds=300)
        self.assertEqual(self.slurm.job_field(submitted.id, "Priority"), "0")
        self.assertEqual(submitted.sweep.ask("status", "--exit-code").code, NO_PROGRESS, submitted.log())
        self.assertLessEqual(submitted.sweep.epochs(), 3)
        self.slurm.run("scancel", submitted.id)


if __name__ == "__main__":
    why = private_slurm.missing()
    if why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main()
