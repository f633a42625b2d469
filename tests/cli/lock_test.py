"""Who may work on a run directory: one line and code 73 for the second, at once for a successor."""
import json
import os
import signal
import threading
import time
import unittest

import processes
from sweep_case import SweepCase
from sweeps import COMPLETE, RUN_DIRECTORY, Job

DYING_OWNER_SECONDS = 5.0  # how long a start waits for an owner on this machine that lives
STILL_BEAT_SECONDS = 90.0  # how long it watches the beat of one that it cannot see


class LockCase(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_stack(cls.shared, 60, 768, 768)
        cls.digest = cls.job.sweep("reference").run_to_digest()

    def start_and_pause(self, sweep, ranks=None):
        """A sweep that lives but makes no progress, however fast the machine is."""
        process = self.started(sweep.start(ranks))
        sweep.wait_for_epoch(process, 1)
        owner = self.owner(sweep)
        os.kill(owner["pid"], signal.SIGSTOP)
        self.addCleanup(processes.signal_if_alive, owner["pid"], signal.SIGCONT)
        return process, owner

    def owner(self, sweep, epoch=1):
        return json.loads((sweep.run_dir / "lock" / f"e{epoch:04}.json").read_text())

    def locked_at(self, sweep):
        """When the last start had the lock."""
        return sweep.events("started")[-1]["time"]

    def move_to_another_boot(self, sweep):
        sweep.change_start(boot_id="another", host="elsewhere")

    def kill_before_its_end(self, sweep):
        process, _ = self.start_and_pause(sweep)
        process.kill()
        process.wait()

    def assert_refused(self, result, *facts):
        self.assert_ended(result, RUN_DIRECTORY)
        self.assertEqual(result.out, "")
        self.assertEqual(len(result.err.splitlines()), 1, result.err)
        for fact in facts:
            self.assertIn(str(fact), result.err)


class Lock(LockCase):
    def test_ASecondRunIsRefusedNamingTheOwnerAndTheFirstIsUnhurt(self):
        sweep = self.job.sweep("owned")
        first, owner = self.start_and_pause(sweep)
        second = self.job.sweep("owned")
        self.assert_refused(second.run(), "owned", f"process {owner['pid']}", owner["host"])
        # --take-over is for owners that cannot be seen; this one is seen alive.
        self.assert_refused(second.run(options=("--take-over",)), f"process {owner['pid']}")
        os.kill(owner["pid"], signal.SIGCONT)
        self.assertEqual(first.wait(240), COMPLETE)
        self.assertEqual(sweep.epochs(), 1)
        self.assert_verifies(sweep, self.digest)

    def test_ASecondRunOfManyRanksIsRefusedOnce(self):
        sweep = self.job.sweep("owned_by_ranks")
        first, owner = self.start_and_pause(sweep, ranks=2)
        refused = self.job.sweep("owned_by_ranks").run(ranks=2)
        self.assert_ended(refused, RUN_DIRECTORY)
        ours = [line for line in refused.err.splitlines() if line.startswith("moesweep:")]
        self.assertEqual(len(ours), 1, refused.err)
        self.assertIn(f"process {owner['pid']}", ours[0])
        os.kill(owner["pid"], signal.SIGCONT)
        self.assertEqual(first.wait(240), COMPLETE)
        self.assert_verifies(sweep, self.digest)

    def test_AKilledOwnerIsSucceededAtOnceEvenUnreaped(self):
        sweep = self.job.sweep("killed")
        process, _ = self.start_and_pause(sweep)
        process.kill()  # and not waited for: the owner is a zombie now, or about to be
        started = time.time()
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assertLess(self.locked_at(sweep) - started, DYING_OWNER_SECONDS)
        self.assertIsNone(sweep.end_of(epoch=1))

    def test_ADyingOwnerIsWaitedFor(self):
        sweep = self.job.sweep("dying")
        process, _ = self.start_and_pause(sweep)
        death = threading.Timer(1.0, process.kill)
        death.start()
        self.addCleanup(death.cancel)
        self.assertEqual(sweep.run_to_digest(), self.digest)

    def test_ASilentOwnerOfAnotherBootIsTakenOverOnRequest(self):
        sweep = self.job.sweep("stale")
        self.kill_before_its_end(sweep)
        self.move_to_another_boot(sweep)
        self.assertEqual(sweep.run_to_digest(options=("--take-over",)), self.digest)
        self.assertEqual(sweep.epochs(), 2)

    def test_AnOwnerOnAnotherMachineWhoseBeatMovesIsNotDisturbed(self):
        sweep = self.job.sweep("remote")
        self.kill_before_its_end(sweep)
        self.move_to_another_boot(sweep)
        beat = sweep.run_dir / "lock" / "beat"
        ended = threading.Event()

        def keep_beating():
            count = 0
            while not ended.wait(0.1):
                count += 1
                beat.write_text(f"{1:08} {count:016}\n")

        thread = threading.Thread(target=keep_beating)
        thread.start()
        try:
            self.assert_refused(sweep.run(), "elsewhere", "--take-over")
        finally:
            ended.set()
            thread.join()
        self.assertEqual(sweep.run_to_digest(options=("--take-over",)), self.digest)

    def test_ARestartOfTheSameSlurmJobTakesOverByItself(self):
        sweep = self.job.sweep("requeued")
        self.kill_before_its_end(sweep)
        sweep.change_start(boot_id="another", slurm_job="42", slurm_restarts=0)
        variables = {"SLURM_JOB_ID": "42", "SLURM_RESTART_COUNT": "1"}
        started = time.time()
        self.assertEqual(sweep.run_to_digest(variables=variables), self.digest)
        self.assertLess(self.locked_at(sweep) - started, STILL_BEAT_SECONDS)

class AbandonedLock(LockCase):
    """Takes as long as a beat must stand still: run with the soak."""

    def test_ASilentOwnerOfAnotherBootIsSucceededAfterAWhile(self):
        sweep = self.job.sweep("silent")
        self.kill_before_its_end(sweep)
        self.move_to_another_boot(sweep)
        started = time.time()
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assertGreaterEqual(self.locked_at(sweep) - started, STILL_BEAT_SECONDS)


if __name__ == "__main__":
    unittest.main()
