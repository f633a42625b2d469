"""Checkpoints written from plans: what is in them, and that nothing but the plan decides it."""
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

import h5py
import numpy

import processes
import written_checkpoints as written
from sweep_case import SweepCase
from sweeps import (COMPLETE, RUN_DIRECTORY, SOME_FAILED, STOPPED, USE_LITE, Job, Result, Sweep, binary, environment,
                    random_weights, read_units, write_arrays)

INVENTORY = pathlib.Path(__file__).parent.parent / "data" / "qwen35-397b-inventory.csv"
LAYER = "model.language_model.layers.0."
BITS = (2, 3, 4, 5, 6, 8)
BAD_INPUT, BAD_JOB = 65, 78


def flip_last_bit(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def is_quantized(name, array):
    return array.ndim >= 2 and name.endswith(".weight")


def measured(run_dir):
    """Pooled squared error and norm by tensor, quantizer, bits and group, from the sweep."""
    with h5py.File(run_dir / "results.h5") as file:
        table = {name: column[:] for name, column in file["sensitivity/distortion"].items()}
    return {(table["tensor"][i].decode(), table["quantizer"][i].decode(), int(table["bits"][i]),
             int(table["group_size"][i])): (float(table["sse"][i]), float(table["sum_squares"][i]))
            for i in range(len(table["sse"])) if table["slice"][i] == -1}


class QuantizeCase(SweepCase):
    def command(self, run, plan, to, out, *options, threads=1, ranks=None):
        command = [binary(), "quantize", run, "--plan", plan, "--to", to, out, "--json", "--threads", str(threads),
                   *options]
        if ranks is not None:
            command = [os.environ["MOESWEEP_MPIEXEC"], "-n", str(ranks), *command]
        return [str(part) for part in command]

    def quantize(self, *arguments, **options):
        done = subprocess.run(self.command(*arguments, **options), capture_output=True, text=True,
                              env=environment(), check=False, timeout=300)
        return Result(done.returncode, done.stdout, done.stderr)

    def sweep_in(self, out):
        return Sweep(None, out / ".moesweep")

    def quantize_well(self, *arguments, **options):
        result = self.quantize(*arguments, **options)
        self.assert_ended(result, COMPLETE)
        return json.loads(result.out)


class UseLite(QuantizeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sweep = Job(cls.shared).sweep("run")
        cls.sweep.run_to_digest()
        cls.source = written.read_source(USE_LITE)
        cls.table = measured(cls.sweep.run_dir)
        cls.plan = written.write_plan(cls.shared / "plan.json", cls.mixed_rows())

    @classmethod
    def row(cls, name, quantizer, bits, group):
        array = cls.source[name]
        sse, norm = cls.table[name, quantizer, bits, group]
        return written.plan_row(name, array, quantizer=quantizer, bits=bits, group_size=group, sse=sse,
                                sum_squares=norm)

    @classmethod
    def mixed_rows(cls):
        """Every bits and group size in turn."""
        rows, i = [], 0
        for name, array in sorted(cls.source.items()):
            if not is_quantized(name, array):
                rows.append(written.plan_row(name, array))
                continue
            rows.append(cls.row(name, "affine", BITS[i % 6], (32, 64, 128)[i // 2 % 3]))
            i += 1
        return rows

    def assert_is_the_plan(self, out):
        """Codes, scales and biases bit for bit, and what is kept byte for byte."""
        arrays = written.read(out)
        expected = set()
        for row in json.loads(self.plan.read_text())["rows"]:
            name = row["tensor"]
            if row["action"] == "keep":
                expected.add(name)
                numpy.testing.assert_array_equal(arrays[name], self.source[name])
                continue
            module = name.removesuffix(".weight")
            expected |= {f"{module}.{part}" for part in ("weight", "scales", "biases")}
            codes, scales, biases = written.affine(self.source[name], row["bits"], row["group_size"])
            numpy.testing.assert_array_equal(written.unpack(arrays[name], row["bits"]), codes, name)
            numpy.testing.assert_array_equal(arrays[module + ".scales"], scales, name)
            numpy.testing.assert_array_equal(arrays[module + ".biases"], biases, name)
        self.assertEqual(set(arrays), expected)

    def test_HoldsTheDefinitionBitForBitAtAnyShardSize(self):
        for size, files in (("4GiB", 1), ("128KiB", None), ("1", None)):
            out = self.folder / size
            report = self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out, "--shard-size", size)
            self.assert_is_the_plan(out)
            self.assertEqual(report["bytes"], written.weight_bytes(out))
            self.assertEqual(report["tensors_quantized"], 11)
            self.assertEqual(report["tensors_compared"], 11)
            self.assertLess(report["largest_deviation"], 1e-7)
            if files is not None:
                self.assertEqual(report["shards"], files)
            else:
                self.assertGreater(report["shards"], 3)

    def test_ConfigSaysWhatWasWritten(self):
        out = self.folder / "out"
        self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out)
        config = json.loads((out / "config.json").read_text())
        source = json.loads((USE_LITE / "config.json").read_text())
        quantization = config.pop("quantization")
        self.assertEqual(config.pop("quantization_config"), quantization)
        self.assertEqual(config, source)
        usual = {"group_size": quantization["group_size"], "bits": quantization["bits"]}
        for row in json.loads(self.plan.read_text())["rows"]:
            if row["action"] == "quantize":
                module = row["tensor"].removesuffix(".weight")
                self.assertEqual(quantization.get(module, usual),
                                 {"group_size": row["group_size"], "bits": row["bits"]}, module)
        self.assertEqual(written.read_file(out / "model.safetensors")[1], {"format": "mlx"})

    def test_TokenizerFilesComeAlong(self):
        source = self.folder / "source"
        shutil.copytree(USE_LITE, source)
        for name in ("tokenizer.json", "tokenizer_config.json", "merges.txt", "chat_template.jinja", "notes.txt"):
            (source / name).write_text(name)
        job = Job(self.folder, "copied", source)
        job.sweep("run").run_to_digest()
        out = self.folder / "out"
        self.quantize_well(self.folder / "run", self.plan, "mlx", out)
        self.assertEqual((out / "merges.txt").read_text(), "merges.txt")
        names = {file.name for file in out.iterdir()} - {".moesweep"}
        self.assertEqual(names, {"config.json", "model.safetensors", "model.safetensors.index.json", "tokenizer.json",
                                 "tokenizer_config.json", "merges.txt", "chat_template.jinja"})

    def test_SameBytesFromAnyRanksAndThreads(self):
        expected = None
        for name, options in (("alone", {}), ("threads", {"threads": 3}), ("two", {"ranks": 2}),
                              ("three", {"ranks": 3})):
            out = self.folder / name
            self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out, "--shard-size", "64KiB", **options)
            found = written.hashes(out)
            self.assertGreater(len(found), 8)
            if expected is None:
                expected = found
            self.assertEqual(found, expected, name)

    def test_RunningAgainChangesNothing(self):
        out = self.folder / "out"
        first = self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out, "--shard-size", "64KiB")
        expected = written.hashes(out)
        (out / "config.json").unlink()
        again = self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out, "--shard-size", "64KiB", ranks=2)
        self.assertEqual(written.hashes(out), expected)
        self.assertEqual(again["results_digest"], first["results_digest"])
        self.assertEqual(again["bytes_read"], 0)

    def test_AnotherPlanInTheSameFolderIsRefused(self):
        out = self.folder / "out"
        self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out)
        rows = [self.row(row["tensor"], "affine", 4, 64) if row["action"] == "quantize" else row
                for row in self.mixed_rows()]
        other = written.write_plan(self.folder / "other.json", rows)
        refused = self.quantize(self.sweep.run_dir, other, "mlx", out)
        self.assert_ended(refused, RUN_DIRECTORY)
        self.assertIn("input plan", refused.err)

    def test_FoldersWithOtherWeightsAreRefused(self):
        source = self.folder / "source"
        shutil.copytree(USE_LITE, source)
        before = written.hashes(source)
        Job(self.folder, "copied", source).sweep("run").run_to_digest()
        refused = self.quantize(self.folder / "run", self.plan, "mlx", source)
        self.assert_ended(refused, RUN_DIRECTORY)
        self.assertIn("the folder of the checkpoint itself", refused.err)
        other = self.folder / "other"
        shutil.copytree(USE_LITE, other)
        refused = self.quantize(self.folder / "run", self.plan, "mlx", other)
        self.assert_ended(refused, RUN_DIRECTORY)
        self.assertIn("which is not of this checkpoint", refused.err)
        self.assertEqual(written.hashes(source), before)
        self.assertEqual(written.hashes(other), before)

    def write_job(self, out):
        job = self.folder / "quantize.toml"
        job.write_text("\n".join(['schema = 1', 'kind = "quantize"', '[checkpoint]', f'path = "{USE_LITE}"',
                                  '[quantize]', f'plan = "{self.plan}"', 'to = "mlx"', f'out = "{out}"',
                                  'shard_bytes = "64KiB"', '']))
        return job

    def run_job(self, job, *options):
        done = subprocess.run([binary(), "run", job, "--run-dir", self.folder / "run", "--threads", "1", *options],
                              capture_output=True, text=True, env=environment(), check=False, timeout=120)
        return Result(done.returncode, done.stdout, done.stderr)

    def test_JobFileWritesTheSame(self):
        expected, out = self.folder / "expected", self.folder / "out"
        self.quantize_well(self.sweep.run_dir, self.plan, "mlx", expected, "--shard-size", "64KiB")
        self.assert_ended(self.run_job(self.write_job(out)), COMPLETE)
        self.assertEqual(written.hashes(out), written.hashes(expected))

    def test_AJobFilesRunDirectoryKnowsWhereItsFilesAre(self):
        out, elsewhere = self.folder / "out", self.folder / "elsewhere"
        self.assert_ended(self.run_job(self.write_job(out)), COMPLETE)
        sweep = Sweep(None, self.folder / "run")
        self.assert_ended(sweep.ask("verify"), COMPLETE)
        flip_last_bit(sorted(out.glob("*.safetensors"))[0])
        self.assert_ended(sweep.ask("verify"), BAD_INPUT)
        expected = written.hashes(out)
        self.assert_ended(self.run_job(self.write_job(out)), COMPLETE)
        self.assertNotEqual(written.hashes(out), expected)
        self.assert_ended(sweep.ask("verify"), COMPLETE)
        # To another folder: all is written there, and that is where it is looked for from then on.
        self.assert_ended(self.run_job(self.write_job(elsewhere)), COMPLETE)
        self.assertEqual(written.hashes(elsewhere), written.hashes(out))
        flip_last_bit(sorted(out.glob("*.safetensors"))[0])
        self.assert_ended(sweep.ask("verify"), COMPLETE)

    def test_TooLittleMemoryIsRefusedBeforeAnythingIsWritten(self):
        out = self.folder / "out"
        refused = self.run_job(self.write_job(out), "--set", "resources.memory=1MiB")
        self.assert_ended(refused, BAD_JOB)
        self.assertIn("of memory, resources.memory is 1.00 MiB", refused.err)
        self.assertFalse(out.exists())

    def test_FilesThatVanishedAreWrittenAgain(self):
        out = self.folder / "out"
        self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out, "--shard-size", "100KiB")
        expected = written.hashes(out)
        gone, cut, changed, *_ = sorted(out.glob("*.safetensors"))
        gone.unlink()
        os.truncate(cut, 1000)
        flip_last_bit(changed)
        again = self.quantize(self.sweep.run_dir, self.plan, "mlx", out, "--shard-size", "100KiB")
        self.assert_ended(again, COMPLETE)
        for file, problem in ((gone, "is missing"), (cut, "has 1000 bytes"), (changed, "does not match its hash")):
            self.assertRegex(again.err, rf"{file.name} {problem}[^\n]*: quantize/{file.name} runs again")
        self.assertEqual(written.hashes(out), expected)
        self.assertEqual({event["file"] for event in self.sweep_in(out).events("output_lost")},
                         {file.name for file in (gone, cut, changed)})

    def test_AnotherModelOfTheSameFileNameIsNotOverwritten(self):
        for name in ("model.safetensors", "config.json", "tokenizer.json", "model.safetensors.index.json"):
            out = self.folder / f"out_{name}"
            out.mkdir()
            (out / name).write_text("precious")
            refused = self.quantize(self.sweep.run_dir, self.plan, "mlx", out)
            self.assert_ended(refused, RUN_DIRECTORY)
            self.assertIn(f"holds {name}, which would be replaced", refused.err)
            self.assertEqual([file.name for file in out.iterdir()], [name])
            self.assertEqual((out / name).read_text(), "precious")

    def test_VerifyFindsARottenFile(self):
        out = self.folder / "out"
        report = self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out)
        self.assert_verifies(self.sweep_in(out), report["results_digest"])
        flip_last_bit(out / "model.safetensors")
        self.assert_found(out, "does not match its hash")
        self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out)
        self.assert_verifies(self.sweep_in(out), report["results_digest"])

    def assert_found(self, out, problem):
        verified = self.sweep_in(out).ask("verify")
        self.assertEqual(verified.code, BAD_INPUT)
        self.assertIn(f"file {out}/model.safetensors {problem}; the same `moesweep quantize` makes it again", verified.err)

    def test_VerifyLooksAtTheFolderThatItWasGiven(self):
        out, copy, moved = (self.folder / name for name in ("out", "copy", "moved"))
        digest = self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out)["results_digest"]
        shutil.copytree(out, copy)
        self.assert_verifies(self.sweep_in(copy), digest)
        flip_last_bit(copy / "model.safetensors")
        self.assert_found(copy, "does not match its hash")
        (copy / "model.safetensors").unlink()
        self.assert_found(copy, "is missing")
        self.assert_verifies(self.sweep_in(out), digest)
        out.rename(moved)
        for name in (".moesweep", ".moesweep/"):
            with self.subTest(name):
                done = subprocess.run([binary(), "verify", f"{moved}/{name}"], capture_output=True, text=True,
                                      env=environment(), check=False)
                self.assertEqual((done.returncode, done.stderr), (COMPLETE, ""))
        inside = subprocess.run([binary(), "verify", "."], cwd=moved / ".moesweep", capture_output=True, text=True,
                                env=environment(), check=False)
        self.assertEqual((inside.returncode, inside.stderr), (COMPLETE, ""))
        self.assertIn(digest, inside.stdout)

    def test_StatusMissesFilesThatAreGone(self):
        out = self.folder / "out"
        self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out)
        (out / "model.safetensors").unlink()
        status = self.sweep_in(out).ask("status", "--exit-code", "--json")
        self.assertEqual((status.code, json.loads(status.out)["state"]), (STOPPED, "damaged"))
        self.assertEqual(json.loads(status.out)["lost_outputs"], [f"file {out}/model.safetensors is missing"])

    def test_ATargetBelowTheSmallestFilesIsToldTheirSize(self):
        """Headers included: the size that is named is one that can be had."""
        plan = self.folder / "plan.json"

        def allocate(target):
            done = subprocess.run([binary(), "allocate", self.sweep.run_dir, "--target", str(target), "--json",
                                   "--architecture", "generic", "--bits", "2", "--group-size", "128", "--out", plan,
                                   "--overwrite"],
                                  capture_output=True, text=True, env=environment(), check=False, timeout=120)
            return Result(done.returncode, done.stdout, done.stderr)

        too_large = allocate("16bpw")
        self.assert_ended(too_large, 64)
        self.assert_ended(allocate(re.search(r"at most .*?\(([\d.]+) bits per weight", too_large.err)[1] + "bpw"), COMPLETE)
        least = json.loads(plan.read_text())["bytes"]
        self.assert_ended(allocate(least), COMPLETE)
        refused = allocate(least - 1)
        self.assert_ended(refused, 64)
        self.assertIn(f"({8 * least / sum(array.size for array in self.source.values()):.4f} bits per weight)",
                      refused.err)

    def test_AllocatedPlanIsWrittenToTheByte(self):
        for target, size in (("3.3bpw", "4GiB"), ("5bpw", "100KiB")):
            plan = self.folder / f"{target}.json"
            done = subprocess.run([binary(), "allocate", self.sweep.run_dir, "--target", target, "--for", "mlx",
                                   "--architecture", "generic", "--shard-size", size, "--out", plan],
                                  capture_output=True, text=True, env=environment(), check=False, timeout=120)
            self.assert_ended(Result(done.returncode, done.stdout, done.stderr), COMPLETE)
            out = self.folder / target
            report = self.quantize_well(self.sweep.run_dir, plan, "mlx", out, "--shard-size", size)
            planned = json.loads(plan.read_text())
            self.assertEqual(written.weight_bytes(out), planned["bytes"])
            self.assertEqual(report["planned_bytes"], planned["bytes"])
            self.assertEqual(report["tensors_compared"],
                             sum(row["action"] == "quantize" for row in planned["rows"]))
            self.assertGreater(report["tensors_compared"], 3)
            self.assertLess(report["largest_deviation"], 1e-6)

    def test_PlanOfOtherWeightsFailsNamingTheTensor(self):
        rows = self.mixed_rows()
        wrong = next(row for row in rows if row["action"] == "quantize")
        wrong["sse"] *= 1 + 3e-6
        plan = written.write_plan(self.folder / "wrong.json", rows)
        out = self.folder / "out"
        failed = self.quantize(self.sweep.run_dir, plan, "mlx", out)
        self.assert_ended(failed, SOME_FAILED)
        self.assertIn(wrong["tensor"] + ": has a sum of squared errors of", failed.err)
        self.assertEqual(list(out.glob("*.safetensors")), [])

    def test_DequantizedIsTheDefinitionWithinBf16(self):
        for bits in (8, 4, 3, 2):
            rows = [self.row(name, "rtn", bits, 64) if is_quantized(name, array)
                    else written.plan_row(name, array) for name, array in self.source.items()]
            plan = written.write_plan(self.folder / f"rtn{bits}.json", rows)
            out = self.folder / f"rtn{bits}"
            report = self.quantize_well(self.sweep.run_dir, plan, "dequantized", out, "--shard-size", "200KiB")
            self.assertEqual(report["tensors_compared"], 11)
            arrays = written.read(out)
            self.assertEqual(set(arrays), set(self.source))
            for name, array in self.source.items():
                expected = written.to_bf16(written.rtn(array, bits, 64)) if is_quantized(name, array) else array
                numpy.testing.assert_array_equal(arrays[name], expected, f"{name} at {bits} bits")
            self.assertEqual((out / "config.json").read_bytes(), (USE_LITE / "config.json").read_bytes())


class OtherFamilies(QuantizeCase):
    """What mlx-lm alone can make: planned and exported, but not written."""

    def plan_of(self, family, arrays):
        source = self.folder / family
        source.mkdir()
        random = numpy.random.default_rng(2)
        shapes = arrays | {"lm_head.weight": (128, 128)}  # these families don't tie it
        write_arrays(source / "model.safetensors",
                     {name: random_weights(random, "BF16", shape) for name, shape in shapes.items()})
        (source / "config.json").write_text(json.dumps({"model_type": family, "num_hidden_layers": 1}))
        sweep = Job(self.folder, family + "_job", source).sweep(family + "_run")
        sweep.run_to_digest()
        plan = self.folder / f"{family}.json"
        done = subprocess.run([binary(), "allocate", sweep.run_dir, "--target", "14bpw", "--json", "--out", plan],
                              capture_output=True, text=True, env=environment(), check=False, timeout=120)
        self.assert_ended(Result(done.returncode, done.stdout, done.stderr), COMPLETE)
        refused = self.quantize(sweep.run_dir, plan, "mlx", self.folder / "out")
        self.assertFalse((self.folder / "out").exists())
        return json.loads(done.stdout), {row["tensor"]: row for row in json.loads(plan.read_text())["rows"]}, refused

    def test_DeepSeeksLatentProjectionIsPlannedKeptAndRefusedByName(self):
        latent = "model.layers.0.self_attn.kv_b_proj.weight"
        report, rows, refused = self.plan_of("deepseek_v3", {
            latent: (256, 64), "model.layers.0.self_attn.o_proj.weight": (128, 128),
            "model.layers.0.mlp.experts.0.down_proj.weight": (128, 64),
            "model.layers.0.mlp.experts.1.down_proj.weight": (128, 64)})
        self.assertFalse(report["with_headers"])
        self.assertEqual(report["bytes"], sum(row["bytes"] for row in rows.values()))
        self.assertEqual(rows[latent]["action"], "keep")
        self.assertEqual(rows["model.layers.0.self_attn.o_proj.weight"]["action"], "quantize")
        self.assertEqual(refused.code, 65, refused.err)
        self.assertIn(latent + ": is made into", refused.err)

    def test_GptOssExpertsAreCountedAsKeptAndRefusedByName(self):
        stack = "model.layers.0.mlp.experts.gate_up_proj"
        report, rows, refused = self.plan_of("gpt_oss", {
            stack: (4, 32, 64), "model.layers.0.self_attn.o_proj.weight": (128, 128)})
        self.assertIn("unmapped", rows[stack]["reason"])
        self.assertEqual(rows[stack]["bytes"], 2 * 4 * 32 * 64)
        self.assertTrue(any("no known name" in note for note in report["notes"]))
        self.assertEqual(refused.code, 65, refused.err)
        self.assertIn(stack + ": have no name in mlx-lm's gpt_oss", refused.err)


class FusedExperts(QuantizeCase):
    """A twin with stacks of experts whose gate and up projections are one tensor."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(INVENTORY, newline="") as file:
            lines = list(csv.reader(file))
        kept = [line for line in lines[1:] if line[0].startswith(LAYER)]
        inventory = cls.shared / "inventory.csv"
        with open(inventory, "w", newline="") as file:
            csv.writer(file).writerows([lines[0], *kept])
        cls.twin = cls.shared / "twin"
        subprocess.run([binary(), "twin", inventory, cls.twin, "--scale", "64", "--seed", "3"], check=True,
                       capture_output=True, env=environment(), timeout=300)
        cls.sweep = Job(cls.shared, "job", cls.twin).sweep("run")
        cls.sweep.run_to_digest(threads=2)
        cls.source = written.read_source(cls.twin)
        cls.table = measured(cls.sweep.run_dir)
        cls.plan = written.write_plan(cls.shared / "plan.json", cls.rows(), "qwen3_5_moe")

    @classmethod
    def rows(cls):
        rows = []
        for name, array in cls.source.items():
            is_stack = array.ndim == 3 and "experts" in name
            is_linear = array.ndim == 2 and name.endswith("proj.weight") and array.shape[-1] % 32 == 0
            if not is_stack and not is_linear:
                rows.append(written.plan_row(name, array))
                continue
            bits = 3 if name.endswith("gate_up_proj") else 5 if is_stack else 8
            sse, norm = cls.table[name, "affine", bits, 32]
            rows.append(written.plan_row(name, array, quantizer="affine", bits=bits, group_size=32, sse=sse,
                                         sum_squares=norm))
        return rows

    def test_HalvesAndStacksAreTheDefinitionBitForBit(self):
        out = self.folder / "out"
        report = self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out, "--shard-size", "300KiB", ranks=2)
        self.assertEqual(report["tensors_compared"], report["tensors_quantized"])
        self.assertLess(report["largest_deviation"], 1e-6)
        self.assertEqual(report["bytes"], written.weight_bytes(out))
        arrays = written.read(out)
        switch = "language_model.model.layers.0.mlp.switch_mlp."
        fused = self.source[LAYER + "mlp.experts.gate_up_proj"]
        half = fused.shape[1] // 2
        stacks = {"gate_proj": (fused[:, :half], 3), "up_proj": (fused[:, half:], 3),
                  "down_proj": (self.source[LAYER + "mlp.experts.down_proj"], 5)}
        for projection, (weights, bits) in stacks.items():
            codes, scales, biases = written.affine(numpy.ascontiguousarray(weights), bits, 32)
            module = switch + projection
            numpy.testing.assert_array_equal(written.unpack(arrays[module + ".weight"], bits), codes, projection)
            numpy.testing.assert_array_equal(arrays[module + ".scales"], scales)
            numpy.testing.assert_array_equal(arrays[module + ".biases"], biases)

    def test_AllocatedPlanIsWrittenToTheByte(self):
        plan = self.folder / "plan.json"
        done = subprocess.run([binary(), "allocate", self.sweep.run_dir, "--target", "4.5bpw", "--for", "mlx",
                               "--architecture", "qwen3_5_moe", "--shard-size", "1MiB", "--out", plan],
                              capture_output=True, text=True, env=environment(), check=False, timeout=120)
        self.assert_ended(Result(done.returncode, done.stdout, done.stderr), COMPLETE)
        out = self.folder / "out"
        report = self.quantize_well(self.sweep.run_dir, plan, "mlx", out, "--shard-size", "1MiB", ranks=2)
        planned = json.loads(plan.read_text())
        self.assertEqual(written.weight_bytes(out), planned["bytes"])
        quantized = {row["tensor"] for row in planned["rows"] if row["action"] == "quantize"}
        self.assertIn(LAYER + "mlp.experts.gate_up_proj", quantized)
        self.assertEqual(report["tensors_compared"], len(quantized))
        self.assertLess(report["largest_deviation"], 1e-6)

    def test_NormsAndConvolutionsAreWhatMlxLmLoads(self):
        out = self.folder / "out"
        self.quantize_well(self.sweep.run_dir, self.plan, "mlx", out)
        arrays = written.read(out)
        norm = LAYER + "input_layernorm.weight"
        numpy.testing.assert_array_equal(arrays["language_model.model.layers.0.input_layernorm.weight"],
                                         written.to_bf16(self.source[norm] + numpy.float32(1)))
        convolution = self.source[LAYER + "linear_attn.conv1d.weight"]
        numpy.testing.assert_array_equal(arrays["language_model.model.layers.0.linear_attn.conv1d.weight"],
                                         numpy.moveaxis(convolution, 2, 1))

    def test_UnwrittenTwinGivesTheSameFiles(self):
        expected = self.folder / "expected"
        self.quantize_well(self.sweep.run_dir, self.plan, "mlx", expected, "--shard-size", "1MiB")
        job = Job(self.folder, "unwritten", "unused")
        twin = f'twin = {{ inventory = "{self.shared / "inventory.csv"}", scale = 64, seed = 3 }}'
        job.file.write_text(job.file.read_text().replace('path = "unused"', twin))
        job.sweep("run").run_to_digest(threads=2)
        out = self.folder / "out"
        self.quantize_well(self.folder / "run", self.plan, "mlx", out, "--shard-size", "1MiB")
        for name, found in written.hashes(out).items():
            if name.endswith(".safetensors"):
                self.assertEqual(found, written.hashes(expected)[name], name)


class Killed(QuantizeCase):
    """Killed half-way again and again, with other ranks each time: the same bytes."""

    MATRICES = 128

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source = cls.shared / "source"
        source.mkdir()
        random = numpy.random.default_rng(5)
        arrays = {f"m{i:03}.weight": random_weights(random, "BF16", (256, 2048)) for i in range(cls.MATRICES)}
        write_arrays(source / "model.safetensors", arrays)
        job = Job(cls.shared, "job", source, quantizers=("affine",), flush_seconds=0.02)
        text = job.file.read_text().replace("[sensitivity]", '[sensitivity]\nmetrics = ["moments"]')
        job.file.write_text(text)
        cls.run_dir = cls.shared / "run"
        job.sweep("run").run_to_digest(threads=2)
        rows = [written.plan_row(name, array, quantizer="affine", bits=3, group_size=32)
                for name, array in arrays.items()]
        cls.plan = written.write_plan(cls.shared / "plan.json", rows)

    def start(self, out, ranks):
        command = self.command(self.run_dir, self.plan, "mlx", out, "--shard-size", "1", ranks=ranks)
        return self.started(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL, env=environment()))

    def test_ResumedOutputIsThatOfAnUninterruptedRun(self):
        reference = self.folder / "reference"
        self.quantize_well(self.run_dir, self.plan, "mlx", reference, "--shard-size", "1")
        out = self.folder / "out"
        # Alone until units are done for good; ranks flush seldom, so those are killed when files appear.
        for ranks, pattern in ((None, ".moesweep/segments/e*.h5"), (3, "*.safetensors"), (2, "*.safetensors")):
            before = len(list(out.glob(pattern)))
            process = self.start(out, ranks)
            processes.wait_until(lambda: process.poll() is not None or len(list(out.glob(pattern))) > before, pattern)
            self.assertIsNone(process.poll(), "ended before it could be killed")
            process.send_signal(signal.SIGKILL)
            process.wait()
            processes.wait_for_orphans()
        first = self.quantize(self.run_dir, self.plan, "mlx", out, "--shard-size", "1", ranks=2)
        if first.code == SOME_FAILED:  # a unit that two kills hit is blamed for them, and tried again next time
            self.assertIn("ended abnormally 2 times", first.err)
        report = self.quantize_well(self.run_dir, self.plan, "mlx", out, "--shard-size", "1", ranks=2)
        self.assertEqual(report["units_done"], self.MATRICES)
        self.assertEqual(written.hashes(out), written.hashes(reference))
        self.assertEqual([file for file in out.iterdir() if file.name.startswith(".tmp.")], [])
        epochs = {unit.epoch for unit in read_units(out / ".moesweep" / "results.h5")}
        self.assertGreater(len(epochs), 1, "nothing of the killed runs was used")


if __name__ == "__main__":
    unittest.main()
