"""moesweep.alpha with transformers: the change of a model's output is what the evaluator finds of the same noise.

Runs where torch and transformers can be imported, as transformers_test.py says.
"""
import pathlib
import sys
import unittest

import with_transformers  # noqa: F401, isort: skip

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

import checkpoint
import evaluation
import tokens
from moesweep.alpha import noise, terms, transformers_model

TINY = ROOT / "tests/data/tiny-moe"
EXPERTS = "model.layers.1.mlp.experts"


class Changes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.windows = tokens.spread(tokens.encode(TINY / "text-development.txt", TINY), 3, 128)
        model, cls.is_causal = transformers_model.load(TINY, "cpu")
        cls.model = transformers_model.TransformersModel(model, cls.windows, cls.is_causal, batch=2)
        cls.base = checkpoint.load(TINY)

    def added(self, names):
        return noise.noise_of("term", {name: self.model.weights(name) for name in names}, 0.01, 0)

    def kl(self, noisy):
        """By the evaluator, of tensors under their names in the checkpoint."""
        variant = checkpoint.Model(self.base.config, {**self.base.weights, **noisy})
        with evaluation.Reference(self.base, self.windows) as reference:
            return reference.measure(variant).kl

    def test_IsTheEvaluatorsKlOfEachWindow(self):
        self.assertTrue(self.is_causal)
        added = self.added(["lm_head.weight"])
        expected = self.kl({"lm_head.weight": self.base.weights["lm_head.weight"] + added["lm_head.weight"]})
        found = self.model.changes(added)
        self.assertTrue(numpy.allclose(found, expected, rtol=1e-3), (found, expected))
        self.assertGreater(min(found), 1e-4)

    def test_NoiseOnStackedExpertsIsNoiseOnEach(self):
        names = [name for name in self.model.shapes() if terms.objective_term(name) == f"{EXPERTS}.down"]
        added = self.added(names)
        stack = numpy.concatenate([values.reshape(-1, 256, 256) for values in added.values()])
        single = {f"{EXPERTS}.{i}.down_proj.weight": self.base.weights[f"{EXPERTS}.{i}.down_proj.weight"] + stack[i]
                  for i in range(12)}
        found, expected = self.model.changes(added), self.kl(single)
        self.assertTrue(numpy.allclose(found, expected, rtol=2e-2), (found, expected))

    def test_TheModelIsAsBeforeAfterwards(self):
        before = self.model.weights("lm_head.weight").copy()
        self.model.changes(self.added(["lm_head.weight"]))
        self.assertTrue(numpy.array_equal(before, self.model.weights("lm_head.weight")))
        self.assertEqual(max(map(abs, self.model.changes({}))), 0.0)


if __name__ == "__main__":
    unittest.main()
