"""TestCase with a folder of its own, which kills what it started and waits for what that left behind.

MOESWEEP_KEEP=1 leaves the folders in place, to look into after a failure.
"""
import os
import pathlib
import shutil
import tempfile
import unittest

import processes
from sweeps import COMPLETE


def temporary_folder():
    return pathlib.Path(tempfile.mkdtemp(prefix="moesweep-test-"))


def remove(folder):
    if "MOESWEEP_KEEP" not in os.environ:
        shutil.rmtree(folder)


class SweepCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        processes.adopt_orphans()
        cls.shared = temporary_folder()
        cls.addClassCleanup(remove, cls.shared)

    def setUp(self):
        self.folder = temporary_folder()
        self.addCleanup(remove, self.folder)
        self.addCleanup(self.wait_for_leftovers)

    def wait_for_leftovers(self):
        processes.wait_for_orphans()

    def started(self, process):
        """Registers a process: it has ended when the test has, whatever happens."""
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def assert_ended(self, result, code):
        self.assertEqual(result.code, code, result.err + result.out)

    def assert_each_unit_once(self, sweep, units_total):
        """results.h5 has every unit, each once and done."""
        rows = sweep.results()
        self.assertEqual(len(rows), units_total)
        self.assertEqual(len({row.id for row in rows}), units_total)
        self.assertEqual({row.status for row in rows}, {"done"})

    def assert_verifies(self, sweep, digest):
        verified = sweep.ask("verify")
        self.assert_ended(verified, COMPLETE)
        self.assertIn(digest, verified.out)
