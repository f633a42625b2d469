"""submit: what a batch script says, what it does when it runs, and that no name can make it do something else.

The rendered scripts are executed with stand-ins for mpirun and Slurm's commands on PATH, which note what they get.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from cli import (BAD_JOB, BAD_USAGE, COMPLETE, MOESWEEP, RUN_DIRECTORY, SOURCE, STOPPED_EARLY, CliTest, moesweep,
                 wait_for)

NO_PROGRESS = 79
PROFILES = sorted((SOURCE / "cluster").glob("*.toml"))
HOSTILE = "it's \"a\" $(touch pwned) `touch pwned` ; & | # %j * ü"
PROFILE = """schema = 1
name = "here"
nodes = 1
tasks_per_node = 1
cpus_per_task = 2
memory_per_task = "1GiB"
launcher = "mpirun"
"""

# Notes its arguments, one JSON list a line, then does what the test said.
STUB = """#!/bin/bash
/usr/bin/python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@" >>"$NOTES/{name}"
{body}
"""
RUN_THE_PROGRAM = """env -0 >"$NOTES/environment"
until [[ $1 == */moesweep ]]; do shift; done
exec "$@"
"""
ANSWER = """case "$*" in
  *%L) echo "${TIME_LEFT:-59:00}" ;;
  *) echo "${STATE:-RUNNING None}" ;;
esac
"""
WAIT_FOR_USR2 = """trap 'echo USR2 >>"$NOTES/signals"; exit 0' USR2
trap 'echo TERM >>"$NOTES/signals"; exit 1' TERM
: >"$NOTES/ready"
while :; do sleep 0.05; done
"""
AWAY_TWICE = """if [ "$(wc -l <"$NOTES/{name}")" -le 2 ]; then
  echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2
  exit 1
fi
"""


class Submit(CliTest):
    def profile(self, more="", slurm=""):
        path = self.folder / "here.toml"
        path.write_text(f"{PROFILE}{more}\n[slurm]\n{slurm}\n")
        return path

    def render(self, job, cluster, run):
        done = moesweep("submit", job, "--cluster", cluster, "--run-dir", run, "--dry-run")
        self.assert_ends(done, COMPLETE)
        return done.stdout

    def stub(self, name, body=""):
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(STUB.format(name=name, body=body.replace("{name}", name)))
        path.chmod(0o755)

    def notes(self, name):
        """Argument lists of the calls so far."""
        path = self.folder / "notes" / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def environment(self, **more):
        (self.folder / "notes").mkdir(exist_ok=True)
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "NOTES": str(self.folder / "notes"),
                "MOESWEEP_RETRY_SECONDS": "0", **more}

    def stubs(self, mpirun=RUN_THE_PROGRAM):
        self.stub("mpirun", mpirun)
        self.stub("squeue", ANSWER)
        self.stub("scontrol")
        self.stub("scancel")
        self.stub("sbatch", "echo 4712")

    def submitted(self, run="run", mpirun=RUN_THE_PROGRAM, job=None, more="", slurm=""):
        """Submits; the script is in the run directory then, and nothing has run."""
        self.stubs(mpirun)
        done = moesweep("submit", job or self.job(), "--cluster", self.profile(more, slurm), "--run-dir", self.folder / run,
                        env=self.environment())
        self.assert_ends(done, COMPLETE)
        (self.folder / "notes/sbatch").unlink()
        return self.folder / run / "submit/sweep.sbatch"

    def start(self, script, **variables):
        environment = {**os.environ, **self.environment(SLURM_JOB_ID="4711", SLURM_JOB_NUM_NODES="1", **variables)}
        process = subprocess.Popen(["bash", script], env=environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        return process

    def execute(self, script, code, **variables):
        process = self.start(script, **variables)
        output = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, code, output)
        return output


class Shellcheck(Submit):
    def test_every_profile_gives_a_script_that_bash_and_shellcheck_accept(self):
        job = self.job()
        for profile in PROFILES:
            for run in ("run", HOSTILE):
                with self.subTest(profile.name, run=run):
                    path = self.folder / "rendered.sh"
                    path.write_text(self.render(job, profile, self.folder / run))
                    for checker in (["bash", "-n"], ["shellcheck", "--norc"]):
                        done = subprocess.run([*checker, path], capture_output=True, text=True)
                        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class Scripts(Submit):
    def test_a_dry_run_leaves_nothing_behind(self):
        self.stubs()
        job, cluster = self.job(), self.profile()
        with self.unchanged(self.folder):
            self.render(job, cluster, self.folder / "run")
        self.assertEqual(self.notes("sbatch"), [])

    def directives(self, more="", slurm=""):
        script = self.render(self.job(more='name = "n-1"'), self.profile(more, slurm), self.folder / "run")
        return [line[8:] for line in script.splitlines() if line.startswith("#SBATCH ")]

    def test_directives_say_what_the_profile_says(self):
        options = self.directives(slurm='partition = "a,b"\ntime = "1-12"\nextra = ["--mail-user=x y#z"]')
        for option in ("--job-name=n-1", "--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=2", "--mem=1024M",
                       "--time=1-12", "--partition=a,b", "--requeue", "--open-mode=append", "--signal=B:USR2@120",
                       '"--mail-user=x y#z"'):
            self.assertIn(option, options)
        self.assertFalse([option for option in options if "no-kill" in option])

    def test_a_range_of_nodes_is_asked_for_as_one_task_a_node(self):
        """With --ntasks-per-node Slurm would always give the fewest."""
        profile = self.profile(slurm="min_nodes = 2")
        profile.write_text(profile.read_text().replace("\nnodes = 1\ntasks_per_node = 1", "\nnodes = 4\ntasks_per_node = 3"))
        script = self.render(self.job(), profile, self.folder / "run")
        for line in ("#SBATCH --nodes=2-4", "#SBATCH --cpus-per-task=6", "export SLURM_CPUS_PER_TASK=2",
                     'export SLURM_TASKS_PER_NODE="3(x$SLURM_JOB_NUM_NODES)"'):
            self.assertIn(f"{line}\n", script)
        self.assertNotIn("#SBATCH --ntasks-per-node", script)

    def test_a_forbidden_requeue_and_memory_are_not_asked_for(self):
        options = self.directives(slurm="requeue = false\nrequest_memory = false")
        self.assertIn("--no-requeue", options)
        self.assertFalse([option for option in options if option.startswith("--mem")])

    def test_srun_ends_the_step_when_a_rank_dies(self):
        profile = self.profile()
        profile.write_text(profile.read_text().replace("mpirun", "srun"))
        script = self.render(self.job(), profile, self.folder / "run")
        self.assertIn("srun --mpi=pmix --kill-on-bad-exit=1 ", script)
        self.assertIn("export SRUN_CPUS_PER_TASK=2\n", script)

    def test_what_a_profile_must_not_say_is_refused_with_its_place(self):
        cases = {("", 'time = "soon"'): "here.toml:10", ("", 'time = "0"'): "time limit",
                 ("", 'time = "2"\nsignal_seconds = 120'): "slurm.signal_seconds",
                 ("", 'time = "1"\nsignal_seconds = 5'): "slurm.margin_seconds",
                 ("", "min_nodes = 2"): "slurm.min_nodes", ("", 'partition = "a b"'): "slurm.partition",
                 ("", r'account = "a\nb"'): "slurm.account", ("", 'qos = "$(x)"'): "slurm.qos",
                 ("", 'extra = ["--no-kill"]'): "--no-kill", ("", 'extra = ["rm"]'): "no option",
                 ("", r'extra = ["--comment=a\n#SBATCH --array=1-9"]'): "control character",
                 ('environment = ["A B=1"]', ""): "environment", ('environment = ["=1"]', ""): "environment",
                 ('environment = ["1A=1"]', ""): "environment", (r'environment = ["A=\n"]', ""): "control character",
                 ('modules = ["gcc;rm"]', ""): "modules", ('modules = ["-f"]', ""): "modules"}
        for (more, slurm), named in cases.items():
            with self.subTest(more + slurm):
                done = moesweep("submit", self.job(), "--cluster", self.profile(more, slurm), "--run-dir",
                                self.folder / "run", "--dry-run")
                self.assert_refused(done, BAD_JOB, named)

    def test_names_that_would_break_a_line_are_refused(self):
        for name in (r"a\nb", "a b", "$(touch pwned)", "'"):
            with self.subTest(name):
                done = moesweep("submit", self.job(more=f'name = "{name}"'), "--cluster", self.profile(), "--run-dir",
                                self.folder / "run", "--dry-run")
                self.assert_refused(done, BAD_JOB, "name")
        for run in ("a\nb", "a\x1bb", "a\\b"):
            with self.subTest(run):
                done = moesweep("submit", self.job(), "--cluster", self.profile(), "--run-dir", self.folder / run,
                                "--dry-run")
                self.assert_refused(done, BAD_USAGE)


class Submission(Submit):
    def test_the_job_id_and_how_to_watch_are_told(self):
        self.stubs()
        run = self.folder / HOSTILE.replace("*", "x")
        done = moesweep("submit", self.job(), "--cluster", self.profile(), "--run-dir", run, env=self.environment())
        self.assert_ends(done, COMPLETE)
        self.assertEqual(self.notes("sbatch"), [["--parsable", str(run / "submit/sweep.sbatch")]])
        self.assertIn("4712", done.stdout.splitlines()[0])
        watch = next(line for line in done.stdout.splitlines() if line.startswith("progress"))
        words = subprocess.run(["bash", "-c", f"printf '%s\\n' {watch}"], capture_output=True, text=True).stdout
        self.assertIn(str(run), words.splitlines())

    def test_json_has_the_job_id(self):
        self.stubs()
        done = moesweep("submit", self.job(), "--cluster", self.profile(), "--run-dir", self.folder / "run", "--json",
                        env=self.environment())
        self.assert_ends(done, COMPLETE)
        told = json.loads(done.stdout)
        self.assertEqual(told["job_id"], "4712")
        self.assertEqual(told["log"], str(self.folder / "run/submit/slurm-4712.out"))

    def test_what_sbatch_says_is_passed_on(self):
        self.stub("sbatch", 'echo "sbatch: error: invalid partition specified: x" >&2; exit 1')
        done = moesweep("submit", self.job(), "--cluster", self.profile(), "--run-dir", self.folder / "run",
                        env=self.environment())
        self.assert_refused(done, BAD_USAGE, "invalid partition specified")

    def test_without_slurm_it_is_refused(self):
        if shutil.which("sbatch"):
            empty = self.folder / "empty"
            empty.mkdir()
            environment = {"PATH": str(empty)}
        else:
            environment = {}
        done = moesweep("submit", self.job(), "--cluster", self.profile(), "--run-dir", self.folder / "run",
                        env=environment)
        self.assert_refused(done, BAD_USAGE, "sbatch", "login node")

    def test_the_files_of_another_sweep_stay(self):
        run = self.sweep()
        other = self.job(more="", name="other.toml")
        other.write_text(other.read_text() + "[sensitivity]\nbits = [4]\n")
        self.stubs()
        with self.unchanged(run):
            done = moesweep("submit", other, "--cluster", self.profile(), "--run-dir", run, env=self.environment())
        self.assert_refused(done, RUN_DIRECTORY, "sensitivity.bits")
        self.assertEqual(self.notes("sbatch"), [])

    def test_a_job_file_that_changes_later_does_not_stop_the_sweep(self):
        job = self.job()
        script = self.submitted(job=job)
        job.write_text("nonsense")
        self.execute(script, COMPLETE)


class Execution(Submit):
    def test_a_complete_sweep_is_the_end(self):
        script = self.submitted()
        self.execute(script, COMPLETE)
        self.assertEqual(self.notes("scontrol"), [])
        self.assertEqual(self.notes("scancel"), [])
        self.assertTrue((self.folder / "run/results.h5").exists())

    def test_hostile_paths_arrive_as_they_are(self):
        home = self.folder / HOSTILE
        home.mkdir()
        job = home / "job '$(touch pwned)'.toml"
        job.write_text(self.job().read_text())
        script = self.submitted(run=f"{HOSTILE}/run", job=job)
        self.execute(script, COMPLETE, SLURM_JOB_END_TIME=str(int(time.time()) + 3600))
        [arguments] = self.notes("mpirun")
        run = home / "run"
        at = arguments.index(MOESWEEP)
        self.assertEqual(arguments[at + 1:at + 5], ["run", str(run / "submit/job.toml"), "--run-dir", str(run)])
        self.assertTrue((run / "results.h5").exists())
        self.assertEqual([path for path in self.folder.rglob("pwned*")], [])

    def test_variables_and_launcher_options_arrive_as_they_are(self):
        value = r"""a b  $HOME "c" 'd' `e` \\ = ü"""
        toml = json.dumps(value, ensure_ascii=False)
        more = f'environment = ["A_1={{}}"]\nlauncher_options = [{toml}]'.replace("{}", json.dumps(value, ensure_ascii=False)[1:-1])
        self.execute(self.submitted(more=more), COMPLETE)
        self.assertIn(value, self.notes("mpirun")[0])
        environment = (self.folder / "notes/environment").read_bytes().decode().split("\0")
        self.assertIn(f"A_1={value}", environment)
        self.assertIn("HDF5_USE_FILE_LOCKING=FALSE", environment)

    def deadline(self, **variables):
        before = int(time.time())
        self.execute(self.submitted(), COMPLETE, **variables)
        arguments = self.notes("mpirun")[0]
        self.assertEqual(arguments[arguments.index("--expect-ranks") + 1], "1")
        return int(arguments[arguments.index("--deadline") + 1]) - before

    def test_the_end_that_slurm_tells_is_the_deadline(self):
        self.assertIn(self.deadline(SLURM_JOB_END_TIME=str(int(time.time()) + 5000)), range(5000, 5060))

    def test_the_time_left_gives_the_deadline_on_older_slurm(self):
        for text, seconds in (("1-02:03:04", 93784), ("08:09:00", 29340), ("59:08", 3548)):
            with self.subTest(text):
                shutil.rmtree(self.folder / "run", ignore_errors=True)
                shutil.rmtree(self.folder / "notes", ignore_errors=True)
                self.assertIn(self.deadline(TIME_LEFT=text), range(seconds, seconds + 60))

    def test_without_a_limit_there_is_no_deadline(self):
        self.execute(self.submitted(), COMPLETE, TIME_LEFT="UNLIMITED")
        self.assertNotIn("--deadline", self.notes("mpirun")[0])

    def test_a_controller_that_is_away_is_asked_again(self):
        script = self.submitted()
        self.stub("squeue", AWAY_TWICE + ANSWER)
        self.execute(script, COMPLETE)
        self.assertEqual(len(self.notes("squeue")), 3)
        self.assertIn("--deadline", self.notes("mpirun")[0])

    def test_a_stopped_sweep_is_requeued_and_one_without_progress_held(self):
        script = self.submitted()
        gone = str(int(time.time()) + 1)
        self.execute(script, STOPPED_EARLY, SLURM_JOB_END_TIME=gone)
        self.assertEqual(self.notes("scontrol"), [["requeue", "4711"]])
        self.execute(script, NO_PROGRESS, SLURM_JOB_END_TIME=gone)
        self.assertEqual(self.notes("scontrol")[1:], [["requeuehold", "4711"]])
        self.execute(script, COMPLETE)
        self.assertEqual(len(self.notes("scontrol")), 2)

    def test_a_requeue_is_asked_for_until_the_controller_is_back(self):
        script = self.submitted()
        self.stub("scontrol", AWAY_TWICE)
        self.execute(script, STOPPED_EARLY, SLURM_JOB_END_TIME="1")
        self.assertEqual(self.notes("scontrol"), 3 * [["requeue", "4711"]])

    def test_a_refused_requeue_becomes_a_new_job(self):
        script = self.submitted()
        self.stub("scontrol", 'echo "Requested operation is presently disabled for job 4711" >&2; exit 1')
        self.execute(script, STOPPED_EARLY, SLURM_JOB_END_TIME="1")
        self.assertEqual(self.notes("sbatch"), [["--parsable", "--dependency=afterany:4711", str(script)]])

    def test_a_launcher_that_never_starts_is_held_the_third_time(self):
        script = self.submitted(mpirun="exit 1")
        for code in (STOPPED_EARLY, STOPPED_EARLY, NO_PROGRESS):
            self.execute(script, code)
        self.assertEqual(self.notes("scontrol"), [["requeue", "4711"], ["requeue", "4711"], ["requeuehold", "4711"]])

    def test_a_refusal_by_the_sweep_is_not_requeued(self):
        for code in (BAD_USAGE, RUN_DIRECTORY, BAD_JOB):
            with self.subTest(code):
                script = self.submitted(run=f"run{code}", mpirun=f"exit {code}")
                self.execute(script, code)
                self.assertEqual(self.notes("scontrol"), [])

    def signalled(self, number, code, **variables):
        process = self.start(self.submitted(mpirun=WAIT_FOR_USR2), **variables)
        wait_for((self.folder / "notes/ready").exists, "the launcher's start")
        process.send_signal(number)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, code, output)
        self.assertEqual((self.folder / "notes/signals").read_text(), "USR2\n")

    def test_slurms_warning_reaches_the_launcher(self):
        self.signalled(signal.SIGUSR2, STOPPED_EARLY)
        self.assertEqual(self.notes("scontrol"), [["requeue", "4711"]])

    def test_a_termination_reaches_the_launcher_as_usr2(self):
        for state in ("RUNNING None", "COMPLETING TimeLimit"):
            with self.subTest(state):
                shutil.rmtree(self.folder / "notes", ignore_errors=True)
                self.signalled(signal.SIGTERM, STOPPED_EARLY, STATE=state)
                self.assertEqual(self.notes("scontrol")[0], ["requeue", "4711"])

    def test_a_cancelled_job_does_not_come_back(self):
        self.signalled(signal.SIGTERM, STOPPED_EARLY, STATE="COMPLETING None")
        self.assertEqual(self.notes("scontrol"), [])

    def test_a_chain_has_its_next_job_before_it_starts(self):
        script = self.submitted(slurm="requeue = false")
        self.execute(script, STOPPED_EARLY, SLURM_JOB_END_TIME="1")
        self.assertEqual(self.notes("sbatch"), [["--parsable", "--dependency=afterany:4711", str(script)]])
        self.assertEqual(self.notes("scontrol") + self.notes("scancel"), [])
        self.execute(script, NO_PROGRESS, SLURM_JOB_END_TIME="1")
        self.assertEqual(self.notes("scontrol"), [["hold", "4712"]])
        self.execute(script, COMPLETE)
        self.assertEqual(self.notes("scancel"), [["4712"]])


if __name__ == "__main__":
    if "Shellcheck" in sys.argv and shutil.which("shellcheck") is None:
        print("shellcheck is not installed (Debian package shellcheck): skipped")
        raise SystemExit(77)
    unittest.main()
