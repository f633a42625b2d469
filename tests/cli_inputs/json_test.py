"""--json: one valid document on stdout and nothing else. --quiet: nothing on stdout."""
import json
import unittest

import numpy as np
from cli import BAD_INPUT, COMPLETE, SOME_FAILED, STOPPED_EARLY, CliTest, moesweep, write_safetensors

HOSTILE_NAME = 'layers.0.\u00e9\u202e"\\.weight'


class MachineReadable(CliTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(7)
        self.checkpoint = self.folder / "model.safetensors"
        write_safetensors(self.checkpoint, {HOSTILE_NAME: random.standard_normal((64, 64)),
                                            "plain.weight": random.standard_normal((64, 64)),
                                            "bad.weight": np.full((64, 64), np.nan)})
        self.run_directory = self.folder / "run"
        self.counter = 0

    def commands(self):
        """Every command, in an order in which each has what it needs; with the code it ends with."""
        self.counter += 1
        run = self.folder / f"run{self.counter}"
        job = self.job(self.checkpoint)
        return [(("inspect", self.checkpoint), COMPLETE),
                (("plan", job), COMPLETE),
                (("plan", job, "--units"), COMPLETE),
                (("run", job, "--run-dir", run), SOME_FAILED),
                (("run", job, "--run-dir", run, "--set", "checkpoint.nonfinite=fail"), SOME_FAILED),
                (("status", run), COMPLETE),
                (("aggregate", run), COMPLETE),
                (("verify", run), STOPPED_EARLY),
                (("export", run, self.folder / f"out{self.counter}", "--to", "csv"), COMPLETE)]

    def test_json_is_one_document_and_nothing_else(self):
        for arguments, code in self.commands():
            with self.subTest(arguments[0]):
                done = moesweep(*arguments, "--json")
                self.assert_ends(done, code)
                json.loads(done.stdout)

    def test_json_of_a_complete_sweep(self):
        run = self.folder / "run"
        done = moesweep("run", self.job(), "--run-dir", run, "--json")
        self.assert_ends(done, COMPLETE)
        self.assertEqual(done.stderr, "")
        report = json.loads(done.stdout)
        self.assertEqual(report["results_digest"], json.loads(moesweep("verify", run, "--json").stdout)["results_digest"])
        self.assertRegex(report["results_digest"], "^[0-9a-f]{32}$")

    def test_quiet_prints_nothing_on_stdout(self):
        for arguments, code in self.commands():
            with self.subTest(arguments[0]):
                done = moesweep(*arguments, "--quiet")
                self.assert_ends(done, code)
                self.assertEqual(done.stdout, "")

    def test_names_keep_their_text_in_json(self):
        done = moesweep("inspect", self.checkpoint, "--json")
        self.assertIn(HOSTILE_NAME, [tensor["name"] for tensor in json.loads(done.stdout)["list"]])

    def test_names_that_drive_a_terminal_are_refused_and_not_printed(self):
        for character in ("\x1b", "\u009b", "\x00", "\n"):
            write_safetensors(self.checkpoint, {f"layers{character}[31m.weight": np.zeros((8, 8))})
            for more in ((), ("--json",)):
                done = moesweep("inspect", self.checkpoint, *more)
                self.assert_refused(done, BAD_INPUT, self.checkpoint, "control characters")
                self.assertNotIn(character, done.stderr.rstrip("\n"))

    def test_name_that_is_not_utf8_is_refused(self):
        header = b'{"layers.\xff.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        self.checkpoint.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
        self.assert_refused(moesweep("inspect", self.checkpoint, "--json"), BAD_INPUT, self.checkpoint)


if __name__ == "__main__":
    unittest.main()
