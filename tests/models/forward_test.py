"""The forward pass gives transformers' logits, from either library's names, and computes nothing that it doesn't know."""
import pathlib
import unittest
from unittest import mock

import numpy

import architecture
import checkpoint
import forward
import small_models

HERE = pathlib.Path(__file__).resolve().parent
TINY = HERE.parent / "data" / "tiny-moe"
GOLDENS = numpy.load(HERE / "goldens.npz")


def small(kind, weights=None, **config):
    made, drawn = small_models.random_model(kind)
    return checkpoint.Model({**made, **config}, drawn if weights is None else weights)


def deviation(found, expected):
    """Largest difference over the largest logit."""
    return numpy.abs(found - expected).max() / numpy.abs(expected).max()


class Goldens(unittest.TestCase):
    """transformers in float64: make_goldens.py."""

    def agrees(self, name, model):
        found = forward.logits(model, GOLDENS[f"{name}.tokens"])[:, GOLDENS[f"{name}.positions"]]
        self.assertLess(deviation(found, GOLDENS[f"{name}.logits"]), 1e-5)

    def test_TinyMoe(self):
        self.agrees("tiny-moe", checkpoint.load(TINY))

    def test_RandomModelOfEachArchitecture(self):
        for kind in architecture.MODEL_TYPES:
            with self.subTest(kind):
                self.agrees(kind, small(kind))

    def test_ExpertsStackedAsMlxDoes(self):
        for kind in ("qwen2_moe", "qwen3_moe"):
            with self.subTest(kind):
                self.agrees(kind, small(kind, small_models.stacked(small_models.random_model(kind)[1])))


class Windows(unittest.TestCase):
    def test_WindowsDoNotSeeEachOther(self):
        model = checkpoint.load(TINY)
        ids = GOLDENS["tiny-moe.tokens"]
        both, second = forward.logits(model, ids), forward.logits(model, ids[1:])
        self.assertLess(deviation(both[1:], second), 1e-5)

    def test_TokensDoNotSeeThoseAfterThem(self):
        model = small("llama")
        ids = numpy.arange(40).reshape(1, 40)
        self.assertLess(deviation(forward.logits(model, ids)[:, :25], forward.logits(model, ids[:, :25])), 1e-5)

    def test_BatchesOfWindowsAreWhatAllAreAtOnce(self):
        for kind in architecture.MODEL_TYPES:
            model, ids = small(kind), numpy.arange(240).reshape(6, 40)
            whole = forward.logits(model, ids)
            for tokens in (160, 30):  # four windows, then two; one at a time
                with self.subTest(kind, tokens=tokens), mock.patch.object(forward, "BATCH_TOKENS", tokens):
                    self.assertLess(deviation(forward.logits(model, ids), whole), 1e-5)

    def test_TokensBeyondTheVocabularyAreRefused(self):
        for ids in ([[300]], [[-1]], [[]]):
            with self.assertRaisesRegex(ValueError, "from 0 to 299"):
                forward.logits(small("llama"), numpy.array(ids, int))


class Refusals(unittest.TestCase):
    def refused(self, words, model):
        with self.assertRaisesRegex(architecture.UnsupportedModel, words):
            forward.logits(model, numpy.zeros((1, 2), int))

    def test_ConfigsThatAskForSomethingElse(self):
        for words, kind, config in (
                ("model_type mamba", "llama", {"model_type": "mamba"}),
                ("rope_scaling of type yarn", "llama", {"rope_scaling": {"type": "yarn", "factor": 4}}),
                ("rope_scaling of type llama3", "llama", {"rope_parameters": {"rope_type": "llama3"}}),
                ("partial_rotary_factor", "llama", {"partial_rotary_factor": 0.5}),
                ("hidden_act gelu", "llama", {"hidden_act": "gelu"}),
                ("attention_bias of llama", "llama", {"attention_bias": True}),
                ("mlp_bias of llama", "llama", {"mlp_bias": True}),
                ("attention_bias of qwen3_moe", "qwen3_moe", {"attention_bias": True}),
                ("sliding windows", "qwen2_moe", {"use_sliding_window": True, "sliding_window": 8}),
                ("sliding windows", "qwen3_moe", {"layer_types": ["full_attention", "sliding_attention"]})):
            with self.subTest(words):
                self.refused(words, small(kind, **config))

    def test_TransformersFiveRopeParametersAreTheSameModel(self):
        config, weights = small_models.random_model("llama")
        theta = config.pop("rope_theta")
        newer = checkpoint.Model({**config, "rope_parameters": {"rope_type": "default", "rope_theta": theta}}, weights)
        ids = numpy.arange(20).reshape(1, 20)
        self.assertTrue(numpy.array_equal(forward.logits(newer, ids), forward.logits(small("llama"), ids)))

    def test_MissingTensors(self):
        _, weights = small_models.random_model("llama")
        del weights["model.layers.1.self_attn.v_proj.weight"]
        self.refused("lacks model.layers.1.self_attn.v_proj.weight", small("llama", weights))

    def test_TensorsThatNothingUses(self):
        _, weights = small_models.random_model("llama")
        weights["model.layers.0.self_attn.o_proj.bias"] = numpy.zeros(64, numpy.float32)
        self.refused("model.layers.0.self_attn.o_proj.bias", small("llama", weights))

    def test_HeadBesideATiedEmbeddingUnlessItIsTheSame(self):
        _, weights = small_models.random_model("llama")
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
        forward.logits(small("llama", weights), numpy.zeros((1, 2), int))
        weights["lm_head.weight"] = weights["lm_head.weight"] + 1
        self.refused("lm_head.weight", small("llama", weights))

    def test_StacksOfAnotherNumberOfExperts(self):
        weights = small_models.stacked(small_models.random_model("qwen3_moe")[1])
        self.refused("not stacks of 8 experts", small("qwen3_moe", weights, num_experts=8))


if __name__ == "__main__":
    unittest.main()
