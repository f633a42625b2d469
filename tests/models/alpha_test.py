"""moesweep.alpha: terms are the plan's, noise has its size, a run that was killed resumes, allocate reads what is written."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

import sweeps
from moesweep.alpha import measurement, noise, terms

TINY = ROOT / "tests/data/tiny-moe"
JOB = f"""
schema = 1
name = "alpha"
kind = "sensitivity"
[checkpoint]
path = "{TINY}"
[sensitivity]
metrics = ["error"]
quantizers = ["affine"]
bits = [3, 4, 8]
group_sizes = [64]
"""


def moesweep(*arguments):
    return subprocess.run([sweeps.binary(), *map(str, arguments)], capture_output=True, text=True, env=sweeps.environment())


class Quadratic:
    """A model whose output changes by c |noise|^2 / |weights|^2 of each parameter, in each of two windows."""

    def __init__(self, costs, bend=0.0):
        rng = numpy.random.default_rng(5)
        self.costs, self.bend = costs, bend
        self.arrays = {name: rng.standard_normal((4, 32), dtype=numpy.float32) for name in costs}
        self.calls = []

    def shapes(self):
        return {name: values.shape for name, values in self.arrays.items()}

    def weights(self, name):
        return self.arrays[name]

    def changes(self, added):
        self.calls.append(sorted(added))
        size = {name: float((values.astype(float) ** 2).sum() / (self.arrays[name].astype(float) ** 2).sum())
                for name, values in added.items()}
        cost = sum(self.costs[name] * (size[name] + self.bend * size[name] ** 2) for name in added)
        return [0.9 * cost, 1.1 * cost]


def single_terms(costs, prior=1.0):
    return [terms.Term(name, prior, 128) for name in costs], {name: [name] for name in costs}


class Terms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        (cls.folder / "job.toml").write_text(JOB)
        for arguments in (("run", cls.folder / "job.toml", "--run-dir", cls.folder / "run", "--quiet"),
                          ("allocate", cls.folder / "run", "--method", "uniform", "--out", cls.folder / "plan.json")):
            done = moesweep(*arguments)
            assert done.returncode == 0, done.stderr

    def rows(self):
        return json.loads((self.folder / "plan.json").read_text())["rows"]

    def test_AreThoseOfThePlanForEveryTensor(self):
        for row in self.rows():
            self.assertEqual(terms.objective_term(row["tensor"]), row["term"])

    def test_FusedAndSingleExpertsAreOneTermForEachOfTheirTwoProjections(self):
        layer = "model.layers.3.mlp.experts"
        for name in ("gate_up_proj", "7.gate_proj.weight", "7.up_proj.weight", "7.w1.weight", "gate_proj.weight"):
            self.assertEqual(terms.objective_term(f"{layer}.{name}"), f"{layer}.gate_up")
        for name in ("down_proj", "11.down_proj.weight", "11.w2.weight"):
            self.assertEqual(terms.objective_term(f"{layer}.{name}"), f"{layer}.down")
        dense = "model.layers.3.mlp.up_proj.weight"
        self.assertEqual(terms.objective_term(dense), dense)

    def test_EveryMeasuredMatrixBelongsToOneAndHasItsPrior(self):
        found = {term.name: term for term in terms.read_terms(self.folder / "plan.json")}
        self.assertEqual(found["lm_head.weight"].prior, 50)
        self.assertEqual(found["model.layers.0.self_attn.v_proj.weight"].prior, 2)
        self.assertEqual(found["model.layers.0.self_attn.q_proj.weight"].prior, 0.5)
        self.assertEqual(found["model.layers.1.mlp.experts.gate_up"].prior, 1)
        self.assertEqual(found["model.layers.1.mlp.experts.gate_up"].params, 2 * 12 * 256 * 256)
        self.assertNotIn("model.norm.weight", found)
        self.assertEqual(len(found), 2 + 4 * (4 + 1 + 2))

    def test_AModelOfOtherSizesIsRefusedByTerm(self):
        plan = terms.read_terms(self.folder / "plan.json")
        shapes = {row["tensor"]: tuple(map(int, row["shape"].split("x"))) for row in self.rows()}
        self.assertEqual(len(terms.parameters_of(plan, shapes)["model.layers.1.mlp.experts.down"]), 12)
        del shapes["model.layers.1.mlp.experts.5.down_proj.weight"]
        with self.assertRaisesRegex(terms.PlanError, "layers.1.mlp.experts.down: has 786,432 weights in the plan and 720,896"):
            terms.parameters_of(plan, shapes)

    def test_NamesThatTransformersChangesAreFound(self):
        stack, dense = terms.Term("model.layers.0.block_sparse_moe.experts.down", 1, 64), terms.Term("wte.weight", 1, 32)
        absent = terms.Term("mtp.fc.weight", 1, 8)
        shapes = {"model.layers.0.mlp.experts.down_proj": (2, 4, 8), "transformer.wte.weight": (4, 8)}
        self.assertEqual(terms.parameters_of([stack, dense, absent], shapes),
                         {stack.name: ["model.layers.0.mlp.experts.down_proj"], dense.name: ["transformer.wte.weight"],
                          absent.name: []})
        with self.assertRaisesRegex(terms.PlanError, "aren't in the model"):
            terms.parameters_of([absent], shapes)
        self.assertEqual(terms.objective_term("l.0.block_sparse_moe.input_linear.weight"), "l.0.block_sparse_moe.input_linear")

    def test_PlansThatSayNoPriorAreRefused(self):
        for damage, named in (({"prior": "none"}, "without the prior"), ({"rows": None}, "none of a plan"),
                              ({"rows": [{"action": "keep"}]}, "none of a plan")):
            path = self.folder / "damaged.json"
            path.write_text(json.dumps({**json.loads((self.folder / "plan.json").read_text()), **damage}))
            with self.assertRaisesRegex(terms.PlanError, named):
                terms.read_terms(path)

    def test_PlansOf02AreRefused(self):
        old = self.folder / "old.json"
        old.write_text(json.dumps({"schema": 1, "rows": []}))
        with self.assertRaisesRegex(terms.PlanError, "schema 1"):
            terms.read_terms(old)

    def test_AllocateReadsWhatIsWritten(self):
        plan = terms.read_terms(self.folder / "plan.json")
        measured = {term.name: measurement.Measured(term.name, [0.5 + i, 0.7 + i], {}) for i, term in enumerate(plan)}
        out = self.folder / "alpha.csv"
        measurement.write_csv(out, plan, measured)
        done = moesweep("allocate", self.folder / "run", "--target", "4.5bpw", "--alpha", out, "--json", "--out",
                        self.folder / "measured.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        alphas = {row["term"]: row["alpha"] for row in json.loads((self.folder / "measured.json").read_text())["rows"]}
        for term in plan:
            self.assertAlmostEqual(alphas[term.name], max(measured[term.name].alpha, measurement.FLOOR * term.prior
                                                          * measurement.prior_scale(plan, measured)), places=4)


class Noise(unittest.TestCase):
    weights = {"a": numpy.random.default_rng(1).standard_normal((8, 64), dtype=numpy.float32),
               "b": 10 * numpy.random.default_rng(2).standard_normal((2, 64), dtype=numpy.float32)}

    def test_HasItsRelativeSizeOverAllTensorsOfTheTerm(self):
        added = noise.noise_of("term", self.weights, 0.003, 0)
        ratio = sum((values.astype(float) ** 2).sum() for values in added.values()) \
            / sum((values.astype(float) ** 2).sum() for values in self.weights.values())
        self.assertAlmostEqual(ratio, 0.003, places=8)
        self.assertAlmostEqual(added["a"].std() / added["b"].std(), 1.0, delta=0.15)

    def test_IsTheSameInEachCallAndAnotherForEachTermAndSeed(self):
        first = noise.noise_of("term", self.weights, 0.003, 0)
        self.assertTrue(numpy.array_equal(first["a"], noise.noise_of("term", self.weights, 0.003, 0)["a"]))
        larger = noise.noise_of("term", self.weights, 0.012, 0)["a"]
        self.assertTrue(numpy.allclose(larger, 2 * first["a"], rtol=1e-5))
        for other in (noise.noise_of("other", self.weights, 0.003, 0), noise.noise_of("term", self.weights, 0.003, 1)):
            self.assertFalse(numpy.array_equal(first["a"], other["a"]))


class Measurement(unittest.TestCase):
    costs = {"a": 2.0, "b": 0.5, "c": 0.125}

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.path = pathlib.Path(temporary.name) / "alpha.csv.partial"
        self.settings = measurement.Settings("model")

    def measure(self, model, **options):
        plan, parameters = single_terms(self.costs)
        return measurement.measure(model, plan, parameters, measurement.Record(self.path, self.settings), **options)

    def test_AlphaIsTheChangeOverTheNoise(self):
        found = self.measure(Quadratic(self.costs))
        for name, cost in self.costs.items():
            self.assertAlmostEqual(found[name].alpha, cost, delta=1e-5 * cost)
            low, high = found[name].interval()
            self.assertAlmostEqual(high - low, 2 * 1.96 * 0.1 * cost, delta=1e-5 * cost)
            self.assertTrue(found[name].is_linear())

    def test_WhatIsNotLinearIsSaid(self):
        self.assertFalse(self.measure(Quadratic(self.costs, bend=100.0))["a"].is_linear())
        unchecked = measurement.Measured("a", [1.0, 1.0], {})
        self.assertIsNone(unchecked.is_linear())

    def test_ARecordThatWasTornResumesWithWhatItLacks(self):
        self.measure(Quadratic(self.costs), check=0)
        text = self.path.read_text()
        self.path.write_text(text[:-20])
        again = Quadratic(self.costs)
        found = self.measure(again, check=0)
        self.assertEqual(again.calls, [["c"]])
        self.assertAlmostEqual(found["c"].alpha, 0.125, delta=1e-6)
        whole = Quadratic(self.costs)
        self.measure(whole, check=0)
        self.assertEqual(whole.calls, [])

    def test_ARecordWithoutAWholeFirstLineIsBegunAnew(self):
        for text in ("", '{"model": "mo'):
            self.path.write_text(text)
            self.assertEqual(len(self.measure(Quadratic(self.costs), check=0)), 3)
            self.path.unlink()

    def test_EntriesThatAreNoNumbersAreMeasuredAgain(self):
        self.measure(Quadratic(self.costs), check=0)
        head = self.path.read_text().split("\n")[0]
        bad = [{"term": "a", "ratios": ratios, "checked": {}} for ratios in (None, [], ["1"], [float("nan")])]
        self.path.write_text("\n".join([head, *map(json.dumps, bad), "[]", "\x00", ""]))
        again = Quadratic(self.costs)
        self.measure(again, check=0)
        self.assertEqual(again.calls, [["a"], ["b"], ["c"]])

    def test_OtherWeightsOfTheSameShapesAreAnotherModel(self):
        one, other = Quadratic(self.costs), Quadratic(self.costs)
        self.assertEqual(measurement.fingerprint(one, [[1, 2]]), measurement.fingerprint(other, [[1, 2]]))
        other.arrays["b"] = other.arrays["b"] * 1.5
        self.assertNotEqual(measurement.fingerprint(one, [[1, 2]]), measurement.fingerprint(other, [[1, 2]]))
        self.assertNotEqual(measurement.fingerprint(one, [[1, 2]]), measurement.fingerprint(one, [[2, 1]]))

    def test_ATermThatIsNotLoadedHasThePrior(self):
        plan, _ = single_terms({"a": 2.0, "b": 0.0})
        measured = {"a": measurement.Measured("a", [3.0, 3.0], {})}
        self.assertEqual(measurement.prior_scale(plan, measured), 3.0)
        self.assertEqual(measurement.alpha_of(None, 1.0, 3.0), 3.0)
        out = self.path.with_name("alpha.csv")
        measurement.write_csv(out, plan, measured)
        self.assertEqual(out.read_text().splitlines()[2], "b,3,,,,1,")

    def test_NothingThatMattersIsRefused(self):
        plan, _ = single_terms({"a": 0.0})
        for ratio in (0.0, -1.0):
            with self.assertRaisesRegex(ValueError, "changes the output"):
                measurement.prior_scale(plan, {"a": measurement.Measured("a", [ratio], {})})

    def test_ARecordOfAnotherModelOrSeedIsRefused(self):
        self.measure(Quadratic(self.costs))
        for other in (measurement.Settings("other"), measurement.Settings("model", seed=1),
                      measurement.Settings("model", noise=0.01)):
            with self.assertRaisesRegex(ValueError, "is of another model"):
                measurement.Record(self.path, other)

    def test_NoTermIsFree(self):
        costs = {"a": 2.0, "b": 0.0}
        plan, _ = single_terms(costs)
        measured = {"a": measurement.Measured("a", [2.0, 2.0], {}), "b": measurement.Measured("b", [0.0, 0.0], {})}
        self.assertEqual(measurement.prior_scale(plan, measured), 1.0)
        self.assertEqual(measurement.alpha_of(measured["b"], 1.0, 1.0), 1 / 20)
        self.assertEqual(measurement.alpha_of(measured["a"], 1.0, 1.0), 2.0)


if __name__ == "__main__":
    unittest.main()
