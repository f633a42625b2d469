"""Failing system calls, and death at an exact one: never a false success, and a resume completes.

strace makes the N-th call of a thread fail, or kills the process there. Whatever happens, the sweep
either completes with the right digest or says what failed, and what was published stays.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys
import unittest

from sweep_case import SweepCase
from sweeps import COMPLETE, IO_ERROR, SEGMENT, Job

Fault = collections.namedtuple("Fault", "call effect when")

# Counted from the start of the program, so these hit the main thread first: the run directory, the
# lock, job.toml, the recorded end, results.h5, and what is printed.
FROM_THE_START = ([Fault("fsync", "error=EIO", n) for n in ("1", "2", "4", "7", "9")] +
                  [Fault("write", "error=ENOSPC", n) for n in ("1", "2", "3", "5", "6+")] +
                  [Fault("rename", "error=EDQUOT", n) for n in ("1", "2", "3")] +
                  [Fault("link", "error=EIO", "1")])
# Counted from the first published segment on, so these hit segments.
ON_SEGMENTS = [Fault("fsync", "error=EIO", "1"), Fault("fsync", "error=EIO", "2"), Fault("fsync", "error=EIO", "3+"),
               Fault("write", "error=ENOSPC", "1"), Fault("write", "error=ENOSPC", "2+"),
               Fault("rename", "error=EIO", "1"), Fault("rename", "error=EDQUOT", "2+"),
               Fault("openat", "error=EMFILE", "1+")]
DEATHS = [Fault("fsync", "signal=KILL", "1"), Fault("fsync", "signal=KILL", "2"), Fault("rename", "signal=KILL", "1"),
          Fault("write", "signal=KILL", "2")]
MESSAGE = r"(?m)^moesweep: .*(No space|Input/output|quota|Too many open|cannot be written)"
# The seventh fsync after a published segment is one of the I/O thread's, of a file: the main thread has five left.
ONE_SEGMENT = Fault("fsync", "error=EIO", "7")


class Faults(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_stack(cls.shared, 160, 512, 512)
        alone = cls.job.sweep("alone")
        cls.digest = alone.run_to_digest()
        cls.units = len(alone.results())

    def strace(self, fault, sweep):
        self.log = pathlib.Path(f"{sweep.run_dir}.strace")
        return ["strace", "-f", "-qq", "-o", str(self.log), "-e", f"trace={fault.call}",
                "-e", f"inject={fault.call}:{fault.effect}:when={fault.when}"]

    def sweep_for(self, fault):
        where = self.id().rpartition(".")[2]
        return self.job.sweep(f"{where}-{fault.call}-{fault.effect}-{fault.when}")

    def run_from_the_start(self, sweep, fault):
        return sweep.run(prefix=self.strace(fault, sweep))

    def run_and_attach(self, sweep, fault):
        process = self.started(sweep.start())
        sweep.wait_for_segments(process, 1)
        tracer = self.started(subprocess.Popen([*self.strace(fault, sweep), "-p", str(process.pid)],
                                               stdin=subprocess.DEVNULL))
        result = sweep.finish(process)
        tracer.wait()
        return result

    def assert_fault_happened(self, result, fault):
        happened = "INJECTED" in self.log.read_text() or result.code < 0
        self.assertTrue(happened, f"{fault} was not reached, the run ended with {result.code}")

    def assert_no_false_success(self, sweep, result, fault):
        status = sweep.ask("status", "--exit-code")
        if result.code == COMPLETE:
            self.assertEqual(json.loads(result.out)["results_digest"], self.digest)
            self.assert_each_unit_once(sweep, self.units)
            self.assert_verifies(sweep, self.digest)
        elif result.code > 0:
            self.assert_ended(result, IO_ERROR)
            if not (fault.call == "write" and fault.when.endswith("+")):  # stderr was hit as well
                self.assertRegex(result.err, MESSAGE)
        if status.code == COMPLETE:  # perhaps only its report could not be printed
            self.assert_verifies(sweep, self.digest)

    def assert_resumes(self, sweep):
        published = {unit.id: unit.epoch for unit in sweep.done()}
        self.assertEqual(sweep.run_to_digest(), self.digest)
        self.assert_each_unit_once(sweep, self.units)
        self.assert_verifies(sweep, self.digest)
        stands = {row.id: row.epoch for row in sweep.results()}
        self.assertLessEqual(published.items(), stands.items(), "a published unit ran again")

    def assert_survives(self, run, fault):
        sweep = self.sweep_for(fault)
        result = run(sweep, fault)
        self.assert_fault_happened(result, fault)
        self.assert_no_false_success(sweep, result, fault)
        self.assert_resumes(sweep)
        return sweep, result

    def test_FailuresFromTheStartOn(self):
        for fault in FROM_THE_START:
            with self.subTest(fault=fault):
                self.assert_survives(self.run_from_the_start, fault)

    def test_FailuresWhileSegmentsArePublished(self):
        for fault in ON_SEGMENTS:
            with self.subTest(fault=fault):
                sweep, result = self.assert_survives(self.run_and_attach, fault)
                if fault.when.endswith("+"):  # the second attempt failed as well
                    self.assert_ended(result, IO_ERROR)
                    self.assertGreater(sweep.epochs(), 1)

    def test_DeathAtAnExactCall(self):
        for fault in DEATHS:
            with self.subTest(fault=fault):
                _, result = self.assert_survives(self.run_and_attach, fault)
                self.assertLess(result.code, 0, "the process should have been killed")

    def test_ASegmentWhoseFsyncFailedIsPublishedUnderANewName(self):
        sweep, result = self.assert_survives(self.run_and_attach, ONE_SEGMENT)
        self.assert_ended(result, COMPLETE)
        serials = sorted(int(SEGMENT.fullmatch(path.name)[3]) for path in sweep.segments())
        self.assertEqual(serials[-1], len(serials) + 1, "one name was given up")

    def test_NoTemporaryFileStaysBehindAFailure(self):
        fault = Fault("fsync", "error=EIO", "1+")
        sweep = self.sweep_for(fault)
        self.assert_ended(self.run_and_attach(sweep, fault), IO_ERROR)
        left = [path for path in pathlib.Path(sweep.run_dir).rglob("*") if re.match(r"\.tmp\.", path.name)]
        self.assertEqual(left, [])


def strace_works():
    try:
        return subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    if not strace_works():
        print("skipped: strace is not installed (Debian package strace), or this container forbids ptrace")
        sys.exit(77)
    unittest.main()
