"""`export --plan`: what each program's own rules make of the files, and which plans are refused."""
import fnmatch
import importlib.util
import json
import math
import re
import unittest

from cli import BAD_INPUT, BAD_USAGE, COMPLETE, IO_ERROR, CliTest, moesweep

LAYERS = 12
AFFINE = [("affine", 4, 64), ("affine", 3, 128), ("affine", 8, 32), None]
INTEGERS = [("ct_int4", 4, 128), ("ct_int8", 8, 0), ("ct_int8", 8, 32), None]
SUPERBLOCKS = [("q4_k", 4, 256), ("q8_0", 8, 32), ("q3_k", 3, 256), None]


def row(tensor, shape, setting=None, action=None):
    quantizer, bits, group = setting or ("", 16, 0)
    return {"tensor": tensor, "shape": "x".join(map(str, shape)), "dtype": "BF16", "role": "", "module": "",
            "action": action or ("quantize" if setting else "keep"), "quantizer": quantizer, "bits": bits,
            "group_size": group, "params": math.prod(shape), "bytes": 1, "sse": None, "sum_squares": None, "reason": ""}


def plan(rows, architecture):
    return {"schema": 1, "method": "uniform", "runtime": "mlx", "architecture": architecture, "source_headers": "",
            "bytes": 0, "rows": sorted(rows, key=lambda each: each["tensor"])}


def told(plan, **facts):
    """The plan as of schema 3."""
    rows = [{**row, "term": row["tensor"], "alpha": 1.0} for row in plan["rows"]]
    return {**plan, "schema": 3, "prior": "role", "layers": 0, "experts": 0, "tied_embeddings": None,
            "expert_patterns": ["experts"], "source": {"name": "m", "model_type": "", "params": 1, "bytes": 2},
            "made": {"command": "moesweep allocate m", "version": "0", "date": ""}, **facts, "rows": rows}


def qwen(settings, predictor=False, head=True):
    """Layers of fused experts and attention whose settings take turns."""
    rows = [row("lm_head.weight", (1024, 256), settings[0] if head else None),
            row("model.language_model.norm.weight", (256,))]
    for layer in range(LAYERS):
        prefix = f"model.language_model.layers.{layer}"
        attention, experts = settings[layer % len(settings)], settings[layer // 3 % len(settings)]
        rows += [row(f"{prefix}.self_attn.{name}.weight", (256, 256), attention)
                 for name in ("q_proj", "k_proj", "v_proj", "o_proj")]
        rows += [row(f"{prefix}.mlp.experts.gate_up_proj", (4, 512, 256), experts),
                 row(f"{prefix}.mlp.experts.down_proj", (4, 256, 256), experts),
                 row(f"{prefix}.mlp.gate.weight", (4, 256)), row(f"{prefix}.input_layernorm.weight", (256,))]
    if predictor:
        rows.append(row("mtp.fc.weight", (256, 512), settings[1]))
    return plan(rows, "qwen3_5_moe")


def setting_of(row):
    return (row["bits"], row["group_size"]) if row["action"] == "quantize" else None


def modules(plan):
    """What vLLM and quantizers for it ask for, and how it is planned."""
    for row in plan["rows"]:
        name = row["tensor"].removesuffix(".weight")
        if "norm" in name or name.endswith("mlp.gate"):
            continue
        names = [name] if "experts" not in name else [f"{name.rsplit('.', 1)[0]}.{e}.up_proj" for e in (0, 3)]
        for each in names:
            yield each, setting_of(row)


class PlanExport(CliTest):
    def written(self, plan):
        path = self.folder / "plan.json"
        path.write_text(json.dumps(plan))
        return path

    def export(self, plan, form, *more):
        out = self.folder / "out"
        done = moesweep("export", "--plan", self.written(plan), "--to", form, out, *more)
        self.assert_ends(done, COMPLETE)
        return out

    def test_mlx_predicate_is_python_and_says_the_plan(self):
        plan = qwen(AFFINE)
        out = self.export(plan, "mlx-lm")
        spec = importlib.util.spec_from_file_location("quant_predicate", out / "quant_predicate.py")
        predicate = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(predicate)
        config = json.loads((out / "quantization.json").read_text())
        self.assertEqual(config["quantization"], config["quantization_config"])
        checked = 0
        for row in plan["rows"]:
            match = re.fullmatch(r"model\.language_model\.(layers\.\d+\.)(mlp\.experts|self_attn)\.(\w+)(\.weight)?",
                                 row["tensor"])
            if not match:
                continue
            names = [match[3]] if match[3] != "gate_up_proj" else ["gate_proj", "up_proj"]
            inner = match[2].replace("experts", "switch_mlp")
            for name in names:
                path = f"language_model.model.{match[1]}{inner}.{name}"
                setting = setting_of(row)
                expected = {"bits": setting[0], "group_size": setting[1]} if setting else False
                self.assertEqual(predicate.quant_predicate(path, object()), expected)
                self.assertEqual(config["quantization"][path], expected)
                checked += 1
        self.assertEqual(checked, LAYERS * 7)
        self.assertEqual(predicate.GROUP_SIZE, 32)
        with self.assertRaisesRegex(KeyError, "model.layers.0.mlp.up_proj"):
            predicate.quant_predicate("model.layers.0.mlp.up_proj", object())

    def test_llama_cpp_types_are_the_plans(self):
        plan = qwen(SUPERBLOCKS, predictor=True)
        out = self.export(plan, "llama.cpp")
        rules = [word.split("=") for word in (out / "tensor-types.txt").read_text().split()]
        names = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
                 "gate_up_proj": "ffn_up_exps", "down_proj": "ffn_down_exps"}
        expected = {f"blk.{LAYERS}.nextn.eh_proj.weight": "q8_0", "output.weight": "q4_k"}
        for row in plan["rows"]:
            match = re.fullmatch(r".*layers\.(\d+)\.(?:self_attn|mlp\.experts)\.(\w+)(?:\.weight)?", row["tensor"])
            if match:
                expected[f"blk.{match[1]}.{names[match[2]]}.weight"] = row["quantizer"] or "bf16"
        self.assertEqual(len(expected), LAYERS * 6 + 2)
        for tensor, kind in expected.items():
            self.assertEqual([found for pattern, found in rules if re.search(pattern.lower(), tensor)], [kind], tensor)
        self.assertIn("--output-tensor-type q4_k", (out / "command.txt").read_text())

    def test_compressed_tensors_targets_are_the_plans(self):
        plan = qwen(INTEGERS, head=False)
        config = json.loads((self.export(plan, "compressed-tensors") / "quantization_config.json").read_text())
        config = config["quantization_config"]
        targets = {target: (group["weights"]["num_bits"], group["weights"].get("group_size", 0))
                   for group in config["config_groups"].values() for target in group["targets"]}
        targets |= {target: None for target in config["ignore"]}
        self.assertEqual(config["format"], "mixed-precision")
        for module, setting in modules(plan):
            for name in (module, module.replace("model.language_model", "language_model.model")):
                found = [targets[target] for target in sorted(targets) if re.match(target.removeprefix("re:"), name)]
                self.assertEqual(found, [setting], name)

    def test_gptqmodel_patterns_are_the_plans(self):
        plan = qwen(INTEGERS, head=False)
        config = json.loads((self.export(plan, "gptqmodel") / "quantize_config.json").read_text())
        for module, setting in modules(plan):
            found = [(how["bits"], max(how["group_size"], 0)) if pattern[0] == "+" else None
                     for pattern, how in config["dynamic"].items() if re.match(pattern[2:], module)]
            self.assertEqual(found, [setting], module)

    def test_modelopt_config_is_python_and_says_the_plan(self):
        plan = qwen(INTEGERS, head=False)
        text = (self.export(plan, "modelopt") / "modelopt_config.py").read_text()
        scope = {}
        exec(compile(text, "modelopt_config.py", "exec"), scope)
        base, *entries = scope["CONFIG"]["quant_cfg"]
        self.assertEqual(base, {"quantizer_name": "*", "enable": False})
        for module, setting in modules(plan):
            found = [entry["cfg"] for entry in entries
                     if fnmatch.fnmatchcase(module + ".weight_quantizer", entry["quantizer_name"])]
            expected = [] if setting is None else [setting]
            self.assertEqual([(cfg["num_bits"], cfg.get("block_sizes", {}).get(-1, 0)) for cfg in found], expected,
                             module)

    def test_a_plan_with_the_wrong_prefix_is_refused_naming_its_tensors(self):
        """The published reference looked up `language_model.model`, and quantized nothing as planned."""
        plan = qwen(AFFINE)
        for row in plan["rows"]:
            row["tensor"] = row["tensor"].replace("model.language_model.", "language_model.model.")
        plan["rows"].sort(key=lambda row: row["tensor"])
        path, out = self.written(plan), self.folder / "out"
        done = moesweep("export", "--plan", path, "--to", "mlx-lm", out)
        self.assert_refused(done, BAD_INPUT, "language_model.model.layers.0.input_layernorm.weight", "--allow-unmapped")
        self.assertFalse(out.exists())
        done = moesweep("export", "--plan", path, "--to", "mlx-lm", out, "--allow-unmapped", "--json")
        self.assert_ends(done, COMPLETE)
        self.assertEqual(len(json.loads(done.stdout)["unmapped"]), len(plan["rows"]) - 1)
        self.assertEqual([key for key in json.loads((out / "quantization.json").read_text())["quantization"]
                          if "." in key], ["language_model.lm_head"])

    def test_an_architecture_that_knows_no_tensor_is_refused_with_the_one_that_fits(self):
        out = self.folder / "out"
        rows = [row for row in qwen(AFFINE)["rows"] if ".layers." in row["tensor"]]
        path = self.written({**qwen(AFFINE), "rows": rows})
        done = moesweep("export", "--plan", path, "--to", "mlx-lm", out, "--architecture", "mixtral", "--allow-unmapped")
        self.assert_refused(done, BAD_USAGE, "mixtral", "did you mean qwen3_5_moe?")
        self.assertFalse(out.exists())

    def test_quantizers_that_the_format_lacks_are_refused_by_row(self):
        for form in ("llama.cpp", "compressed-tensors", "modelopt"):
            done = moesweep("export", "--plan", self.written(plan([row("model.layers.0.mlp.up_proj.weight", (64, 64),
                                                                       ("affine", 4, 64))], "llama")),
                            "--to", form, self.folder / "out")
            self.assert_refused(done, BAD_USAGE, "model.layers.0.mlp.up_proj.weight", "affine")
        self.assertFalse((self.folder / "out").exists())

    def test_architecture_comes_from_the_plan_a_config_or_a_name(self):
        rows = [row("model.layers.0.mlp.up_proj.weight", (64, 64), ("affine", 4, 64))]
        path = self.written(plan(rows, "brand_new"))
        export = ("export", "--plan", path, "--to", "mlx-lm")
        self.assert_refused(moesweep(*export, self.folder / "a"), BAD_INPUT, "brand_new")
        self.assert_ends(moesweep(*export, self.folder / "b", "--architecture", "llama"), COMPLETE)
        config = self.folder / "config.json"
        config.write_text('{"model_type": "qwen3", "num_hidden_layers": 1}')
        self.assert_ends(moesweep(*export, self.folder / "c", "--config", config), COMPLETE)
        self.assert_refused(moesweep(*export, self.folder / "d", "--architecture", "lama"), BAD_USAGE, "lama", "llama")
        config.write_text("[]")
        self.assert_refused(moesweep(*export, self.folder / "d", "--config", config), BAD_INPUT, "config.json")
        self.assertFalse((self.folder / "d").exists())

    def test_a_plan_says_what_its_names_depend_on(self):
        """llama.cpp has the predictor behind the last layer, whose number no name of a text model says."""
        rows = [row("model.layers.0.self_attn.q_proj.weight", (256, 256), ("q8_0", 8, 32)),
                row("lm_head.weight", (1024, 256)), row("mtp.fc.weight", (256, 512), ("q8_0", 8, 32))]
        silent = plan(rows, "qwen3_5_moe_text")
        export = ("export", "--to", "llama.cpp", "--plan")
        self.assert_refused(moesweep(*export, self.written(silent), self.folder / "a"), BAD_INPUT, "mtp.fc.weight",
                            "their number is unknown")
        path = self.written(told(silent, layers=7))
        self.assert_ends(moesweep(*export, path, self.folder / "b"), COMPLETE)
        self.assertIn("blk.7.nextn.eh_proj.weight", (self.folder / "b/tensor-types.txt").read_text().replace("\\", ""))
        # What the user says counts more.
        config = self.folder / "config.json"
        config.write_text('{"model_type": "qwen3_5_moe_text", "num_hidden_layers": 9}')
        self.assert_ends(moesweep(*export, path, self.folder / "c", "--config", config), COMPLETE)
        self.assertIn("blk.9.nextn.eh_proj.weight", (self.folder / "c/tensor-types.txt").read_text().replace("\\", ""))

    def test_existing_files_are_kept_unless_told_otherwise(self):
        out = self.export(qwen(AFFINE), "json")
        path = self.folder / "plan.json"
        with self.unchanged(out):
            self.assert_refused(moesweep("export", "--plan", path, "--to", "json", out), BAD_USAGE, "plan.json")
        self.assert_ends(moesweep("export", "--plan", path, "--to", "csv", out, "--overwrite"), COMPLETE)
        self.assertEqual(sorted(file.name for file in out.iterdir()), ["HOW-TO-USE.txt", "plan.csv", "plan.json"])
        written = json.loads((out / "plan.json").read_text())
        self.assertEqual((written.pop("schema"), written.pop("prior")), (3, ""))
        self.assertEqual([written.pop(key) for key in ("layers", "experts", "tied_embeddings", "expert_patterns")],
                         [0, 0, None, None])
        self.assertEqual(written.pop("source"), {"name": "", "model_type": "", "params": 0, "bytes": 0})
        self.assertEqual(written.pop("made"), {"command": "", "version": "", "date": ""})
        for row in written["rows"]:
            self.assertEqual((row.pop("term"), row.pop("alpha")), ("", None))
        self.assertEqual({"schema": 1, **written}, qwen(AFFINE))

    def test_damaged_plans_are_refused_by_place(self):
        good = qwen(AFFINE)
        for damage, place in ((lambda plan: plan.pop("rows"), "rows"), (lambda plan: plan.update(schema=9), "schema"),
                              (lambda plan: plan["rows"][3].update(action="shrink"), "rows[3].action"),
                              (lambda plan: plan["rows"].reverse(), "rows[1].tensor")):
            plan = json.loads(json.dumps(good))
            damage(plan)
            done = moesweep("export", "--plan", self.written(plan), "--to", "mlx-lm", self.folder / "out")
            self.assert_refused(done, BAD_INPUT, "plan.json", place)
        missing = moesweep("export", "--plan", self.folder / "none", "--to", "mlx-lm", self.folder / "out")
        self.assertIn(missing.returncode, (BAD_INPUT, IO_ERROR))
        self.assertFalse((self.folder / "out").exists())

    def test_arguments_of_tables_and_of_plans_do_not_mix(self):
        path, out = self.written(qwen(AFFINE)), self.folder / "out"
        for arguments in (("run", out, "--plan", path, "--to", "mlx-lm"), ("run", "--to", "csv"),
                          (out, "--plan", path, "--to", "mlx-lm", "--table", "a"), ("run", out, "--to", "mlx-lm"),
                          ("run", out, "--to", "csv", "--allow-unmapped"), (out, "--plan", path, "--to", "awq")):
            self.assert_refused(moesweep("export", *arguments), BAD_USAGE)
        self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main()
