"""Divergence, its statistics over windows, tokens, and the command's refusals."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy

import checkpoint
import evaluation
import small_models
import tokens
import window_statistics as statistics

HERE = pathlib.Path(__file__).resolve().parent
TINY = HERE.parent / "data" / "tiny-moe"
TEXT = TINY / "text-development.txt"


def log_softmax(logits):
    logits = logits.astype(float)
    return logits - numpy.log(numpy.exp(logits).sum(-1, keepdims=True))


def noisy(model, name, relative, seed=0):
    """The model with noise of `relative` root mean square in one tensor."""
    weight = model.weights[name]
    noise = numpy.random.default_rng(seed).standard_normal(weight.shape).astype(numpy.float32)
    noise *= relative * numpy.linalg.norm(weight) / numpy.linalg.norm(noise)
    return checkpoint.Model(model.config, {**model.weights, name: weight + noise})


class Divergence(unittest.TestCase):
    def test_SmallOnesAreRightToAThousandth(self):
        draws = numpy.random.default_rng(1)
        base = (3 * draws.standard_normal((50, 5000)) + 12).astype(numpy.float32)
        for size in (1e-1, 1e-2, 3e-3):  # KL of about size^2 / 2: 5e-3, 5e-5, 5e-6
            variant = (base + size * draws.standard_normal(base.shape)).astype(numpy.float32)
            p, q = log_softmax(base), log_softmax(variant)
            expected = (numpy.exp(p) * (p - q)).sum(-1).mean()
            self.assertAlmostEqual(evaluation.divergence(base, variant)[0].mean() / expected, 1, delta=1e-3)

    def test_AConstantAddedToLogitsIsNone(self):
        base = numpy.random.default_rng(2).standard_normal((4, 100)).astype(numpy.float32)
        self.assertLess(numpy.abs(evaluation.divergence(base, base + numpy.float32(2))[0]).max(), 1e-6)

    def test_TwoTokensByHand(self):
        base, variant = numpy.log(numpy.array([[[0.5, 0.5]], [[0.25, 0.75]]], numpy.float32))
        kl, base_sum, variant_sum = evaluation.divergence(base, variant)
        self.assertAlmostEqual(kl[0], 0.5 * numpy.log(2) + 0.5 * numpy.log(2 / 3), places=7)
        self.assertAlmostEqual(base_sum[0], 0, places=7)
        self.assertAlmostEqual(variant_sum[0], 0, places=7)


class Reference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stored = checkpoint.load(TINY)
        cls.model = checkpoint.Model(stored.config, dict(stored.weights), stored.weight_bytes)
        cls.windows = tokens.spread(tokens.encode(TEXT, TINY), 6, 64)
        cls.reference = evaluation.Reference(cls.model, cls.windows)

    @classmethod
    def tearDownClass(cls):
        cls.reference.__exit__()

    def test_TheBaseItselfHasNoDivergence(self):
        found = self.reference.measure(TINY)
        self.assertEqual(numpy.abs(found.kl).max(), 0)
        self.assertEqual(found.equal_top.tolist(), [1] * 6)
        self.assertEqual(found.loss.tolist(), self.reference.loss.tolist())
        self.assertEqual(found.weight_bytes, (TINY / "model.safetensors").stat().st_size)

    def test_MoreNoiseIsMoreDivergence(self):
        less, more = (self.reference.measure(noisy(self.model, "lm_head.weight", size)) for size in (0.01, 0.05))
        self.assertGreater(less.kl.min(), 0)
        self.assertTrue((more.kl > 5 * less.kl).all())
        self.assertGreaterEqual(less.equal_top.mean(), more.equal_top.mean())

    def test_LossIsThatOfTheNextToken(self):
        uniform = checkpoint.Model(self.model.config, {**self.model.weights,
                                                       "lm_head.weight": numpy.zeros((256, 256), numpy.float32)})
        self.assertAlmostEqual(self.reference.measure(uniform).loss.mean(), numpy.log(256), places=6)
        self.assertTrue((self.reference.loss < 2.5).all())  # trained: far less than log 256

    def test_ManyAreWhatEachIsAlone(self):
        variant = noisy(self.model, "model.layers.2.self_attn.o_proj.weight", 0.1)
        found = evaluation.evaluate_many(self.model, {"a": variant, "base": self.model}, self.windows)
        self.assertEqual(found["a"].kl.tolist(), self.reference.measure(variant).kl.tolist())
        self.assertEqual(found["base"].kl.tolist(), [0] * 6)

    def test_OtherVocabulariesAreRefused(self):
        config, weights = small_models.random_model("llama")
        with self.assertRaisesRegex(ValueError, "vocabulary of 300 can't be compared with one of 256"):
            self.reference.measure(checkpoint.Model(config, weights))


class Bootstrap(unittest.TestCase):
    def test_MeanAndStandardErrorByHand(self):
        found = statistics.estimate([1, 2, 3, 4])
        self.assertEqual(found.mean, 2.5)
        self.assertAlmostEqual(found.standard_error, (5 / 3) ** 0.5 / 2)

    def test_EveryResampleOfTwoWindowsIsAsLikelyAsItShouldBe(self):
        means = statistics.resampled_means(numpy.array([[0.0], [1.0]]))[:, 0]
        shares = [(means == value).mean() for value in (0, 0.5, 1)]  # 1/4, 1/2, 1/4; 10,000 draws: +- 0.005
        self.assertTrue(numpy.allclose(shares, [0.25, 0.5, 0.25], atol=0.02), shares)

    def test_IntervalIsTheNormalOneOfManyWindows(self):
        values = numpy.random.default_rng(3).standard_normal(400)
        found = statistics.estimate(values)
        self.assertAlmostEqual(found.hi - found.lo, 2 * 1.96 * found.standard_error, delta=0.05 * (found.hi - found.lo))

    def test_ADifferenceOfEveryWindowIsFoundHoweverFarWindowsAreApart(self):
        values = numpy.array([1.0, 10, 100, 1000])
        found = statistics.compare(values, values + 0.5)
        self.assertEqual((found.difference.mean, found.difference.lo, found.difference.hi), (-0.5, -0.5, -0.5))
        self.assertEqual(found.verdict, "better")
        self.assertAlmostEqual(found.p, 2 / 10_001)
        self.assertAlmostEqual(found.ratio, 1111 / 1113)
        self.assertEqual(statistics.compare(values + 0.5, values).verdict, "worse")

    def test_TwoSidedPByHand(self):
        # differences -1 and 2: resampled means are -1 (1/4), 0.5 (1/2) and 2 (1/4); twice the share at or under 0 is 1/2
        found = statistics.compare([0, 2], [1, 0])
        self.assertAlmostEqual(found.p, 0.5, delta=0.03)
        self.assertEqual(found.verdict, "tie")

    def test_EqualOnesTie(self):
        found = statistics.compare([1, 2, 3], [1, 2, 3])
        self.assertEqual((found.difference.mean, found.p, found.ratio, found.verdict), (0, 1, 1, "tie"))

    def test_SameSeedIsTheSame(self):
        values = numpy.random.default_rng(5).standard_normal(40)
        self.assertEqual(statistics.estimate(values, 7), statistics.estimate(values, 7))
        self.assertNotEqual(statistics.estimate(values, 7), statistics.estimate(values, 8))


class Tokens(unittest.TestCase):
    def test_BytesAreTheirOwnIds(self):
        self.assertEqual(tokens.encode(TEXT, TINY)[:20].tolist(), list(TEXT.read_bytes()[:20]))

    def test_WindowsReachFromEndToEndWithoutOverlap(self):
        found = tokens.spread(numpy.arange(100), 4, 10)
        self.assertEqual(found[:, 0].tolist(), [0, 30, 60, 90])
        self.assertEqual(found[2].tolist(), list(range(60, 70)))
        tight = tokens.spread(numpy.arange(31), 3, 10)
        self.assertTrue((numpy.diff(tight[:, 0]) >= 10).all())
        with self.assertRaisesRegex(tokens.TokensError, "31 tokens are too few for 4 windows of 10"):
            tokens.spread(numpy.arange(31), 4, 10)

    def test_MergesAreNotBytes(self):
        tokenizer = json.loads((TINY / "tokenizer.json").read_text())
        self.assertTrue(tokens.ids_are_bytes(tokenizer))
        tokenizer["model"]["merges"] = ["a b"]
        self.assertFalse(tokens.ids_are_bytes(tokenizer))


class Command(unittest.TestCase):
    def setUp(self):
        self._temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self._temporary.cleanup)
        self.folder = pathlib.Path(self._temporary.name)

    def run_command(self, *arguments):
        return subprocess.run([sys.executable, HERE / "evaluate", *map(str, arguments)], capture_output=True, text=True)

    def refused(self, words, *arguments):
        done = self.run_command(*arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(words, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def write_variant(self, name, relative):
        config, weights = small_models.random_model("llama")
        model = checkpoint.Model(config, weights)
        changed = noisy(model, "model.layers.0.mlp.up_proj.weight", relative).weights if relative else weights
        return small_models.write_model(self.folder / name, config, changed)

    def test_TableAndJsonOfTwoVariants(self):
        base, near, far = (self.write_variant(name, size) for name, size in (("base", 0), ("near", 0.01), ("far", 0.1)))
        numpy.save(self.folder / "ids.npy", numpy.random.default_rng(4).integers(0, 300, 2000))
        done = self.run_command(base, near, "--tokens", self.folder / "ids.npy", "--windows", 20, "--length", 16,
                                "--against", far, "--json", self.folder / "out.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads((self.folder / "out.json").read_text())
        self.assertEqual(set(found["variants"]), {str(near), str(far)})
        self.assertEqual(len(found["variants"][str(near)]["per_window"]["kl"]), 20)
        self.assertEqual(found["comparisons"][str(near)]["verdict"], "better")
        self.assertLess(found["comparisons"][str(near)]["ratio"], 0.05)
        self.assertIn("better", done.stdout)
        self.assertIn("20 windows of 16 tokens, evenly spread over the 2,000", done.stdout)

    def test_MistakesAreNamed(self):
        base = self.write_variant("base", 0)
        numpy.save(self.folder / "ids.npy", numpy.arange(300))
        numpy.save(self.folder / "reals.npy", numpy.ones(300))
        ids = ("--tokens", self.folder / "ids.npy", "--windows", 2, "--length", 16)
        self.refused("pass --tokens", base, base, "--text", TEXT)
        self.refused("too few for 48 windows of 256", base, base, "--tokens", self.folder / "ids.npy")
        self.refused("not one row of integers", base, base, "--tokens", self.folder / "reals.npy")
        self.refused("no config.json", base, self.folder, *ids)
        self.refused("vocabulary of 256 can't be compared with one of 300", base, TINY, *ids)


if __name__ == "__main__":
    unittest.main()
