"""Files that people hand over: a checkpoint whose links lead to private files, configurations made to hang or to
overflow, results that nobody swept, samples as other programs write them. Each is read, or refused with one line."""
import json
import os
import shutil
import time
import unittest

import numpy as np

import sealed_results
from cli import BAD_INPUT, COMPLETE, CliTest, moesweep, random_matrices, write_safetensors

SECRET = "BEGIN PRIVATE KEY 6d6f6573"
DEEP = 200_000


def deep_config():
    return '{"model_type": "llama", "a": ' + "[" * DEEP + "]" * DEEP + "}"


class WrittenCase(CliTest):
    """A swept checkpoint and a plan for it; what lies beside the weights is the test's."""

    def setUp(self):
        super().setUp()
        self.checkpoint = self.folder / "model"
        self.out = self.folder / "out"
        write_safetensors(self.checkpoint / "model.safetensors", random_matrices(2, 32, 64))
        (self.folder / "secret").write_text(SECRET)

    def plan(self):
        self.run_directory = self.sweep(self.job(self.checkpoint))
        plan = self.folder / "plan.json"
        done = moesweep("allocate", self.run_directory, "--method", "uniform", "--bits", "4", "--group-size", "32",
                        "--architecture", "generic", "--out", plan)
        self.assert_ends(done, COMPLETE)
        return plan

    def quantize(self, plan, to="mlx", *more):
        return moesweep("quantize", self.run_directory, "--plan", plan, "--to", to, self.out, "--architecture",
                        "generic", *more)

    def assert_nothing_written(self):
        """No private byte, no weights, no file of a half-written checkpoint."""
        for path in self.out.rglob("*"):
            self.assertNotIn(path.suffix, (".safetensors", ".txt"), path)
            if path.is_file():
                self.assertNotIn(SECRET.encode(), path.read_bytes(), path)


class Companions(WrittenCase):
    def test_AFileLinkedToAPrivateOneIsNeverCopied(self):
        plan = self.plan()
        for name in ("vocab.txt", "tokenizer.json", "generation_config.json", "chat_template.jinja", "x.model"):
            for target in (self.folder / "secret", "../secret"):
                with self.subTest(name=name, target=target):
                    link = self.checkpoint / name
                    link.symlink_to(target)
                    for to in ("mlx", "dequantized"):
                        self.assert_refused(self.quantize(plan, to), BAD_INPUT, name, "leads out of the checkpoint",
                                            self.folder / "secret", "put a copy of it in its place")
                        self.assert_nothing_written()
                    link.unlink()
        self.assert_ends(self.quantize(plan), COMPLETE)

    def test_AConfigurationLinkedToAPrivateFileIsNeitherCopiedNorRead(self):
        plan = self.plan()
        (self.folder / "secret").write_text(json.dumps({"model_type": "llama", "token": SECRET}))
        (self.checkpoint / "config.json").symlink_to(self.folder / "secret")
        for to in ("mlx", "dequantized"):
            self.assert_refused(self.quantize(plan, to), BAD_INPUT, "config.json", "leads out of the checkpoint")
            self.assert_nothing_written()
        self.assert_refused(moesweep("verify-plan", plan, self.checkpoint), BAD_INPUT, "config.json", "leads out")
        swept = moesweep("run", self.job(self.checkpoint), "--run-dir", self.folder / "again")
        self.assert_ends(swept, COMPLETE)
        self.assertIn("config.json leads out of the checkpoint", swept.stderr)
        self.assert_refused(moesweep("allocate", self.folder / "again", "--method", "uniform", "--bits", "4",
                                     "--group-size", "32"), BAD_INPUT, "config.json", "leads out")

    def test_AHuggingFaceCacheKeepsItsCompanions(self):
        repository = self.folder / "hub" / "models--org--m"
        snapshot = repository / "snapshots" / "deadbeef"
        snapshot.mkdir(parents=True)
        (repository / "blobs").mkdir()
        files = {"model.safetensors": (self.checkpoint / "model.safetensors").read_bytes(),
                 "config.json": b'{"model_type": "generic"}', "tokenizer.json": b'{"version": "1.0"}'}
        for number, (name, contents) in enumerate(files.items()):
            (repository / "blobs" / f"hash{number}").write_bytes(contents)
            (snapshot / name).symlink_to(f"../../blobs/hash{number}")
        self.checkpoint = self.folder / "linked"
        self.checkpoint.symlink_to(snapshot)
        self.assert_ends(self.quantize(self.plan()), COMPLETE)
        self.assertEqual((self.out / "tokenizer.json").read_bytes(), files["tokenizer.json"])
        self.assertEqual(json.loads((self.out / "config.json").read_text())["model_type"], "generic")
        self.assertFalse((self.out / "tokenizer.json").is_symlink())

    def test_WhatIsNotCopiedIsNamedWithItsReason(self):
        plan = self.plan()
        large = os.urandom((5 << 20) + 123)
        (self.checkpoint / "tokenizer.model").write_bytes(large)
        (self.checkpoint / "vocab.json").symlink_to("nowhere")
        os.mkfifo(self.checkpoint / "merges.txt")
        (self.checkpoint / "tokenizer\x1b]0;x\x07.json").write_text("{}")
        (self.checkpoint / "tokenizer").mkdir()
        done = self.quantize(plan)
        self.assert_ends(done, COMPLETE)
        for text in ("vocab.json is not copied: is a link to nothing", "merges.txt is not copied: is not a regular file",
                     "tokenizer\\x1b]0;x\\x07.json is not copied"):
            self.assertIn(text, done.stderr)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertEqual((self.out / "tokenizer.model").read_bytes(), large)
        written = {path.name for path in self.out.iterdir()}
        self.assertEqual(written & {"vocab.json", "merges.txt", "tokenizer"}, set())


class Shards(CliTest):
    def test_AFolderOfLinksToASharedCopyIsSwept(self):
        shared, mine = self.folder / "shared", self.folder / "mine"
        matrices = random_matrices(2, 32, 64)
        for number, (name, matrix) in enumerate(matrices.items()):
            write_safetensors(shared / f"model-0000{number + 1}-of-00002.safetensors", {name: matrix})
        mine.mkdir()
        for file in shared.iterdir():
            (mine / file.name).symlink_to(file)
        digests = []
        for folder in (shared, mine):
            self.assert_ends(moesweep("inspect", folder), COMPLETE)
            run = self.sweep(self.job(folder), folder.name + "-run")
            digests.append(moesweep("verify", run).stdout)
        self.assertEqual(*digests)


class Configurations(WrittenCase):
    def test_ADeepConfigurationIsRefusedWhereItWouldBeWritten(self):
        plan = self.plan()
        (self.checkpoint / "config.json").write_text(deep_config())
        self.assert_refused(self.quantize(plan), BAD_INPUT, "config.json", "nested deeper than 100")
        self.assert_nothing_written()
        self.assert_refused(moesweep("verify-plan", plan, self.checkpoint), BAD_INPUT, "nested deeper than 100")
        for command in (("inspect", self.checkpoint), ("run", self.job(self.checkpoint), "--run-dir", self.folder / "r")):
            done = moesweep(*command)
            self.assert_ends(done, COMPLETE)
            self.assertIn("config.json is JSON that is nested deeper than 100", done.stdout + done.stderr)
        self.assert_refused(moesweep("allocate", self.folder / "r", "--method", "uniform", "--bits", "4"), BAD_INPUT,
                            "config.json", "nested deeper than 100", "--architecture")

    def test_ADeepPlanAndADeepIndexAreRefused(self):
        plan = self.folder / "deep.json"
        plan.write_text('{"schema": ' + "[" * DEEP + "]" * DEEP + "}")
        for command in (("export", "--plan", plan, "--to", "csv", self.out), ("verify-plan", plan, self.checkpoint)):
            self.assert_refused(moesweep(*command), BAD_INPUT, "deep.json", "nested deeper than 100")
        (self.checkpoint / "model.safetensors.index.json").write_text(deep_config())
        self.assert_refused(moesweep("inspect", self.checkpoint), BAD_INPUT, "index.json", "nested too deep")

    def test_NumbersThatPythonWritesAreReadAndKept(self):
        config = {"model_type": "generic", "num_hidden_layers": 2, "time_step_limit": [0.0, float("inf")],
                  "low": -float("inf"), "jitter": float("nan"), "text": "NaN, Infinity"}
        (self.checkpoint / "config.json").write_text(json.dumps(config))
        plan = self.plan()
        self.assert_ends(self.quantize(plan), COMPLETE)
        text = (self.out / "config.json").read_text()
        written = json.loads(text)
        self.assertEqual(repr({key: written[key] for key in config}), repr(config))
        self.assertEqual(written["quantization"]["bits"], 4)
        for word in ("NaN,", "Infinity\n", "-Infinity,"):
            self.assertIn(word, text)

    def test_TheArchitectureThatIsNamedDecidesBeforeConfigurationIsRead(self):
        names = ("model.embed_tokens", "lm_head", "model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj")
        matrices = random_matrices(len(names), 32, 64).values()
        write_safetensors(self.checkpoint / "model.safetensors",
                          {name + ".weight": matrix for name, matrix in zip(names, matrices)})
        good = {"model_type": "llama", "num_hidden_layers": 2}
        texts = {"not finite": (json.dumps(good | {"limit": float("inf"), "x": float("nan")}), True),
                 "no model_type": (json.dumps({"num_hidden_layers": 2}), False),
                 "a comment": (json.dumps(good)[:-1] + ", // note\n\"x\": 1}", False),
                 "a trailing comma": (json.dumps(good)[:-1] + ",}", False),
                 "a byte order mark": ("\ufeff" + json.dumps(good), True),
                 "empty": ("", False), "a list": ("[]", False), "deep": (deep_config(), False),
                 "experts in a list": (json.dumps(good | {"num_experts": [1, 2]}), False)}
        for kind, (text, is_read) in texts.items():
            with self.subTest(kind):
                (self.checkpoint / "config.json").write_text(text)
                run = self.sweep(self.job(self.checkpoint), kind.replace(" ", "_"))
                allocate = ("allocate", run, "--method", "uniform", "--bits", "4", "--group-size", "32", "--json")
                done = moesweep(*allocate, "--out", self.folder / f"{kind}-1.json")
                if is_read:
                    self.assert_ends(done, COMPLETE)
                else:
                    self.assert_refused(done, BAD_INPUT, "config.json", "--architecture")
                named = moesweep(*allocate, "--architecture", "llama", "--out", self.folder / f"{kind}-2.json")
                self.assert_ends(named, COMPLETE)
                self.assertEqual(json.loads((self.folder / f"{kind}-2.json").read_text())["architecture"], "llama")


class Patterns(CliTest):
    """Targets of a compressed-tensors config.json."""

    def verify(self, pattern, module):
        checkpoint, plan = self.folder / "model", self.folder / "plan.json"
        shutil.rmtree(checkpoint, ignore_errors=True)
        write_safetensors(checkpoint / "model.safetensors", {
            module + ".weight_packed": ("I32", (64, 8), bytes(4 * 64 * 8)),
            module + ".weight_scale": ("BF16", (64, 1), bytes(128))})
        config = {"model_type": "llama", "quantization_config": {
            "quant_method": "compressed-tensors", "ignore": [],
            "config_groups": {"g": {"targets": [pattern], "weights": {"num_bits": 4, "group_size": 64}}}}}
        (checkpoint / "config.json").write_text(json.dumps(config))
        plan.write_text(json.dumps({"schema": 1, "method": "uniform", "runtime": "vllm", "architecture": "generic",
                                    "source_headers": "", "bytes": 0, "rows": []}))
        begin = time.monotonic()
        done = moesweep("verify-plan", plan, checkpoint, timeout=60)
        self.assertLess(time.monotonic() - begin, 30)
        return done

    def test_PatternsThatAreRefusedAreNamed(self):
        for pattern, reason in (("re:" + "(" * 100_000, "more than the 65536"),
                                ("re:" + "(" * 100_000 + "a" + ")" * 100_000, "more than the 65536"),
                                ("re:.**gate", '"**"'), ("re:(?!x)a", '"(?!"'), ("re:(?=x)a", '"(?="'),
                                (r"re:(a)\1", r'"\1"'), ("re:[", "not a regular expression"),
                                ("re:((a{1000}){1000})", ""), ("re:a{100000}", "{100000}")):
            with self.subTest(pattern[:20]):
                done = self.verify(pattern, "model.layers.0.a")
                self.assert_refused(done, BAD_INPUT, "config.json: quantization_config:", reason)
                self.assertLess(len(done.stderr), 400)

    def test_PatternsThatBacktrackForeverEndAtOnce(self):
        for pattern in ("re:model.layers.0.(a+)+$", "re:m.((a|b)|(c|d))*x", "re:model.(a|a)*$"):
            with self.subTest(pattern):
                done = self.verify(pattern, "model.layers.0." + "a" * 900 + "!")
                self.assert_ends(done, BAD_INPUT)
                self.assertIn("no target of config.json matches it", done.stdout)

    def test_DeepListsOfPatternsAreRefused(self):
        done = self.verify("re:" + "(?:" * 20_000 + "a" + ")" * 20_000, "m.a")
        self.assertIn(done.returncode, (COMPLETE, BAD_INPUT), done.stderr)


class Results(CliTest):
    """Of a run whose checkpoint is gone: rows are all that is left of it."""

    def setUp(self):
        super().setUp()
        checkpoint = self.folder / "model"
        write_safetensors(checkpoint / "model.safetensors", random_matrices(3, 32, 64))
        self.swept = self.sweep(self.job(checkpoint))
        shutil.rmtree(checkpoint)
        self.copies = 0

    def changed(self, column, change):
        self.copies += 1
        run = self.folder / f"changed-{self.copies}"
        shutil.copytree(self.swept, run)
        sealed_results.set_column(run / "results.h5", column, change)
        return run

    def allocate(self, run):
        return moesweep("allocate", run, "--method", "uniform", "--bits", "4", "--group-size", "32", "--architecture",
                        "generic", "--out", self.folder / f"plan-{self.copies}.json")

    def test_UnchangedRowsArePlanned(self):
        self.assert_ends(self.allocate(self.changed("checkpoint/tensors/name", lambda row, name: name)), COMPLETE)

    def test_ShapesDtypesAndNamesThatAreNoneAreNamedByFileAndRow(self):
        for column, value in (("shape", "axb"), ("shape", "99999999999999999999999x2"), ("shape", "-5x-7"),
                              ("shape", "9223372036854775807x9223372036854775807"), ("shape", ""), ("shape", "0x0"),
                              ("dtype", "Q7"), ("dtype", ""), ("name", "\x1b]0;x\x07"), ("name", "a\nb")):
            with self.subTest(column=column, value=value):
                run = self.changed(f"checkpoint/tensors/{column}", lambda row, old: value if row == 1 else old)
                done = self.allocate(run)
                self.assert_refused(done, BAD_INPUT, f"{run}/results.h5: checkpoint/tensors, row 2")
                self.assertNotIn("\x1b", done.stderr)

    def test_ErrorsThatAreNoneAreNamed(self):
        for value in (np.inf, -np.inf, -1.0):
            for method in ("uniform", "budget"):
                run = self.changed("sensitivity/distortion/sse", lambda row, old: value)
                done = moesweep("allocate", run, "--method", method, "--architecture", "generic",
                                *(("--bits", "4") if method == "uniform" else ("--target", "50%")),
                                "--out", self.folder / f"plan-{self.copies}.json")
                self.assert_refused(done, BAD_INPUT, f"{run}/results.h5: sensitivity/distortion")


class PlanTexts(CliTest):
    def test_ControlCharactersOfAPlanNeverReachAFileOrATerminal(self):
        row = {"tensor": "a.weight", "shape": "64x128", "dtype": "BF16", "role": "mlp", "module": "a", "action": "keep",
               "quantizer": "", "bits": 16, "group_size": 0, "params": 8192, "bytes": 16384, "sse": None,
               "sum_squares": None, "reason": ""}
        plan = {"schema": 1, "method": "uniform", "runtime": "mlx", "architecture": "generic", "source_headers": "",
                "bytes": 16384, "rows": [row]}
        hostile = "x\x1b]0;pwn\x07\n.*=q2_k"
        file = self.folder / "plan.json"
        for place in ("method", "runtime", "architecture", "tensor", "reason", "module", "role"):
            changed = dict(plan, **{place: hostile}) if place in plan else dict(plan, rows=[dict(row, **{place: hostile})])
            file.write_text(json.dumps(changed))
            for to in ("csv", "json", "llama.cpp", "mlx-lm"):
                with self.subTest(place=place, to=to):
                    done = moesweep("export", "--plan", file, "--to", to, self.folder / "out")
                    self.assert_refused(done, BAD_INPUT, "plan.json", place, "has control characters")
                    self.assertNotIn("\x1b", done.stderr)
                    self.assertFalse((self.folder / "out").exists())


class Samples(CliTest):
    JOB = """schema = 1
kind = "quality_safety"
[quality]
samples = "s.jsonl"
baseline = "FP16"
[quality.metrics]
quality = ["q"]
safety = ["s"]
"""

    def setUp(self):
        super().setUp()
        self.job_file = self.folder / "q.toml"
        self.job_file.write_text(self.JOB)
        self.file = self.folder / "s.jsonl"
        self.runs = 0

    def lines(self):
        return [json.dumps({"model": "m", "level": level, "metric": metric, "score": i % 3 / 2, "sample": f"s{i}"})
                for level in ("FP16", "Q4") for metric in ("q", "s") for i in range(10)]

    def run_with(self, text):
        self.file.write_text(text, encoding="utf-8")
        self.runs += 1
        self.run_dir = self.folder / f"run{self.runs}"
        return moesweep("run", self.job_file, "--run-dir", self.run_dir)

    def test_WhatIsNotANumberIsOneLineWithFileAndLineNumber(self):
        for score in ("nan", "NaN", "none", "None", "Infinity", "-Infinity", "inf", '"0.5"'):
            with self.subTest(score):
                lines = self.lines()
                lines[16] = lines[16].replace('"score": 0.0', f'"score": {score}')
                self.assertIn(score, lines[16])
                done = self.run_with("\n".join(lines) + "\n")
                self.assert_ends(done, BAD_INPUT)
                errors = [line for line in done.stderr.splitlines() if line.startswith("moesweep: ")]
                self.assertEqual(len(errors), 1, done.stderr)
                self.assertIn(f'{self.file}:17: "score" is neither a number', errors[0])
                self.assertIn("write null for a missing one", errors[0])
                status = moesweep("status", self.run_dir)
                failed = [line for line in status.stdout.splitlines() if line.startswith("failed ")]
                self.assertIn(f"{self.file}:17", failed[0], "the cause comes before what follows from it")
                again = moesweep("run", self.job_file, "--run-dir", self.run_dir)
                self.assert_ends(again, BAD_INPUT)
                self.assertIn(f"{self.file}:17", again.stderr)

    def test_AByteOrderMarkChangesNothing(self):
        digests = []
        for mark in ("", "\ufeff"):
            done = self.run_with(mark + "\n".join(self.lines()) + "\n")
            self.assert_ends(done, COMPLETE)
            digests.append(moesweep("verify", self.run_dir).stdout)
        self.assertEqual(*digests)

    def test_TheSameSampleTwiceIsRefusedWithBothLines(self):
        lines = self.lines()
        lines.append(lines[3])
        done = self.run_with("\n".join(lines) + "\n")
        self.assert_ends(done, BAD_INPUT)
        self.assertIn(f"{self.file}:41: is sample s3 of q at FP16 a second time, line 4 is the first", done.stderr)


if __name__ == "__main__":
    unittest.main()
