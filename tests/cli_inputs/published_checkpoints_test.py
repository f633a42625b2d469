"""Checkpoints as they are published and downloaded: quantized already, half there, with files beside them, and with
stacks of experts in either order of axes. What is understood gets right numbers, all else is refused by name."""
import json
import unittest

import numpy as np

from cli import BAD_INPUT, COMPLETE, CliTest, moesweep, random_matrices, write_safetensors

EXPERTS, HIDDEN, INNER = 4, 64, 96


def bf16(values):
    """Bytes of float32 values that BF16 holds exactly."""
    return (np.ascontiguousarray(values, "<f4").view("<u4") >> 16).astype("<u2").tobytes()


def write_config(folder, **entries):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(entries))


def write_index(folder, weight_map):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


class PublishedCheckpoint(CliTest):
    def setUp(self):
        super().setUp()
        self.checkpoint = self.folder / "model"

    def tables(self, run, table):
        out = self.folder / "tables"
        self.assert_ends(moesweep("export", run, out, "--to", "jsonl", "--table", table, "--overwrite"), COMPLETE)
        return [json.loads(line) for line in out.read_text().splitlines()]


class Quantized(PublishedCheckpoint):
    """DeepSeek V3's FP8: codes beside a scale for each block of 128x128."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(3)
        codes = random.integers(0, 0x7E, (256, 256), np.uint8)
        write_safetensors(self.checkpoint / "model.safetensors", {
            "model.embed_tokens.weight": random.standard_normal((64, 256), np.float32),
            "lm_head.weight": random.standard_normal((64, 256), np.float32),
            "model.layers.0.self_attn.o_proj.weight": ("F8_E4M3", codes.shape, codes.tobytes()),
            "model.layers.0.self_attn.o_proj.weight_scale_inv": np.full((2, 2), 1e-4, np.float32)})
        write_config(self.checkpoint, model_type="deepseek_v3",
                     quantization_config={"quant_method": "fp8", "weight_block_size": [128, 128]})
        self.named = ("FP8 with scales", "model.layers.0.self_attn.o_proj.weight", "weight_scale_inv",
                      "quantization_config of config.json: fp8")

    def test_run_and_plan_refuse_codes_naming_format_tensors_and_where_values_come_from(self):
        job, run = self.job(self.checkpoint), self.folder / "run"
        for done in (moesweep("run", job, "--run-dir", run), moesweep("plan", job)):
            self.assert_refused(done, BAD_INPUT, *self.named)
            self.assertNotIn("allow-unmapped", done.stderr)
        self.assertFalse(run.exists())

    def test_tensors_that_are_no_codes_can_be_swept(self):
        job = self.job(self.checkpoint)
        done = moesweep("run", job, "--run-dir", self.folder / "run", "--set", 'checkpoint.exclude=["*o_proj*"]')
        self.assert_ends(done, COMPLETE)
        self.assertIn("FP8 with scales", done.stderr)
        for command in (("allocate", self.folder / "run", "--target", "50%", "--architecture", "deepseek_v3"),):
            self.assert_refused(moesweep(*command), BAD_INPUT, "FP8 with scales", "o_proj")

    def test_inspect_shows_the_format_and_bits_per_weight(self):
        done = moesweep("inspect", self.checkpoint)
        self.assert_ends(done, COMPLETE)
        for text in (*self.named[:3], "bits per weight"):
            self.assertIn(text, done.stdout)
        shown = json.loads(moesweep("inspect", self.checkpoint, "--json").stdout)
        self.assertTrue(shown["quantized"])
        self.assertEqual(shown["params"], 2 * 64 * 256 + 256 * 256)
        self.assertAlmostEqual(shown["bits_per_weight"], 8 * (4 * 2 * 64 * 256 + 256 * 256 + 16) / shown["params"])

    def test_a_plan_is_not_verified_against_codes(self):
        plan = self.folder / "plan.json"
        source = self.folder / "bf16"
        write_safetensors(source / "model.safetensors", random_matrices(1, 64, 64))
        run = self.sweep(self.job(source))
        self.assert_ends(moesweep("allocate", run, "--method", "uniform", "--bits", "4", "--out", plan, "--for", "mlx",
                                  "--architecture", "generic"), COMPLETE)
        done = moesweep("verify-plan", plan, source, "--against", self.checkpoint)
        self.assert_refused(done, BAD_INPUT, "FP8 with scales")

    def test_dtypes_below_8_bits_and_of_scales_are_valid(self):
        write_safetensors(self.folder / "v4.safetensors", {
            "x.weight": ("F4", (64, 64), bytes(2048)), "x.scale": ("F8_E8M0", (64, 2), bytes(128))})
        done = moesweep("inspect", self.folder / "v4.safetensors")
        self.assert_ends(done, COMPLETE)
        self.assertIn("FP4 with scales", done.stdout)
        self.assertIn("4.2500 bits per weight", done.stdout)


class Incomplete(PublishedCheckpoint):
    def model(self, layers=1, experts=4):
        """A Qwen3-MoE of 64 hidden units, in the names of Hugging Face."""
        tensors = {"model.embed_tokens.weight": (256, 64), "lm_head.weight": (256, 64), "model.norm.weight": (64,)}
        for layer in range(layers):
            at = f"model.layers.{layer}."
            tensors |= {at + f"self_attn.{part}_proj.weight": (64, 64) for part in "qkvo"}
            tensors[at + "mlp.gate.weight"] = (experts, 64)
            for expert in range(experts):
                tensors |= {at + f"mlp.experts.{expert}.{part}_proj.weight": (64, 64) for part in ("gate", "up", "down")}
        random = np.random.default_rng(1)
        return {name: random.standard_normal(shape, np.float32) for name, shape in tensors.items()}

    def config(self, **more):
        entries = dict(model_type="qwen3_moe", num_hidden_layers=1, num_experts=4, tie_word_embeddings=False)
        write_config(self.checkpoint, **{**entries, **more})

    def assert_lacks(self, *named):
        """Refused by run and plan, shown and refused by inspect, taken when that is wanted."""
        job, run = self.job(self.checkpoint), self.folder / "run"
        self.assert_refused(moesweep("run", job, "--run-dir", run), BAD_INPUT, *named, "checkpoint.allow_incomplete")
        self.assertFalse(run.exists())
        self.assert_refused(moesweep("plan", job), BAD_INPUT, *named)
        inspected = moesweep("inspect", self.checkpoint)
        self.assert_ends(inspected, BAD_INPUT)
        self.assertIn("embed_tokens", inspected.stdout)
        taken = moesweep("run", job, "--run-dir", run, "--set", "checkpoint.allow_incomplete=true")
        self.assert_ends(taken, COMPLETE)
        for text in named:
            self.assertIn(text, taken.stderr)

    def test_a_whole_one_is_taken(self):
        write_safetensors(self.checkpoint / "model.safetensors", self.model())
        self.config()
        done = moesweep("run", self.job(self.checkpoint), "--run-dir", self.folder / "run")
        self.assert_ends(done, COMPLETE)
        self.assertEqual(done.stderr, "")

    def test_a_shard_that_was_never_downloaded(self):
        tensors = list(self.model().items())
        for shard in (1, 3):
            write_safetensors(self.checkpoint / f"model-0000{shard}-of-00003.safetensors",
                              dict(tensors[8 * (shard - 1):8 * shard]))
        self.config()
        self.assert_lacks("model-00002-of-00003.safetensors")

    def test_fewer_layers_than_config_json_says(self):
        write_safetensors(self.checkpoint / "model.safetensors", self.model())
        self.config(num_hidden_layers=3)
        self.assert_lacks("2 of 3 layers (model.layers.1-2)")

    def test_fewer_experts_than_config_json_says(self):
        write_safetensors(self.checkpoint / "model.safetensors", self.model())
        self.config(num_experts=8)
        self.assert_lacks("4 of 8 experts (4-7 beside model.layers.0.mlp.experts.")

    def test_one_expert_without_one_of_its_matrices(self):
        tensors = self.model()
        del tensors["model.layers.0.mlp.experts.2.down_proj.weight"]
        write_safetensors(self.checkpoint / "model.safetensors", tensors)
        self.config()
        self.assert_lacks("1 of 4 experts (2 beside model.layers.0.mlp.experts.0.down_proj.weight)")

    def test_no_head_though_untied(self):
        tensors = self.model()
        del tensors["lm_head.weight"]
        write_safetensors(self.checkpoint / "model.safetensors", tensors)
        self.config()
        self.assert_lacks("output head")
        self.config(tie_word_embeddings=True)
        self.assert_ends(moesweep("inspect", self.checkpoint), COMPLETE)

    def test_what_a_run_was_allowed_its_plan_and_its_checkpoint_are_too(self):
        write_safetensors(self.checkpoint / "model.safetensors", self.model())
        self.config(num_hidden_layers=3)
        run = self.sweep(self.job(self.checkpoint), "run", "--set", "checkpoint.allow_incomplete=true")
        plan, out = self.folder / "plan.json", self.folder / "out"
        self.assert_ends(moesweep("allocate", run, "--method", "uniform", "--bits", "4", "--group-size", "32", "--for", "mlx",
                                  "--out", plan), COMPLETE)
        self.assert_ends(moesweep("quantize", run, out, "--plan", plan, "--to", "mlx"), COMPLETE)

    def test_a_twin_that_was_killed_while_it_was_written_is_not_taken_for_whole(self):
        inventory = self.folder / "inventory.csv"
        inventory.write_text("name,shape,dtype,analysed,excess_kurtosis,spectral_concentration\n" +
                             "".join(f"layers.{i}.weight,64x64,BF16,1,0.5,0.2\n" for i in range(8)))
        out = self.folder / "twin"
        self.assert_ends(moesweep("twin", inventory, out, "--shard-size", "20000"), COMPLETE)
        shards = sorted(out.glob("*.safetensors"))
        self.assertGreater(len(shards), 2)
        shards[-1].unlink()
        (out / "model.safetensors.index.json").unlink()  # written last
        self.assert_refused(moesweep("plan", self.job(out)), BAD_INPUT, shards[-1].name)


class FilesBeside(PublishedCheckpoint):
    def names_in(self, checkpoint):
        shown = json.loads(moesweep("inspect", checkpoint, "--json").stdout)
        return [tensor["name"] for tensor in shown["list"]], shown["notes"]

    def test_of_two_copies_one_is_swept(self):
        tensors = random_matrices(2, 64, 64)
        for shard, (name, values) in enumerate(tensors.items(), 1):
            write_safetensors(self.checkpoint / f"model-0000{shard}-of-00002.safetensors", {name: values})
        write_safetensors(self.checkpoint / "consolidated.safetensors",
                          {f"original.{name}": values for name, values in tensors.items()})
        names, notes = self.names_in(self.checkpoint)
        self.assertEqual(names, list(tensors))
        self.assertIn("consolidated.safetensors", notes[0])

    def test_an_adapter_is_not_part_of_the_model(self):
        write_safetensors(self.checkpoint / "model.safetensors", random_matrices(1, 64, 64))
        write_safetensors(self.checkpoint / "adapter_model.safetensors", {"lora_A.weight": np.ones((8, 64), np.float32)})
        done = moesweep("run", self.job(self.checkpoint), "--run-dir", self.folder / "run")
        self.assert_ends(done, COMPLETE)
        self.assertEqual(done.stderr.count("adapter_model.safetensors"), 1)
        self.assertEqual([row["name"] for row in self.tables(self.folder / "run", "checkpoint/tensors")],
                         ["layers.0.weight"])

    def test_the_index_says_what_counts(self):
        first, second = random_matrices(2, 64, 64).values()
        write_safetensors(self.checkpoint / "1.safetensors", {"q.weight": first, "k.weight": first, "freq": first})
        write_safetensors(self.checkpoint / "2.safetensors", {"v.weight": first, "k.weight": second})
        write_safetensors(self.checkpoint / "mtp.safetensors", {"mtp.fc.weight": first})
        write_index(self.checkpoint, {"q.weight": "1.safetensors", "k.weight": "2.safetensors", "v.weight": "2.safetensors"})
        names, notes = self.names_in(self.checkpoint)
        self.assertEqual(names, ["k.weight", "q.weight", "v.weight"])
        for text in ("'k.weight' of 1.safetensors", "'freq' of 1.safetensors", "mtp.safetensors (not in the index)"):
            self.assertIn(text, notes[0])
        run = self.sweep(self.job(self.checkpoint))
        [row] = [row for row in self.tables(run, "sensitivity/tensors") if row["name"] == "k.weight"]
        self.assertAlmostEqual(row["mean"], second.astype(np.float64).mean(), 12)

    def test_a_tensor_that_the_index_promises_is_missed(self):
        write_safetensors(self.checkpoint / "1.safetensors", random_matrices(1, 64, 64))
        write_index(self.checkpoint, {"layers.0.weight": "1.safetensors", "mtp.fc.weight": "1.safetensors"})
        self.assert_refused(moesweep("plan", self.job(self.checkpoint)), BAD_INPUT, "mtp.fc.weight")


class ExpertAxes(PublishedCheckpoint):
    """The same experts as [E, out, in] and as [E, in, out]."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(5)
        # Inputs of very different sizes: groups along the output would give other errors.
        def stack(outputs, inputs):
            values = random.standard_normal((EXPERTS, outputs, inputs)) * 10.0 ** random.uniform(-1, 1, inputs)
            return (values.astype("<f4").view("<u4") & 0xFFFF0000).view("<f4")

        self.stacks = {"gate_up_proj": stack(2 * INNER, HIDDEN), "down_proj": stack(HIDDEN, INNER)}
        for name, axes in (("linear", (0, 1, 2)), ("transposed", (0, 2, 1))):
            self.write(self.folder / name, axes)

    def write(self, folder, axes, **config):
        at = "model.language_model.layers.0.mlp.experts."
        tensors = {at + name: values.transpose(axes) for name, values in self.stacks.items()}
        write_safetensors(folder / "model.safetensors",
                          {name: ("BF16", values.shape, bf16(values)) for name, values in tensors.items()})
        if config:
            write_config(folder, **config)

    def distortion(self, name, *more):
        run = self.sweep(self.job(self.folder / name, name=f"{name}.toml"), f"run-{name}{len(more)}", *more)
        return {(row["tensor"], row["slice"], row["quantizer"], row["bits"], row["group_size"]): row["sse"]
                for row in self.tables(run, "sensitivity/distortion")}

    def assert_same(self, *more):
        linear, transposed = (self.distortion(name, *more) for name in ("linear", "transposed"))
        self.assertEqual(set(linear), set(transposed))
        self.assertGreater(len(linear), 100)
        for key, sse in linear.items():
            self.assertAlmostEqual(transposed[key] / sse, 1.0, 9, key)

    def test_transposed_stacks_have_the_errors_of_their_linear_form(self):
        self.assert_same()

    def test_also_without_spectra_and_in_small_units(self):
        self.assert_same("--set", 'sensitivity.metrics=["moments","noise","error"]', "--set", "resources.unit_bytes=1")

    def test_a_non_finite_weight_is_named_by_its_place_in_the_file(self):
        self.stacks["down_proj"][2, 5, 7] = np.nan
        self.write(self.folder / "nan", (0, 2, 1))
        done = moesweep("run", self.job(self.folder / "nan"), "--run-dir", self.folder / "run-nan")
        self.assertEqual(done.returncode, 80)
        self.assertIn(f"index {(2 * INNER + 7) * HIDDEN + 5} ", done.stdout + done.stderr)

    def test_written_for_mlx_both_give_the_same_bytes(self):
        written = []
        for name in ("linear", "transposed"):
            run = self.sweep(self.job(self.folder / name, name=f"{name}.toml"), f"run-{name}")
            plan, out = self.folder / f"{name}.json", self.folder / f"out-{name}"
            self.assert_ends(moesweep("allocate", run, "--method", "uniform", "--bits", "4", "--group-size", "32", "--for", "mlx",
                                      "--architecture", "qwen3_5_moe", "--out", plan), COMPLETE)
            self.assert_ends(moesweep("quantize", run, out, "--plan", plan, "--to", "mlx"), COMPLETE)
            self.assert_ends(moesweep("verify-plan", plan, out, "--against", self.folder / name), COMPLETE)
            [file] = out.glob("*.safetensors")
            written.append(file.read_bytes())
        self.assertEqual(*written)
        dequantized = moesweep("quantize", run, self.folder / "plain", "--plan", plan, "--to", "dequantized")
        self.assert_refused(dequantized, BAD_INPUT, "[experts, in, out]")

    def test_shapes_that_contradict_the_family_are_refused_naming_both_stacks(self):
        for family, axes in (("qwen3_5_moe", (0, 2, 1)), ("llama4", (0, 1, 2))):
            self.write(self.checkpoint, axes, model_type=family)
            self.assert_refused(moesweep("plan", self.job(self.checkpoint)), BAD_INPUT,
                                "gate_up_proj", "down_proj", family)
        self.write(self.checkpoint, (0, 2, 1), model_type="llama4")
        self.assert_ends(moesweep("plan", self.job(self.checkpoint)), COMPLETE)


if __name__ == "__main__":
    unittest.main()
