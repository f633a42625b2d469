"""The forward pass agrees with transformers: tiny-moe, random models of the other architectures, folders that are given.

Runs where torch and transformers can be imported: in this interpreter, or in the one that MOESWEEP_TRANSFORMERS_PYTHON
names.
    MOESWEEP_TRANSFORMERS_PYTHON=venv/bin/python ctest --test-dir build/release -L models-transformers
    venv/bin/python tests/models/transformers_test.py MODEL...
"""
import pathlib
import sys
import tempfile
import unittest

import with_transformers  # noqa: F401, isort: skip

import numpy
import torch
import transformers

import checkpoint
import forward
import tokens

TINY = pathlib.Path(__file__).resolve().parents[1] / "data" / "tiny-moe"
TEXT = TINY / "text-development.txt"
SMALL = dict(vocab_size=300, hidden_size=96, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2,
             max_position_embeddings=512, tie_word_embeddings=True, initializer_range=0.1)
LLAMA = dict(intermediate_size=200, rope_theta=100000.0, rms_norm_eps=1e-5)
QWEN2_MOE = dict(intermediate_size=160, moe_intermediate_size=48, shared_expert_intermediate_size=112, num_experts=10,
                 num_experts_per_tok=3, decoder_sparse_step=2, norm_topk_prob=False)
FOLDERS = []


def windows(folder, count=4, length=128):
    """Of a held-out text, by the model's own tokenizer; random models take bytes."""
    source = folder if (folder / "tokenizer.json").exists() else TINY
    return tokens.spread(tokens.encode(TEXT, source), count, length)


def reference_logits(folder, ids, dtype):
    """[W, L, V] by transformers."""
    plain = {"attn_implementation": "eager"}
    if int(transformers.__version__.split(".")[0]) >= 5:
        plain["experts_implementation"] = "eager"  # the grouped products know no float64
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **plain).eval()
    with torch.no_grad():
        return model(torch.from_numpy(ids)).logits.numpy()


def deviation(found, expected):
    """Root of the mean squared difference over that of the logits, and the largest difference over the largest logit."""
    difference, expected = found - expected, expected.astype(float)
    return (float(numpy.sqrt((difference ** 2).mean() / (expected ** 2).mean())),
            float(numpy.abs(difference).max() / numpy.abs(expected).max()))


def save_random(kind, folder, seed, **sizes):
    """A random model, biases and norms not the 0 and 1 they start with, saved in shards as transformers does."""
    torch.manual_seed(seed)
    config = getattr(transformers, f"{kind}Config")(**SMALL, **sizes)
    model = getattr(transformers, f"{kind}ForCausalLM")(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder, max_shard_size="400KB")


class Agreement(unittest.TestCase):
    def agrees(self, folder):
        folder = pathlib.Path(folder)
        ids = windows(folder)
        found = forward.logits(checkpoint.load(folder), ids)
        for dtype in (torch.float32, torch.float64):
            by_root, by_largest = deviation(found, reference_logits(folder, ids, dtype))
            print(f"{folder.name}: {dtype}: {by_root:.2g} root mean square, {by_largest:.2g} largest", flush=True)
            self.assertLess(by_root, 1e-5)
            self.assertLess(by_largest, 1e-5)

    def test_TinyMoe(self):
        self.agrees(TINY)

    def test_RandomLlamaWithGroupedQueriesAndTiedHead(self):
        with tempfile.TemporaryDirectory(prefix="llama-") as folder:
            save_random("Llama", folder, 1, **LLAMA)
            self.agrees(folder)

    def test_RandomQwen2MoeWithSharedExpertAndDenseLayers(self):
        for normalize in (False, True):
            with self.subTest(norm_topk_prob=normalize), tempfile.TemporaryDirectory(prefix="qwen2_moe-") as folder:
                save_random("Qwen2Moe", folder, 2, **{**QWEN2_MOE, "norm_topk_prob": normalize})
                self.agrees(folder)

    def test_FoldersOfTheCommandLine(self):
        for folder in FOLDERS:
            with self.subTest(folder):
                self.agrees(folder)


if __name__ == "__main__":
    FOLDERS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
