"""verify-plan: one line for a checkpoint that was quantized as planned; every kind of offence is found and named."""
import json
import math
import unittest

import numpy as np

from cli import BAD_INPUT, BAD_USAGE, COMPLETE, CliTest, moesweep

BF16, U32, I32, I64 = "BF16", "U32", "I32", "I64"
EXPERTS, ROWS, COLUMNS = 3, 8, 256


def as_bf16(values):
    """Bits of binary32 values rounded to nearest even."""
    bits = np.asarray(values, "<f4").view("<u4").astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")


def from_bf16(bits):
    return (bits.astype("<u4") << 16).view("<f4")


def write(path, tensors):
    """`tensors`: name to (dtype, array of the stored element)."""
    entries, data, offset = {}, [], 0
    for name, (dtype, values) in tensors.items():
        raw = np.ascontiguousarray(values).tobytes()
        entries[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(entries).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data))


def quantize_affine(weights, bits, group):
    """MLX's codes, scales and biases (binary32 steps, stored as BF16) and what they stand for."""
    one = np.float32
    groups = weights.astype(one).reshape(*weights.shape[:-1], -1, group)
    low, high = groups.min(-1), groups.max(-1)
    levels = one(2**bits - 1)
    at_low = np.abs(low) > np.abs(high)
    scale = np.maximum((high - low) / levels, one(1e-7))
    scale = np.where(at_low, scale, -scale)
    edge = np.where(at_low, low, high)
    steps = np.rint(edge / scale)
    bias = np.where(steps != 0, edge, one(0))
    scale = np.where(steps != 0, edge / np.where(steps == 0, one(1), steps), scale).astype(one)
    codes = np.clip(np.rint((groups - bias[..., None]) / scale[..., None]), 0, levels)
    scales, biases = as_bf16(scale), as_bf16(bias)
    back = (codes.astype(one) * from_bf16(scales)[..., None]) + from_bf16(biases)[..., None]
    return codes.reshape(weights.shape).astype(np.uint8), scales, biases, back.astype(one).reshape(weights.shape)


def packed(codes, bits):
    """One stream of bits a row, least significant first."""
    stream = (codes[..., None] >> np.arange(bits, dtype=np.uint8)) & 1
    rows = stream.reshape(*codes.shape[:-1], -1)
    return np.packbits(rows, axis=-1, bitorder="little").view("<u4")


def plan_row(tensor, shape, quantizer="", bits=16, group=0, size=None, action=None, sse=None):
    params = math.prod(shape)
    if size is None:
        size = params * bits // 8 + (params // group * 4 if quantizer == "affine" else 0)
    return {"tensor": tensor, "shape": "x".join(map(str, shape)), "dtype": "BF16", "role": "", "module": "",
            "action": action or ("quantize" if quantizer else "keep"), "quantizer": quantizer, "bits": bits,
            "group_size": group, "params": params, "bytes": size, "sse": sse, "sum_squares": None, "reason": ""}


class VerifyPlan(CliTest):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        self.model.mkdir()

    def plan(self, rows, architecture="generic", runtime="mlx"):
        path = self.folder / "plan.json"
        path.write_text(json.dumps({
            "schema": 1, "method": "budget", "runtime": runtime, "architecture": architecture, "source_headers": "",
            "bytes": sum(row["bytes"] for row in rows), "rows": sorted(rows, key=lambda row: row["tensor"])}))
        return path

    def verify(self, rows, *more, **kinds):
        return moesweep("verify-plan", self.plan(rows, **kinds), self.model, *more)

    def assert_applies(self, done):
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stdout, r"\A[^\n]* applies to [^\n]*\n\Z")
        self.assertEqual(done.stderr, "")

    def assert_offends(self, done, *named):
        """A table with every text of `named`, one line of summary, exit 65."""
        self.assert_ends(done, BAD_INPUT)
        self.assertRegex(done.stderr, r"\Amoesweep: [^\n]*not as planned[^\n]*\n\Z")
        for text in named:
            self.assertIn(text, done.stdout)


class Mlx(VerifyPlan):
    """Two modules of experts with 4 and 3 bits, and a norm."""
    SETTINGS = {"a": (4, 64), "b": (3, 32)}

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(7)
        self.weights = {name: from_bf16(as_bf16(random.standard_normal((EXPERTS, ROWS, COLUMNS), np.float32)))
                        for name in self.SETTINGS}
        self.norm = as_bf16(np.ones(COLUMNS))
        self.original = self.folder / "original.safetensors"
        write(self.original, {"norm.weight": (BF16, self.norm),
                              **{f"{name}.weight": (BF16, as_bf16(values)) for name, values in self.weights.items()}})

    def write_model(self, settings=None, config=None, prefix=""):
        settings = settings or self.SETTINGS
        tensors, self.sse = {prefix + "norm.weight": (BF16, self.norm)}, {}
        for name, (bits, group) in settings.items():
            codes, scales, biases, back = quantize_affine(self.weights[name], bits, group)
            self.sse[name] = float(((self.weights[name] - back).astype(np.float64)**2).sum())
            tensors[f"{prefix}{name}.weight"] = (U32, packed(codes, bits))
            tensors[f"{prefix}{name}.scales"] = (BF16, scales)
            tensors[f"{prefix}{name}.biases"] = (BF16, biases)
        write(self.model / "model.safetensors", tensors)
        if config is None:
            config = {prefix + name: {"bits": bits, "group_size": group} for name, (bits, group) in settings.items()}
        (self.model / "config.json").write_text(
            json.dumps({"quantization": {"bits": 4, "group_size": 64, **config}}))

    def rows(self, prefix=""):
        shape = (EXPERTS, ROWS, COLUMNS)
        return [plan_row(prefix + "norm.weight", (COLUMNS,)),
                *(plan_row(f"{prefix}{name}.weight", shape, "affine", bits, group, sse=self.sse[name])
                  for name, (bits, group) in self.SETTINGS.items())]

    def test_what_was_planned_is_one_line(self):
        self.write_model()
        done = self.verify(self.rows())
        self.assert_applies(done)
        self.assertIn("MLX): 3 modules", done.stdout)
        self.assertIn(f"{(self.model / 'model.safetensors').stat().st_size:,} B found", done.stdout)
        self.assertEqual(self.verify(self.rows(), "--quiet").stdout, "")

    def test_measured_errors_are_the_planned_ones(self):
        self.write_model()
        done = self.verify(self.rows(), "--against", self.original)
        self.assert_applies(done)
        self.assertIn("squared errors of 2 of 2 tensors", done.stdout)

    def test_an_error_that_was_not_planned_is_named(self):
        self.write_model()
        rows = self.rows()
        rows[1]["sse"] *= 1.00001
        self.assert_offends(self.verify(rows, "--against", self.original), "a.weight", "squared error is")
        self.assert_applies(self.verify(rows))

    def test_weights_that_were_damaged_are_found_by_their_error(self):
        self.write_model()
        path = self.model / "model.safetensors"
        raw = bytearray(path.read_bytes())
        at = 8 + int.from_bytes(raw[:8], "little") + 2 * COLUMNS + 100
        raw[at] ^= 0xFF
        path.write_bytes(raw)
        self.assert_applies(self.verify(self.rows()))
        self.assert_offends(self.verify(self.rows(), "--against", self.original), "a.weight")

    def test_another_original_is_refused(self):
        self.write_model()
        other = self.folder / "other.safetensors"
        write(other, {"z": (BF16, as_bf16(np.ones((2, 2))))})
        self.assert_refused(self.verify(self.rows(), "--against", other), BAD_INPUT, "a.weight")

    def test_a_converter_that_ignored_the_plan_is_caught(self):
        self.write_model({"a": (4, 64), "b": (4, 64)}, config={})
        self.assert_offends(self.verify(self.rows()), "b ", "affine 3 bits in groups of 32",
                            "affine 4 bits in groups of 64", "has 4 bits instead of 3")

    def test_a_wrong_prefix_is_caught_with_both_names(self):
        self.write_model(prefix="language_model.model.layers.0.")
        done = self.verify(self.rows(prefix="model.language_model.layers.0."))
        self.assert_offends(done, "doesn't have it, it has language_model.model.layers.0.b",
                            "doesn't speak of it, but of model.language_model.layers.0.b")

    def test_settings_under_another_name_are_caught(self):
        """Codes of 3 bits that mlx-lm loads as 4 bits, because config.json says it with another prefix."""
        self.write_model(config={"model.b": {"bits": 3, "group_size": 32}})
        self.assert_offends(self.verify(self.rows()), "model.b", "config.json says 4 bits in groups of 64")

    def test_missing_and_extra_modules_are_offenders(self):
        self.write_model()
        rows = self.rows()
        rows[0]["tensor"] = "final.weight"
        self.assert_offends(self.verify(rows), "final", "norm", "plan doesn't speak of it")

    def test_json_lists_every_module(self):
        self.write_model()
        done = self.verify(self.rows(), "--json", "--against", self.original)
        self.assert_ends(done, COMPLETE)
        document = json.loads(done.stdout)
        self.assertTrue(document["ok"])
        self.assertEqual([check["module"] for check in document["modules"]], ["a", "b", "norm"])
        self.assertEqual(document["modules"][1]["found"],
                         {"quantizer": "affine", "bits": 3, "group_size": 32,
                          "bytes": EXPERTS * ROWS * COLUMNS * 3 // 8 + EXPERTS * ROWS * COLUMNS // 32 * 4})
        for error in document["errors"]:
            self.assertAlmostEqual(error["measured_sse"] / error["planned_sse"], 1, delta=1e-9)

    def test_json_of_offenders_ends_with_65(self):
        self.write_model({"a": (8, 64), "b": (3, 32)})
        rows = self.rows()
        done = self.verify(rows, "--json")
        self.assert_ends(done, BAD_INPUT)
        document = json.loads(done.stdout)
        self.assertFalse(document["ok"])
        self.assertEqual([check["module"] for check in document["modules"] if check["why"]], ["a"])

    def test_dequantized_models_are_checked_against_the_original(self):
        self.write_model()
        rows = self.rows()
        tensors = {"norm.weight": (BF16, self.norm)}
        for name, (bits, group) in self.SETTINGS.items():
            tensors[f"{name}.weight"] = (BF16, as_bf16(quantize_affine(self.weights[name], bits, group)[3]))
        (self.model / "config.json").unlink()
        write(self.model / "model.safetensors", tensors)
        self.assert_applies(self.verify(rows, "--against", self.original))
        self.assert_offends(self.verify(rows), "is not quantized but stored as bf16")
        tensors["b.weight"][1][0, 0, 0] ^= 1
        write(self.model / "model.safetensors", tensors)
        self.assert_offends(self.verify(rows, "--against", self.original), "b.weight", "1 of 6144 weights")

    def test_a_plan_that_is_none_is_refused(self):
        self.write_model()
        path = self.folder / "no.json"
        for text in ("", "[]", "{}", '{"schema":1}'):
            path.write_text(text)
            self.assert_refused(moesweep("verify-plan", path, self.model), BAD_INPUT, path)

    def test_a_checkpoint_that_is_none_is_refused(self):
        self.sse = {name: 1.0 for name in self.SETTINGS}
        self.assert_refused(self.verify(self.rows()), BAD_INPUT, self.model)


class MixtureOfExperts(VerifyPlan):
    """Names by the architecture: experts of a Qwen3 layer are one module of mlx-lm."""

    def test_experts_are_found_in_their_stack(self):
        rows, tensors = [], {}
        for projection in ("gate_proj", "up_proj"):
            for expert in range(EXPERTS):
                rows.append(plan_row(f"model.layers.0.mlp.experts.{expert}.{projection}.weight", (ROWS, COLUMNS),
                                     "affine", 4, 64))
            name = f"model.layers.0.mlp.switch_mlp.{projection}"
            tensors[name + ".weight"] = (U32, np.zeros((EXPERTS, ROWS, COLUMNS // 8), "<u4"))
            for part in ("scales", "biases"):
                tensors[f"{name}.{part}"] = (BF16, np.zeros((EXPERTS, ROWS, COLUMNS // 64), "<u2"))
        write(self.model / "model.safetensors", tensors)
        (self.model / "config.json").write_text(json.dumps(
            {"model_type": "qwen3_moe", "num_hidden_layers": 1, "num_experts": EXPERTS,
             "quantization": {"bits": 4, "group_size": 64}}))
        done = self.verify(rows, architecture="qwen3_moe")
        self.assert_applies(done)
        self.assertIn("2 modules", done.stdout)
        self.assert_offends(self.verify(rows, "--architecture", "generic"),
                            "model.layers.0.mlp.experts.0.gate_proj")


class CompressedTensors(VerifyPlan):
    def write_model(self, bits=4, config_bits=4):
        words = COLUMNS * bits // 32
        write(self.model / "model.safetensors", {
            "m.up.weight_packed": (I32, np.zeros((ROWS, words), "<i4")),
            "m.up.weight_scale": (BF16, np.zeros((ROWS, COLUMNS // 128), "<u2")),
            "m.up.weight_shape": (I64, np.array([ROWS, COLUMNS], "<i8")),
            "m.gate.weight": (BF16, np.zeros((4, COLUMNS), "<u2"))})
        group = {"targets": ["Linear"], "weights": {"num_bits": config_bits, "type": "int", "symmetric": True,
                                                    "strategy": "group", "group_size": 128}}
        (self.model / "config.json").write_text(json.dumps({"quantization_config": {
            "quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"group_0": group},
            "ignore": ["re:.*gate$"]}}))

    def rows(self):
        return [plan_row("m.gate.weight", (4, COLUMNS)),
                plan_row("m.up.weight", (ROWS, COLUMNS), "ct_int4", 4, 128,
                         size=ROWS * (COLUMNS // 2 + COLUMNS // 128 * 2))]

    def test_what_was_planned_is_one_line(self):
        self.write_model()
        self.assert_applies(self.verify(self.rows(), runtime="vllm"))

    def test_other_bits_and_a_config_that_disagrees_are_offenders(self):
        self.write_model(bits=8, config_bits=8)
        self.assert_offends(self.verify(self.rows()), "m.up", "is ct_int8 instead of ct_int4")
        self.write_model(config_bits=8)
        self.assert_offends(self.verify(self.rows()), "m.up", "config.json (group_0) says 8 bits")

    def test_errors_are_measured(self):
        self.write_model()
        original = self.folder / "original.safetensors"
        write(original, {"m.up.weight": (BF16, as_bf16(np.full((ROWS, COLUMNS), 0.5))),
                         "m.gate.weight": (BF16, np.zeros((4, COLUMNS), "<u2"))})
        rows = self.rows()
        rows[1]["sse"] = ROWS * COLUMNS * 0.25
        self.assert_applies(self.verify(rows, "--against", original))
        rows[1]["sse"] = ROWS * COLUMNS * 0.26
        self.assert_offends(self.verify(rows, "--against", original), "m.up.weight")


class Gguf(VerifyPlan):
    Q4_K, F32 = 12, 0

    def write_model(self, kind=Q4_K, name="model.gguf", cut=None):
        block = {self.Q4_K: 144, 14: 210}[kind]

        def text(value):
            return len(value).to_bytes(8, "little") + value.encode()

        def number(value, width):
            return value.to_bytes(width, "little")

        data = ROWS * COLUMNS // 256 * block
        header = b"GGUF" + number(3, 4) + number(2, 8) + number(1, 8)
        header += text("general.architecture") + number(8, 4) + text("llama")
        header += text("up.weight") + number(2, 4) + number(COLUMNS, 8) + number(ROWS, 8) + number(kind, 4) + number(0, 8)
        norm = -(-data // 32) * 32
        header += text("norm.weight") + number(1, 4) + number(COLUMNS, 8) + number(self.F32, 4) + number(norm, 8)
        raw = header + bytes(-len(header) % 32) + bytes(norm + 4 * COLUMNS)
        (self.model / name).write_bytes(raw[:cut])
        return len(header)

    def rows(self):
        return [plan_row("norm.weight", (COLUMNS,)),
                plan_row("up.weight", (ROWS, COLUMNS), "q4_k", 4, 256, size=ROWS * COLUMNS // 256 * 144)]

    def test_what_was_planned_is_one_line(self):
        self.write_model()
        self.assert_applies(self.verify(self.rows(), runtime="gguf"))

    def test_other_types_are_offenders(self):
        self.write_model(kind=14)
        self.assert_offends(self.verify(self.rows()), "up ", "is q6_k instead of q4_k")

    def test_errors_are_not_measured_and_it_says_so(self):
        self.write_model()
        self.assert_refused(self.verify(self.rows(), "--against", self.model), BAD_USAGE, "--against", "GGUF")

    def test_truncated_headers_are_refused(self):
        length = self.write_model()
        for cut in range(0, length, 7):
            self.write_model(cut=cut)
            self.assert_refused(self.verify(self.rows()), BAD_INPUT, "model.gguf")

    def test_two_models_in_a_folder_are_refused(self):
        self.write_model()
        self.write_model(name="other.gguf")
        self.assert_refused(self.verify(self.rows()), BAD_INPUT, "several")


if __name__ == "__main__":
    unittest.main()
