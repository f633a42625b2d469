"""`moesweep unlock`: damaged or deleted records of starts are mended, and never a living owner pushed aside."""
import json
import os
import re
import signal
import unittest

import processes
from lock_test import LockCase
from sweeps import COMPLETE, RUN_DIRECTORY, STOPPED


class Unlock(LockCase):
    def stopped_sweep(self, name, starts=1):
        """So many starts, each stopped in good order with something on disk."""
        sweep = self.job.sweep(name)
        for start in range(starts):
            process = self.started(sweep.start())
            sweep.wait_for_epoch(process, start + 1)
            sweep.wait_for_segments(process, len(sweep.segments()) + 1)
            sweep.stop(process, signal.SIGUSR2)
            self.assertEqual(process.wait(120), STOPPED)
        return sweep

    def record(self, sweep, epoch, what=""):
        return sweep.run_dir / "lock" / f"e{epoch:04}{what}.json"

    def damage(self, path):
        raw = bytearray(path.read_bytes())
        raw[20] = 1
        path.write_bytes(raw)

    def assert_names_the_command(self, sweep, path):
        for command in ("status", "verify", "aggregate"):
            refused = sweep.ask(command)
            self.assert_refused(refused, path.name, f"`moesweep unlock {sweep.run_dir}` mends it")
        self.assert_refused(sweep.run(), path.name, "moesweep unlock")

    def unlock(self, sweep, *options):
        result = sweep.ask("unlock", "--json", *options)
        self.assert_ended(result, COMPLETE)
        self.assertEqual(result.err, "")
        return json.loads(result.out)

    def test_ADamagedRecordIsWrittenAgainFromTheEvents(self):
        sweep = self.stopped_sweep("damaged")
        path = self.record(sweep, 1)
        sound = path.read_text()
        self.damage(path)
        bad = path.read_bytes()
        self.assert_names_the_command(sweep, path)
        report = self.unlock(sweep)
        self.assertEqual([record["problem"] for record in report["lost"]], ["is damaged"])
        self.assertEqual(report["mended"], ["lock/e0001.json: written again from events.jsonl"])
        self.assertEqual(json.loads(path.read_text()), json.loads(sound))
        self.assertEqual(path.with_name("e0001.json.damaged").read_bytes(), bad, "what was there is kept")
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assertEqual((sweep.epochs(), sweep.events("unlocked")[0]["mended"]), (2, report["mended"]))

    def test_ARecordThatStillReadsAsOneIsDamagedAllTheSame(self):
        sweep = self.stopped_sweep("changed")
        path = self.record(sweep, 1)
        sound = path.read_text()
        fingerprint = json.loads(sound)["fingerprint"]
        for old, new in (('"units": ', '"units": 1'), (fingerprint, fingerprint[::-1]), ('"ranks": 1', '"ranks": 2')):
            with self.subTest(new):
                self.assertIn(old, sound)
                path.write_text(sound.replace(old, new))
                self.assert_names_the_command(sweep, path)
                self.assertEqual(self.unlock(sweep)["mended"], ["lock/e0001.json: written again from events.jsonl"])
                self.assertEqual(path.read_text(), sound)
        self.assertEqual(sweep.run_to_digest(), self.digest)

    def test_ADeletedRecordLeavesNoSecondEpochOfItsNumber(self):
        """The remedy of version 0.2 was to delete the file: a running sweep read as stopped then."""
        sweep = self.stopped_sweep("deleted")
        self.record(sweep, 1).unlink()
        self.assert_names_the_command(sweep, self.record(sweep, 1))
        self.unlock(sweep)
        process, _ = self.start_and_pause_again(sweep, 2)
        self.assertEqual(sweep.status()["state"], "running")
        self.assert_refused(sweep.__class__(sweep.job, sweep.run_dir).run(), f"process {self.owner(sweep, 2)['pid']}")
        os.kill(self.owner(sweep, 2)["pid"], signal.SIGCONT)
        self.assertEqual(process.wait(240), COMPLETE)
        self.assert_verifies(sweep, self.digest)

    def start_and_pause_again(self, sweep, epoch):
        process = self.started(sweep.start())
        sweep.wait_for_epoch(process, epoch)
        owner = self.owner(sweep, epoch)
        os.kill(owner["pid"], signal.SIGSTOP)
        self.addCleanup(processes.signal_if_alive, owner["pid"], signal.SIGCONT)
        return process, owner

    def test_AMissingMiddleRecordMakesTheChainNoShorter(self):
        sweep = self.stopped_sweep("middle", starts=3)
        self.record(sweep, 2).unlink()
        status = sweep.status()
        self.assertEqual((status["state"], status["epochs"]), ("stopped", 3))
        report = self.unlock(sweep)
        self.assertEqual([(record["epoch"], record["problem"]) for record in report["lost"]], [(2, "is missing")])
        self.assertEqual([start["epoch"] for start in sweep.status()["starts"]], [1, 2, 3])
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assertTrue(self.record(sweep, 4).exists())

    def test_AnotherStartTellsWhatTheEventsHaveLost(self):
        sweep = self.stopped_sweep("no_events", starts=2)
        self.record(sweep, 1).write_text("")
        (sweep.run_dir / "events.jsonl").write_bytes(b'{"event": "started", "epo')
        report = self.unlock(sweep)
        self.assertEqual(report["mended"], ["lock/e0001.json: written again from another start"])
        self.assertEqual(report["torn_events"], 1)
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assertEqual(len(sweep.run_dir.joinpath("events.jsonl").read_text().splitlines()[0]), 25, "the torn line is alone")

    def test_WhenNothingTellsItSaysSoAndChangesNothing(self):
        sweep = self.stopped_sweep("nothing_left")
        self.record(sweep, 1).write_text("")
        (sweep.run_dir / "events.jsonl").unlink()
        refused = sweep.ask("unlock", "--quiet")
        self.assert_refused(refused, "e0001.json", "neither events.jsonl nor another start")

    def test_ADamagedEndIsWrittenAgain(self):
        sweep = self.stopped_sweep("end")
        path = self.record(sweep, 1, ".end")
        sound = json.loads(path.read_text())
        path.write_text("{")
        self.assert_names_the_command(sweep, path)
        self.unlock(sweep)
        mended = json.loads(path.read_text())
        self.assertEqual((mended["exit_code"], mended["units_published"]), (sound["exit_code"], sound["units_published"]))
        self.assertEqual(sweep.run_to_digest(), self.digest)

    def test_ALivingOwnerIsNamedAndLeftAlone(self):
        sweep = self.job.sweep("living")
        first, owner = self.start_and_pause(sweep)
        for options in ((), ("--take-over",)):
            refused = sweep.ask("unlock", *options)
            self.assertEqual(refused.code, RUN_DIRECTORY)
            self.assertEqual(len(refused.err.splitlines()), 1, refused.err)
            self.assertIn(f"process {owner['pid']} on {owner['host']}", refused.err)
            self.assertRegex(refused.out, rf"owner +process {owner['pid']} on {re.escape(owner['host'])}, 1 rank, started ")
            self.assertRegex(refused.out, r"state +alive")
        os.kill(owner["pid"], signal.SIGCONT)
        self.assertEqual(first.wait(240), COMPLETE)

    def test_TheEndOfADeadOwnerIsRecorded(self):
        sweep = self.job.sweep("dead")
        process = self.started(sweep.start())
        sweep.wait_for_segments(process, 1)
        process.kill()
        process.wait()
        self.assertEqual(sweep.status()["state"], "crashed")
        published = len(sweep.done())
        report = self.unlock(sweep)
        self.assertEqual((report["owner"], report["end_recorded"], report["units_published"]), ("dead", True, published))
        status = sweep.status()
        self.assertEqual((status["state"], status["abnormal_ends"], status["units_done"]), ("stopped", 1, published))
        self.assertEqual(self.unlock(sweep)["end_recorded"], False, "once")
        self.assertEqual(sweep.run_to_digest(), self.digest)

    def test_AnOwnerElsewhereTakesAWordOrAStandingBeat(self):
        sweep = self.job.sweep("elsewhere")
        self.kill_before_its_end(sweep)
        sweep.change_start(boot_id="another", host="node9", slurm_job="4711")
        text = sweep.ask("unlock", "--take-over")
        self.assert_ended(text, COMPLETE)
        self.assertRegex(text.out, r"owner +process \d+ on node9 \(Slurm job 4711\)")
        self.assertRegex(text.out, r"state +not seen from here")
        self.assertRegex(text.out, r"ended +recorded as stopped early, \d+ units published")
        self.assertEqual(sweep.run_to_digest(), self.digest)

    def test_ARunInGoodOrderIsLeftAsItIs(self):
        sweep = self.stopped_sweep("sound")
        before = {path: path.read_bytes() for path in sweep.run_dir.rglob("*") if path.is_file()}
        text = sweep.ask("unlock")
        self.assert_ended(text, COMPLETE)
        self.assertIn("nothing to mend", text.out)
        self.assertEqual({path: path.read_bytes() for path in sweep.run_dir.rglob("*") if path.is_file()}, before)


class TornEvents(LockCase):
    def test_TheNextWriterStartsOnALineOfItsOwn(self):
        sweep = self.job.sweep("torn")
        process = self.started(sweep.start())
        sweep.wait_for_segments(process, 1)
        process.kill()
        process.wait()
        events = sweep.run_dir / "events.jsonl"
        whole = events.read_bytes()
        events.write_bytes(whole + b'{"epoch":1,"event":"quaran')
        self.assertEqual(sweep.run_to_digest(), self.digest)
        lines = events.read_text().splitlines()
        torn = [line for line in lines if not line.endswith("}")]
        self.assertEqual(torn, ['{"epoch":1,"event":"quaran'])
        names = [json.loads(line)["event"] for line in lines if line not in torn]
        self.assertEqual(names, ["started", "started", "ended"])


if __name__ == "__main__":
    unittest.main()
