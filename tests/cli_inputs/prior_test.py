"""How much errors count: the prior by role, its warnings, and what a plan of 0.2 is told."""
import csv
import json
import unittest

import numpy as np

from cli import BAD_INPUT, BAD_USAGE, COMPLETE, CliTest, moesweep, write_safetensors

LAYERS, HIDDEN, INNER, WORDS = 3, 64, 128, 1024


def bf16(values):
    """As a tensor of BF16, cut off."""
    words = np.ascontiguousarray(values, "<f4").view("<u4") >> 16
    return "BF16", values.shape, words.astype("<u2").tobytes()


def llama(seed=7, has_head=False):
    random = np.random.default_rng(seed)
    shapes = {"model.embed_tokens.weight": (WORDS, HIDDEN)}
    if has_head:
        shapes["lm_head.weight"] = (WORDS, HIDDEN)
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        shapes |= {f"{prefix}self_attn.{name}_proj.weight": (HIDDEN, HIDDEN) for name in "qkvo"}
        shapes |= {f"{prefix}mlp.gate_proj.weight": (INNER, HIDDEN), f"{prefix}mlp.up_proj.weight": (INNER, HIDDEN),
                   f"{prefix}mlp.down_proj.weight": (HIDDEN, INNER), f"{prefix}input_layernorm.weight": (HIDDEN,),
                   f"{prefix}post_attention_layernorm.weight": (HIDDEN,)}
    shapes["model.norm.weight"] = (HIDDEN,)
    return {name: bf16(random.standard_normal(shape)) for name, shape in shapes.items()}


def bert(seed=8):
    random = np.random.default_rng(seed)
    layer = "encoder.layer.0."
    shapes = {"embeddings.word_embeddings.weight": (WORDS, HIDDEN), "embeddings.position_embeddings.weight": (128, HIDDEN),
              "embeddings.LayerNorm.weight": (HIDDEN,), "pooler.dense.weight": (HIDDEN, HIDDEN),
              f"{layer}intermediate.dense.weight": (INNER, HIDDEN), f"{layer}output.dense.weight": (HIDDEN, INNER),
              f"{layer}attention.output.dense.weight": (HIDDEN, HIDDEN), f"{layer}output.LayerNorm.weight": (HIDDEN,)}
    shapes |= {f"{layer}attention.self.{name}.weight": (HIDDEN, HIDDEN) for name in ("query", "key", "value")}
    tensors = {name: bf16(random.standard_normal(shape)) for name, shape in shapes.items()}
    positions = np.arange(128, dtype="<i8")
    return tensors | {"embeddings.position_ids": ("I64", (1, 128), positions.tobytes())}


class PriorCase(CliTest):
    def swept(self, tensors, config, run="run"):
        checkpoint = self.folder / f"{run}-checkpoint"
        write_safetensors(checkpoint / "model.safetensors", tensors)
        if config:
            (checkpoint / "config.json").write_text(json.dumps(config))
        job = self.folder / f"{run}.toml"
        job.write_text(f'schema = 1\nkind = "sensitivity"\n[checkpoint]\npath = "{checkpoint}"\n[sensitivity]\n'
                       'quantizers = ["affine"]\nbits = [2, 3, 4, 6, 8]\ngroup_sizes = [64]\n')
        return self.sweep(job, run)

    def allocate(self, run, *options, out="plan.json"):
        done = moesweep("allocate", run, "--json", "--out", self.folder / out, "--overwrite", *options)
        self.assert_ends(done, COMPLETE)
        return json.loads(done.stdout)

    def rows(self, out="plan.json"):
        return {row["tensor"]: row for row in json.loads((self.folder / out).read_text())["rows"]}


class TiedEmbedding(PriorCase):
    CONFIG = {"model_type": "llama", "num_hidden_layers": LAYERS, "tie_word_embeddings": True,
              "architectures": ["LlamaForCausalLM"]}

    def setUp(self):
        super().setUp()
        self.run_directory = self.swept(llama(), self.CONFIG)

    def test_CountsFiftyAndKeepsItsBits(self):
        report = self.allocate(self.run_directory, "--target", "4bpw")
        self.assertEqual([(group["alpha"], group["tensors"]) for group in report["alphas"]],
                         [(50, 1), (2, LAYERS), (1, 4 * LAYERS), (0.5, LAYERS), (0.5, LAYERS)])
        self.assertEqual(report["prior"], "role")
        with_prior = self.rows()["model.embed_tokens.weight"]
        self.assertEqual(with_prior["alpha"], 50)
        self.assertEqual(with_prior["term"], "model.embed_tokens.weight")
        self.allocate(self.run_directory, "--target", "4bpw", "--prior", "none")
        without = self.rows()["model.embed_tokens.weight"]
        self.assertEqual(without["alpha"], 1)
        self.assertGreater(with_prior["bits"], without["bits"])

    def test_IsTheSameWhoeverSaysThatItIsTheHead(self):
        expected = {name: row["alpha"] for name, row in self.rows_of("run").items()}
        for run, config in (("untold", {"model_type": "new", "architectures": ["NewForCausalLM"]}), ("bare", None)):
            self.swept(llama(), config, run)
            found = self.rows_of(run, "--architecture", "generic")
            self.assertEqual({name: row["alpha"] for name, row in found.items()}, expected, run)

    def rows_of(self, run, *options):
        self.allocate(self.folder / run, "--target", "4bpw", *options)
        return self.rows()

    def test_AlphaWinsOverThePriorAndEveryRuntimeAndMethodHasIt(self):
        self.allocate(self.run_directory, "--target", "4bpw", "--alpha", "embedding=3")
        self.assertEqual(self.rows()["model.embed_tokens.weight"]["alpha"], 3)
        for options in (("--method", "uniform"), ("--method", "swan"), ("--method", "floor", "--target", "20dB")):
            self.allocate(self.run_directory, *options)
            self.assertEqual(self.rows()["model.embed_tokens.weight"]["alpha"], 50, options)
        self.assert_refused(moesweep("allocate", self.run_directory, "--target", "4bpw", "--prior", "some"), BAD_USAGE,
                            "--prior some", "role", "none")

    def test_IsPrintedWithItsReason(self):
        done = moesweep("allocate", self.run_directory, "--target", "4bpw", "--out", self.folder / "plan.json")
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stdout, r"(?m)^ *50 +embedding that is also the output head +1 +65,536 +model.embed_tokens")
        self.assertRegex(done.stdout, r"(?m)^ *0.5 +q ")

    def test_AStarvedTermIsNamed(self):
        report = self.allocate(self.run_directory, "--target", "4bpw", "--prior", "none")
        named = [note for note in report["notes"] if note.startswith("model.embed_tokens.weight counts 50")]
        self.assertEqual(len(named), 1, report["notes"])
        report = self.allocate(self.run_directory, "--target", "4bpw")
        self.assertFalse([note for note in report["notes"] if " counts 50" in note])

    def test_PlansWithoutThePriorThatStarveItAreWarnedOf(self):
        self.allocate(self.run_directory, "--bits", "2", "--bits", "6", "--target", "4.2bpw", "--prior", "none")
        plan = self.folder / "plan.json"
        document = json.loads(plan.read_text())
        self.assertEqual(document["schema"], 3)
        self.assertEqual(self.rows()["model.embed_tokens.weight"]["bits"], 2)
        old = {**document, "schema": 1, "rows": [{key: value for key, value in row.items() if key not in ("term", "alpha")}
                                                 for row in document["rows"]]}
        del old["prior"]
        (self.folder / "old.json").write_text(json.dumps(old))
        for i, path in enumerate((plan, self.folder / "old.json")):
            written = self.folder / f"written{i}"
            done = moesweep("quantize", self.run_directory, written, "--plan", path, "--to", "mlx")
            self.assert_ends(done, COMPLETE)
            self.assertIn("model.embed_tokens.weight makes the logits and has 2 bits", done.stderr)
            checked = moesweep("verify-plan", path, written)
            self.assert_ends(checked, COMPLETE)
            self.assertIn("model.embed_tokens.weight makes the logits and has 2 bits", checked.stderr)
            self.assertEqual(len(json.loads(moesweep("verify-plan", path, written, "--json").stdout)["warnings"]), 1)

    def test_GoodPlansAreNotWarnedOf(self):
        self.allocate(self.run_directory, "--target", "4bpw")
        done = moesweep("quantize", self.run_directory, self.folder / "written", "--plan", self.folder / "plan.json",
                        "--to", "mlx")
        self.assert_ends(done, COMPLETE)
        self.assertNotIn("makes the logits", done.stderr)


class Unnamed(PriorCase):
    def test_AModelThatPredictsTokensWithoutANameForItsOutputIsTold(self):
        tensors = llama()
        tensors["model.table.weight"] = tensors.pop("model.embed_tokens.weight")
        run = self.swept(tensors, {"model_type": "new", "architectures": ["NewForCausalLM"]})
        report = self.allocate(run, "--target", "5bpw", "--architecture", "generic")
        self.assertTrue([note for note in report["notes"] if "makes its logits" in note], report["notes"])


class Head(PriorCase):
    def test_CountsFiftyAndTheEmbeddingOne(self):
        run = self.swept(llama(has_head=True), {**TiedEmbedding.CONFIG, "tie_word_embeddings": False})
        self.allocate(run, "--target", "4bpw")
        self.assertEqual(self.rows()["lm_head.weight"]["alpha"], 50)
        self.assertEqual(self.rows()["model.embed_tokens.weight"]["alpha"], 1)


class Encoder(PriorCase):
    CONFIG = {"model_type": "bert", "architectures": ["BertModel"], "num_hidden_layers": 1}

    def test_HasNoOutputHeadAndItsBuffersAreNoParameters(self):
        run = self.swept(bert(), self.CONFIG)
        report = self.allocate(run, "--target", "5bpw", "--architecture", "generic")
        rows = self.rows()
        self.assertEqual(max(row["alpha"] for row in rows.values()), 2)
        roles = {name: row["role"] for name, row in rows.items()}
        self.assertEqual(roles["pooler.dense.weight"], "pooler")
        self.assertEqual(roles["embeddings.LayerNorm.weight"], "norm")
        self.assertEqual(roles["encoder.layer.0.output.LayerNorm.weight"], "norm")
        self.assertEqual(roles["encoder.layer.0.output.dense.weight"], "mlp")
        self.assertEqual(roles["embeddings.position_ids"], "buffer")
        self.assertEqual(rows["encoder.layer.0.attention.self.value.weight"]["alpha"], 2)
        params = sum(row["params"] for row in rows.values())
        self.assertEqual(report["params"], params - 128)
        checkpoint = self.folder / "run-checkpoint"
        inspected = json.loads(moesweep("inspect", checkpoint, "--json").stdout)
        self.assertEqual(inspected["params"], report["params"])

    def test_AModelWhoseNamesSayNothingCountsOneAndSaysSo(self):
        random = np.random.default_rng(1)
        tensors = {f"block.{i}.weight": bf16(random.standard_normal((64, 64))) for i in range(3)}
        report = self.allocate(self.swept(tensors, None), "--target", "5bpw", "--architecture", "generic")
        self.assertTrue([note for note in report["notes"] if "every error counts 1" in note], report["notes"])
        self.assertEqual([group["alpha"] for group in report["alphas"]], [1])


class CorrelateWith(PriorCase):
    """Alpha that is the kurtosis of each matrix: the rank correlations are known."""

    def setUp(self):
        super().setUp()
        self.run_directory = self.swept(llama(), TiedEmbedding.CONFIG)
        out = self.folder / "tensors.csv"
        done = moesweep("export", self.run_directory, self.folder / "tables", "--to", "csv", "--table", "sensitivity/tensors")
        self.assert_ends(done, COMPLETE)
        path = self.folder / "tables"
        with path.open() as file:
            rows = list(csv.DictReader(file))
        self.metrics = {row["name"]: row for row in rows if row["excess_kurtosis"] not in ("", "nan")}
        self.file = out

    def write(self, values, header="pattern,alpha"):
        self.file.write_text(header + "\n" + "".join(f"{name},{value}\n" for name, value in values.items()))

    def correlate(self, *options):
        done = moesweep("correlate", self.run_directory, "--with", self.file, "--json", *options)
        self.assert_ends(done, COMPLETE)
        return json.loads(done.stdout)

    def test_RanksAreThoseOfWhatWasMeasured(self):
        self.write({name: 10 + float(row["excess_kurtosis"]) for name, row in self.metrics.items()})
        report = self.correlate()
        self.assertEqual(report["units"], 1 + 7 * LAYERS)
        found = {(row["group"], row["against"], row["metric"]): row for row in report["correlations"]}
        for group, units in (("all", 1 + 7 * LAYERS), ("in layers", 7 * LAYERS), ("role attention", 4 * LAYERS),
                             ("within roles", 7 * LAYERS)):
            row = found[group, "alpha", "excess_kurtosis"]
            self.assertEqual((row["units"], row["spearman"]), (units, 1.0), group)
        self.assertEqual(report["losses"], "affine in groups of 64")
        for bits in (2, 3, 4, 6, 8):
            self.assertIn(("all", f"loss at {bits} bits", "composite"), found)

    def test_TheLossIsAlphaTimesTheSquaredError(self):
        self.write({name: 1 for name in self.metrics})
        found = {(row["group"], row["against"], row["metric"]): row["spearman"] for row in self.correlate()["correlations"]}
        self.assertIsNone(found["all", "alpha", "excess_kurtosis"], "constant")
        self.assertGreater(found["in layers", "loss at 4 bits", "nrmse_rtn_4bit_g128"], 0.5)

    def test_ARunWithErrorsAloneIsTaken(self):
        job = self.folder / "errors.toml"
        job.write_text((self.folder / "run.toml").read_text() + 'metrics = ["error"]\n')
        self.write({name: 1 for name in self.metrics})
        run = self.sweep(job, "errors")
        done = moesweep("correlate", run, "--with", self.file, "--json")
        self.assert_ends(done, COMPLETE)
        self.assertEqual(json.loads(done.stdout)["units"], 1 + 7 * LAYERS)

    def test_GlobsOtherColumnsAndStrangersAreTaken(self):
        self.write({"*.q_proj.weight": "x,3", "*.k_proj.weight": "y,2", "*.v_proj.weight": "z,1", "nowhere": "z,1"},
                   header="tensor,note,loss")
        report = self.correlate("--column", "loss")
        self.assertEqual((report["units"], report["lines_unmatched"]), (3 * LAYERS, 1))

    def test_MistakesAreRefused(self):
        self.write({"nowhere": 1})
        self.assert_refused(moesweep("correlate", self.run_directory, "--with", self.file), BAD_INPUT, "matches no tensor")
        self.write({"*": 1})
        self.assert_refused(moesweep("correlate", self.run_directory, "--with", self.file, "--column", "beta"), BAD_USAGE,
                            "--column beta", "pattern, alpha")
        self.write({"*": 1}, header="what,alpha")
        self.assert_refused(moesweep("correlate", self.run_directory, "--with", self.file), BAD_INPUT, "no column")
        self.assertNotEqual(moesweep("correlate", self.run_directory, "--with", self.file, "--against", "x").returncode, 0)
        self.write({"*": "much"})
        self.assert_refused(moesweep("correlate", self.run_directory, "--with", self.file), BAD_INPUT, "tensors.csv:2")


if __name__ == "__main__":
    unittest.main()
