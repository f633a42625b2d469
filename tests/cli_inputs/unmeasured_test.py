"""What a sweep did not measure is not 0: not in plans, not in comparisons, not on screen."""
import json
import re
import unittest

import numpy as np

from cli import BAD_INPUT, BAD_USAGE, COMPLETE, CliTest, moesweep, write_safetensors

LAYERS, EXPERTS, HIDDEN, INNER, WORDS = 2, 4, 64, 96, 128


def mixtral(seed=3):
    """Experts one by one, w1 w2 w3. The first layer's attention is heavy-tailed, the second's flat: SWAN has reasons to tell them apart."""
    random = np.random.default_rng(seed)
    tensors = {"model.embed_tokens.weight": random.standard_normal((WORDS, HIDDEN)),
               "model.norm.weight": np.ones(HIDDEN), "lm_head.weight": random.standard_normal((WORDS, HIDDEN))}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        for name in "qkvo":
            tensors[f"{prefix}self_attn.{name}_proj.weight"] = (
                random.standard_t(3, (HIDDEN, HIDDEN)) if layer == 0 else random.uniform(-1, 1, (HIDDEN, HIDDEN)))
        tensors[f"{prefix}block_sparse_moe.gate.weight"] = random.standard_normal((EXPERTS, HIDDEN))
        for expert in range(EXPERTS):
            for name, shape in (("w1", (INNER, HIDDEN)), ("w2", (HIDDEN, INNER)), ("w3", (INNER, HIDDEN))):
                tensors[f"{prefix}block_sparse_moe.experts.{expert}.{name}.weight"] = random.standard_normal(shape)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{prefix}{name}.weight"] = np.ones(HIDDEN)
    return {name: values.astype(np.float32) for name, values in tensors.items()}


def write_mixtral(folder, tensors=None):
    folder.mkdir()
    write_safetensors(folder / "model.safetensors", tensors or mixtral())
    (folder / "config.json").write_text(json.dumps(
        {"model_type": "mixtral", "num_hidden_layers": LAYERS, "num_local_experts": EXPERTS,
         "tie_word_embeddings": False}))
    return folder


class SweptCase(CliTest):
    SENSITIVITY = 'quantizers = ["affine"]\nbits = [3, 4, 8]\ngroup_sizes = [32, 64]\n'

    def swept(self, sensitivity=None, run="run", tensors=None, checkpoint=None):
        checkpoint = checkpoint or write_mixtral(self.folder / f"{run}-checkpoint", tensors)
        job = self.folder / f"{run}.toml"
        job.write_text(f'schema = 1\nkind = "sensitivity"\n[checkpoint]\npath = "{checkpoint}"\nnonfinite = "skip"\n'
                       f'[sensitivity]\n{sensitivity or self.SENSITIVITY}')
        return self.sweep(job, run)

    def allocate(self, run, *options):
        done = moesweep("allocate", run, "--json", "--out", self.folder / "plan.json", "--overwrite", *options)
        self.assert_ends(done, COMPLETE)
        return json.loads(done.stdout)

    def printed(self, run, *options):
        done = moesweep("allocate", run, "--out", self.folder / "plan.json", "--overwrite", *options)
        self.assert_ends(done, COMPLETE)
        return done.stdout

    def rows(self):
        return json.loads((self.folder / "plan.json").read_text())["rows"]

    def refused(self, run, *options, named, code=BAD_USAGE):
        out = self.folder / "none.json"
        self.assert_refused(moesweep("allocate", run, "--out", out, *options), code, *named)
        self.assertFalse(out.exists())


class UnmeasuredFormats(SweptCase):
    def with_flat_experts(self):
        """Experts of constant sign and size: SWAN's rule takes 2 bits for the flattest of them."""
        return self.SENSITIVITY + "weights = { svd = 0.0, kurtosis = 1.0, noise = 0.0, error = 0.0 }\n"

    def test_SwansTwoBitsHaveNoErrorAndAreOutOfTheRanking(self):
        run = self.swept(self.with_flat_experts())
        report = self.allocate(run, "--target", "9bpw")
        swan = report["compared"]["swan"]
        self.assertIsNone(swan["error"])
        self.assertLess(swan["measured_share"], 1)
        self.assertLess(swan["tensors_measured"], swan["tensors_quantized"])
        self.assertEqual(report["compared"]["budget"]["error"], report["without_headers"]["error"])
        table = self.printed(run, "--target", "9bpw").split("what as many bytes buy")[1]
        line = next(line for line in table.splitlines() if line.startswith("swan"))
        self.assertRegex(line, r"iB +- +groups of \d+.*measured for \d+ of \d+ quantized tensors")

    def test_ASwanPlanIsWrittenWithNullForWhatWasNotMeasured(self):
        run = self.swept(self.with_flat_experts())
        text = self.printed(run, "--method", "swan")
        self.assertRegex(text, r"(?m)^error -: measured for \d+ of \d+ quantized tensors \([\d.]+ % of their parameters\)$")
        self.assertIn("sensitivity.bits = [2, 3, 4, 8]", text)
        two_bits = [row for row in self.rows() if row["bits"] == 2]
        self.assertTrue(two_bits)
        for row in self.rows():
            if row["action"] == "quantize":
                self.assertEqual(row["sse"] is None, row["bits"] == 2, row)
        report = self.allocate(run, "--method", "swan")
        self.assertIsNone(report["without_headers"]["error"])
        # What is printed of a role is not the error of its measured part.
        for role in report["roles"]:
            unmeasured = any(row["bits"] == 2 for row in self.rows() if row["role"] == role["role"])
            self.assertEqual(role["nrmse"] is None, unmeasured, role)

    def test_MeasuredItIsANumber(self):
        run = self.swept(self.with_flat_experts().replace("[3, 4, 8]", "[2, 3, 4, 8]"))
        report = self.allocate(run, "--method", "swan")
        self.assertGreater(report["without_headers"]["error"], 0)
        self.assertEqual(report["without_headers"]["measured_share"], 1)
        self.assertEqual(report["how_to_measure_rest"], "")
        self.assertNotIn("error -", self.printed(run, "--method", "swan"))

    def test_ARoleThatWasNotSweptIsRefusedByEveryMethod(self):
        run = self.swept()
        for method in (["uniform", "--bits", "4"], ["budget", "--target", "5bpw"], ["budget", "--target", "14bpw"],
                       ["floor", "--target", "20dB"], ["swan"]):
            with self.subTest(method):
                self.refused(run, "--method", *method, "--role", "expert=2:32",
                             named=["--role expert=2:32", "was not swept", "sensitivity.bits = [2, 3, 4, 8]"])
        self.refused(run, "--target", "5bpw", "--role", "expert=4:128",
                     named=["was not swept", "sensitivity.group_sizes = [32, 64, 128]"])
        self.refused(run, "--target", "5bpw", "--quantizer", "affine", "--quantizer", "q6_k", "--role", "expert=6:256",
                     named=["was not swept", 'sensitivity.quantizers = ["affine", "q6_k"]'])

    def test_BitsAndGroupsThatWereNotSweptAreRefused(self):
        run = self.swept()
        self.refused(run, "--method", "uniform", "--bits", "2", named=["--bits 2", "sensitivity.bits = [2, 3, 4, 8]"])
        self.refused(run, "--target", "5bpw", "--bits", "4", "--bits", "6", named=["--bits 6", "sensitivity.bits"])
        self.refused(run, "--target", "5bpw", "--group-size", "128",
                     named=["--group-size 128", "sensitivity.group_sizes = [32, 64, 128]"])

    def test_AGroupThatNoOptionNamesIsOneThatWasSwept(self):
        run = self.swept(self.SENSITIVITY.replace("[32, 64]", "[32]"))
        report = self.allocate(run, "--method", "uniform")
        self.assertEqual(report["without_headers"]["how"], "4 bits in groups of 32")
        self.assertGreater(report["without_headers"]["error"], 0)

    def test_AMeasuredUniformFormatBeatsALargerOneThatWasNotMeasured(self):
        report = self.allocate(self.swept(), "--method", "uniform", "--target", "7.5bpw")
        self.assertIn("4 bits", report["without_headers"]["how"])
        self.assertIsNotNone(report["without_headers"]["error"])

    def test_MinimumBitsThatNoSweptFormatHasAreSaid(self):
        run = self.swept(self.SENSITIVITY.replace("[3, 4, 8]", "[3, 4]"))
        report = self.allocate(run, "--target", "28bpw", "--min-bits", "expert=8")
        note = next(note for note in report["notes"] if "--min-bits expert=8" in note)
        self.assertIn("sensitivity.bits = [3, 4, 8]", note)


class UnmeasuredTensors(SweptCase):
    EXPERT = "model.layers.1.block_sparse_moe.experts.2.w1.weight"

    def test_AFixedRoleThatOneTensorWasNotMeasuredInIsRefusedWhereErrorsAreMinimized(self):
        tensors = mixtral()
        checkpoint = write_mixtral(self.folder / "checkpoint", tensors)
        run = self.swept(self.SENSITIVITY, checkpoint=checkpoint)
        partly = self.folder / "partly"
        job = self.folder / "partly.toml"
        job.write_text(f'schema = 1\nkind = "sensitivity"\n[checkpoint]\npath = "{checkpoint}"\n'
                       f'exclude = ["{self.EXPERT}"]\n[sensitivity]\n{self.SENSITIVITY}')
        partly = self.sweep(job, "partly")
        self.allocate(run, "--target", "9bpw", "--role", "expert=4:32")
        self.refused(partly, "--target", "9bpw", "--role", "expert=4:32", code=BAD_INPUT,
                     named=["--role expert", "not measured", "expert=keep"])
        # A method that needs no errors meets the role and does not know what it costs.
        report = self.allocate(partly, "--method", "uniform", "--role", "expert=4:32")
        self.assertIsNone(report["without_headers"]["error"])
        self.assertEqual({row["sse"] is None for row in self.rows() if row["tensor"] == self.EXPERT}, {True})
        self.assertEqual(report["without_headers"]["tensors_quantized"] - report["without_headers"]["tensors_measured"], 1)

    def test_WhatIsNotFiniteIsKeptAndCostsNothing(self):
        tensors = mixtral()
        tensors[self.EXPERT][3, 5] = np.nan
        report = self.allocate(self.swept(tensors=tensors), "--method", "uniform", "--bits", "4")
        row = next(row for row in self.rows() if row["tensor"] == self.EXPERT)
        self.assertEqual((row["action"], row["sse"]), ("keep", 0))
        self.assertGreater(report["without_headers"]["error"], 0)

    def test_ASweepWithoutErrorsGivesSizesAlone(self):
        run = self.swept('metrics = ["moments"]\n')
        report = self.allocate(run, "--method", "uniform", "--bits", "4", "--role", "router=8:32")
        self.assertIsNone(report["without_headers"]["error"])
        self.assertEqual((report["compared"], report["curve"]), ({}, []))
        for row in self.rows():
            self.assertEqual(row["sse"] is None, row["action"] == "quantize", row)
        self.assertRegex(self.printed(run, "--method", "uniform"), r"(?m)^error -: measured for 0 of \d+ quantized tensors")
        self.refused(run, "--target", "5bpw", code=BAD_INPUT, named=["was measured", "sensitivity.quantizers"])


class WrittenAndVerified(SweptCase):
    def test_APlanWithoutErrorsIsNotCalledAsPlanned(self):
        run = self.swept('metrics = ["moments"]\n')
        self.allocate(run, "--method", "uniform", "--bits", "4", "--group-size", "32")
        plan, written = self.folder / "plan.json", self.folder / "written"
        done = moesweep("quantize", run, "--plan", plan, "--to", "mlx", written)
        self.assert_ends(done, COMPLETE)
        self.assertNotIn("are the plan's", done.stdout)
        self.assertRegex(done.stdout, r"squared errors of \d+ tensors were not measured in the plan")
        done = moesweep("verify-plan", plan, written, "--against", self.folder / "run-checkpoint")
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stdout, r"squared errors of 0 of \d+ tensors as planned, \d+ not measured in the plan")
        done = moesweep("verify-plan", plan, written, "--against", self.folder / "run-checkpoint", "--json")
        for check in json.loads(done.stdout)["errors"]:
            self.assertIsNone(check["planned_sse"])
            self.assertGreater(check["measured_sse"], 0)


if __name__ == "__main__":
    unittest.main()
