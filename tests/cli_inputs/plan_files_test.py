"""Where plans are written and found, what they are made of: names without .weight, unfinished sweeps, sweeps without
spectra; and which line of a log comes first."""
import json
import subprocess
import unittest

import numpy as np

from cli import (BAD_INPUT, BAD_JOB, BAD_USAGE, COMPLETE, SOME_FAILED, STOPPED_EARLY, CliTest, command, moesweep, random_matrices,
                 write_safetensors)

GENERIC = ("--architecture", "generic")


class PlanFiles(CliTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = CliTest()
        cls.shared.setUp()
        cls.run_directory = cls.shared.sweep()

    @classmethod
    def tearDownClass(cls):
        cls.shared.doCleanups()

    def setUp(self):
        super().setUp()
        for plan in self.run_directory.glob("plan*.json"):
            plan.unlink()

    def allocate(self, *options):
        return moesweep("allocate", self.run_directory, *GENERIC, *options)

    def test_names_say_method_runtime_and_target(self):
        for options, name in ((("--target", "5bpw"), "plan-budget-mlx-5bpw.json"),
                              (("--target", "30%"), "plan-budget-mlx-30percent.json"),
                              (("--target", "400 KiB"), "plan-budget-mlx-400KiB.json"),
                              (("--method", "floor", "--target", "30dB"), "plan-floor-mlx-30dB.json"),
                              (("--method", "swan"), "plan-swan-mlx.json"),
                              (("--method", "uniform"), "plan-uniform-mlx-4bit.json"),
                              (("--method", "uniform", "--bits", "8", "--group-size", "32"), "plan-uniform-mlx-8bit-g32.json")):
            done = self.allocate(*options)
            self.assert_ends(done, COMPLETE)
            self.assertEqual(done.stdout.splitlines()[-1], str(self.run_directory / name))
            self.assertTrue((self.run_directory / name).exists())

    def test_another_plan_is_never_replaced_and_an_equal_one_is_no_error(self):
        path = self.run_directory / "plan-budget-mlx-5bpw.json"
        self.assert_ends(self.allocate("--target", "5bpw"), COMPLETE)
        first = path.read_bytes()
        self.assert_ends(self.allocate("--target", "5bpw"), COMPLETE)
        refused = self.allocate("--target", "5bpw", "--prior", "none")
        self.assert_refused(refused, BAD_USAGE, path, "is another plan", "--out", "--overwrite")
        self.assertEqual(path.read_bytes(), first)
        self.assert_ends(self.allocate("--target", "5bpw", "--prior", "none", "--overwrite"), COMPLETE)
        self.assertNotEqual(path.read_bytes(), first)

    def test_it_says_how_when_and_of_what_it_was_made(self):
        out = self.folder / "a b.json"
        allocate = ("allocate", self.run_directory, *GENERIC, "--method", "uniform", f"--out={out}")
        self.assert_ends(moesweep(*allocate, env={"SOURCE_DATE_EPOCH": "86399"}), COMPLETE)
        plan = json.loads(out.read_text())
        self.assertEqual(plan["schema"], 3)
        version = moesweep("--version").stdout
        self.assertIn(plan["made"]["version"], version)
        self.assertEqual(plan["made"]["date"], "1970-01-01T23:59:59Z")
        # Folders are nobody's business.
        name = self.run_directory.name
        self.assertEqual(plan["made"]["command"],
                         f"moesweep allocate {name} --architecture generic --method uniform '--out=a b.json'")
        self.assertNotIn(str(self.folder), out.read_text())
        self.assertEqual(plan["source"]["params"], sum(row["params"] for row in plan["rows"]))
        self.assertEqual(plan["expert_patterns"], ["experts"])
        first = out.read_bytes()
        self.assert_ends(moesweep(*allocate, "--quiet", env={"SOURCE_DATE_EPOCH": "5"}), COMPLETE)
        self.assertEqual(out.read_bytes(), first)
        now = moesweep("allocate", self.run_directory, *GENERIC, "--method", "uniform", "--out", self.folder / "now.json")
        self.assert_ends(now, COMPLETE)
        self.assertRegex(json.loads((self.folder / "now.json").read_text())["made"]["date"],
                         r"\A20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        for epoch in ("", "soon", "-1", "1e9", "999999999999999"):
            done = moesweep(*allocate, "--overwrite", env={"SOURCE_DATE_EPOCH": epoch})
            self.assert_refused(done, BAD_USAGE, "SOURCE_DATE_EPOCH")
        self.assertEqual(out.read_bytes(), first)

    def test_out_is_not_replaced_either(self):
        out = self.folder / "notes.txt"
        out.write_text("mine\n")
        for more in ((), ("--overwrite",)):
            self.assert_refused(self.allocate("--target", "5bpw", "--out", out, *more), BAD_USAGE, out,
                                "exists already and is not a plan; name another file with --out")
        self.assertEqual(out.read_text(), "mine\n")
        link = self.folder / "link"
        link.symlink_to(out)
        for more in ((), ("--overwrite",)):
            self.assert_refused(self.allocate("--target", "5bpw", "--out", link, *more), BAD_USAGE, link,
                                "is not a regular file")
        self.assertEqual(out.read_text(), "mine\n")

    def test_files_of_the_run_are_not_replaced_by_a_slip_of_the_hand(self):
        for name in ("job.toml", "results.h5"):
            file = self.run_directory / name
            before = file.read_bytes()
            done = self.allocate("--target", "5bpw", "--out", file, "--overwrite")
            self.assert_refused(done, BAD_USAGE, file, "is not a plan")
            self.assertEqual(file.read_bytes(), before)

    def test_a_missing_folder_is_named_with_what_to_do(self):
        folder = self.folder / "missing"
        for name in ("plan.json", "deeper/plan.json"):
            done = self.allocate("--target", "5bpw", "--out", folder / name)
            self.assert_refused(done, BAD_USAGE, (folder / name).parent, "is not a folder; create it first")
        self.assertFalse(folder.exists())

    def test_commands_take_the_only_plan_of_a_run_and_ask_which_of_several(self):
        write = ("quantize", self.run_directory, self.folder / "out", "--to", "mlx")
        self.assert_refused(moesweep(*write), BAD_USAGE, "has no plan", "moesweep allocate")
        self.assert_ends(self.allocate("--target", "5bpw"), COMPLETE)
        self.assert_ends(moesweep(*write), COMPLETE)
        self.assert_ends(moesweep("verify-plan", self.run_directory, self.folder / "out"), COMPLETE)
        self.assert_ends(moesweep("export", "--plan", self.run_directory, "--to", "json", self.folder / "exported"), COMPLETE)
        self.assert_ends(self.allocate("--target", "6bpw"), COMPLETE)
        for done in (moesweep("quantize", self.run_directory, self.folder / "other", "--to", "mlx"),
                     moesweep("verify-plan", self.run_directory, self.folder / "out"),
                     moesweep("export", "--plan", self.run_directory, "--to", "json", self.folder / "second")):
            self.assert_refused(done, BAD_USAGE, "2 plans", "plan-budget-mlx-5bpw.json", "plan-budget-mlx-6bpw.json")
        # Remedies name options that the command has.
        self.assertIn("name the file of one with --plan", done.stderr)
        verified = moesweep("verify-plan", self.run_directory, self.folder / "out")
        self.assertRegex(verified.stderr, r"; name the file of one\n\Z")
        self.assertFalse((self.folder / "other").exists())


class NamesWithoutWeight(CliTest):
    """Stacks of experts as parameters of their own, in a checkpoint of no known family."""
    EXPERTS = ("blocks.0.experts.w_in", "blocks.0.experts.w_out")

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(2)
        tensors = {"blocks.0.attn.q.weight": random.standard_normal((64, 64), np.float32),
                   "blocks.0.attn.q.bias": random.standard_normal(64, np.float32)}
        for name in self.EXPERTS:
            tensors[name] = random.standard_normal((4, 64, 64), np.float32)
        write_safetensors(self.folder / "model/model.safetensors", tensors)
        self.run_directory = self.sweep(self.job(self.folder / "model"))
        self.plan = self.folder / "plan.json"

    def allocate(self, *options):
        return moesweep("allocate", self.run_directory, *GENERIC, "--method", "uniform", "--out", self.plan, "--overwrite",
                        *options)

    def rows(self):
        return {row["tensor"]: row for row in json.loads(self.plan.read_text())["rows"]}

    def test_what_is_kept_for_its_name_is_said_with_the_way_out(self):
        done = self.allocate()
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stderr, r"2 tensors \(blocks.0.experts.w_in, ...\) with 8\d.\d % of the parameters are kept")
        self.assertIn("--quantizable '*.experts.w_in'", done.stderr)
        self.assertEqual(self.rows()[self.EXPERTS[0]]["action"], "keep")
        self.assertIn("--quantizable", self.rows()[self.EXPERTS[0]]["reason"])

    def test_globs_name_them_and_later_commands_know(self):
        done = self.allocate("--quantizable", "*.experts.w_in", "--quantizable", "*.w_out")
        self.assert_ends(done, COMPLETE)
        self.assertNotIn("--quantizable", done.stderr)
        for name in self.EXPERTS:
            self.assertEqual((self.rows()[name]["action"], self.rows()[name]["bits"]), ("quantize", 4))
            self.assertGreater(self.rows()[name]["sse"], 0)
        self.assertEqual(json.loads(self.plan.read_text())["quantizable"], ["*.experts.w_in", "*.w_out"])
        out = self.folder / "out"
        self.assert_ends(moesweep("quantize", self.run_directory, out, "--plan", self.plan, "--to", "mlx"), COMPLETE)
        self.assert_ends(moesweep("verify-plan", self.plan, out, "--against", self.folder / "model"), COMPLETE)
        index = json.loads((out / "model.safetensors.index.json").read_text())["weight_map"]
        self.assertIn(self.EXPERTS[0] + ".scales", index)
        exported = self.folder / "exported"
        self.assert_ends(moesweep("export", "--plan", self.plan, "--to", "mlx-lm", exported), COMPLETE)
        for file in (exported / "quantization.json", out / "config.json"):
            self.assertEqual(json.loads(file.read_text())["quantization"][self.EXPERTS[0]]["bits"], 4, file)
        for target, runtime in (("llama.cpp", "gguf"), ("compressed-tensors", "vllm")):
            document = json.loads(self.plan.read_text())
            for row in document["rows"]:
                if row["action"] == "quantize":
                    row["quantizer"] = {"gguf": "q8_0", "vllm": "ct_int4"}[runtime]
                    row["bits"], row["group_size"] = {"gguf": (8, 32), "vllm": (4, 64)}[runtime]
            other = self.folder / f"{runtime}.json"
            other.write_text(json.dumps({**document, "runtime": runtime}))
            done = moesweep("export", "--plan", other, "--to", target, self.folder / runtime)
            self.assert_ends(done, COMPLETE)
            texts = "".join(path.read_text() for path in (self.folder / runtime).iterdir())
            self.assertIn("w_in", texts, target)

    def test_a_glob_for_nothing_and_one_beside_known_names_are_refused(self):
        self.assert_refused(self.allocate("--quantizable", "*.experts.w_inn"), BAD_USAGE, "matches no matrix",
                            'did you mean "*.experts.w_in"?')
        self.assert_refused(self.allocate("--quantizable", "*.bias"), BAD_USAGE, "matches no matrix")
        named = moesweep("allocate", self.run_directory, "--method", "uniform", "--architecture", "llama", "--out", self.plan,
                         "--quantizable", "*.experts.*")
        self.assertEqual(named.returncode, BAD_USAGE)


class UnfinishedSweep(CliTest):
    def setUp(self):
        super().setUp()
        self.matrices = random_matrices(4, 64, 64)
        self.write()
        self.run_directory = self.folder / "run"
        self.finish = f"`moesweep run {self.run_directory}/job.toml --run-dir {self.run_directory}`"

    def write(self):
        write_safetensors(self.folder / "model/model.safetensors", self.matrices)

    def test_nothing_measured_says_how_to_finish(self):
        stopped = moesweep("run", self.job(self.folder / "model"), "--run-dir", self.run_directory, "--deadline", "1")
        self.assert_ends(stopped, STOPPED_EARLY)
        allocate = ("allocate", self.run_directory, "--method", "uniform", "--json", *GENERIC)
        self.assert_refused(moesweep(*allocate), BAD_INPUT, "5 of 5 units are not done", self.finish,
                            f"`moesweep aggregate {self.run_directory}`")
        moesweep("aggregate", self.run_directory)
        self.assert_refused(moesweep(*allocate), BAD_INPUT, "0 of 5 units are done", self.finish)
        self.assert_ends(moesweep(*self.finish.strip("`").split()[1:]), COMPLETE)
        whole = moesweep(*allocate)
        self.assert_ends(whole, COMPLETE)
        self.assertNotIn("unfinished", whole.stderr)
        self.assertEqual(json.loads(whole.stdout)["sweep"], {"units_done": 5, "units_total": 5})

    def test_a_part_is_planned_and_says_what_it_is(self):
        self.matrices["layers.2.weight"][3, 4] = np.nan
        self.write()
        self.assert_ends(moesweep("run", self.job(self.folder / "model"), "--run-dir", self.run_directory), SOME_FAILED)
        part = moesweep("allocate", self.run_directory, "--target", "16bpw", "--bits", "4", "--bits", "16", "--json", *GENERIC)
        self.assert_ends(part, COMPLETE)
        self.assertIn("the sweep is unfinished (4 of 5 units are done, 1 failed): the plan is of what was measured so far",
                      part.stderr)
        self.assertIn(self.finish, part.stderr)
        self.assertEqual(json.loads(part.stdout)["sweep"], {"units_done": 4, "units_total": 5})


class OtherExpertPatterns(CliTest):
    """Stacks that the job alone knows as such: groups of 64 in rows of 96 end with the row."""
    STACK = "blocks.0.moe.w_in"

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(5)
        self.checkpoint = self.folder / "model"
        write_safetensors(self.checkpoint / "model.safetensors",
                          {self.STACK: random.standard_normal((4, 64, 96), np.float32),
                           "blocks.0.attn.q.weight": random.standard_normal((64, 64), np.float32)})
        job = self.folder / "job.toml"
        job.write_text(f'schema = 1\nkind = "sensitivity"\n[checkpoint]\npath = "{self.checkpoint}"\n'
                       'expert_patterns = ["moe"]\n')
        self.run_directory = self.sweep(job)
        self.plan, self.out = self.folder / "plan.json", self.folder / "out"
        self.assert_ends(moesweep("allocate", self.run_directory, *GENERIC, "--method", "uniform", "--out", self.plan), COMPLETE)
        self.document = json.loads(self.plan.read_text())
        [stack] = [row for row in self.document["rows"] if row["tensor"] == self.STACK]
        stack.update(action="quantize", quantizer="affine", bits=4, group_size=64, module=self.STACK, sse=None)

    def write(self, **facts):
        self.plan.write_text(json.dumps({**self.document, **facts}))
        return self.plan

    def quantize(self):
        self.assert_ends(moesweep("quantize", self.run_directory, "--plan", self.write(), "--to", "dequantized", self.out),
                         COMPLETE)

    def test_the_plan_says_them_and_what_was_written_is_found_as_planned(self):
        self.assertEqual(self.document["expert_patterns"], ["moe"])
        self.quantize()
        self.assert_ends(moesweep("verify-plan", self.plan, self.out, "--against", self.checkpoint), COMPLETE)
        # Without them the groups would run on from row to row.
        wrong = moesweep("verify-plan", self.write(expert_patterns=["experts"]), self.out, "--against", self.checkpoint)
        self.assert_ends(wrong, BAD_INPUT)
        self.assertIn("weights are not those of affine 4 bits in groups of 64", wrong.stdout)

    def test_a_job_that_names_none_takes_the_plans(self):
        job = self.folder / "quantize.toml"
        job.write_text(f'schema = 1\nkind = "quantize"\n[checkpoint]\npath = "{self.checkpoint}"\n[quantize]\n'
                       f'plan = "{self.write()}"\nto = "dequantized"\nout = "{self.out}"\n')
        written = self.folder / "written"
        self.assert_ends(moesweep("run", job, "--run-dir", written), COMPLETE)
        self.assert_ends(moesweep("verify-plan", self.plan, self.out, "--against", self.checkpoint), COMPLETE)
        # So does the same sweep from its own job file, where every key is written out.
        model = self.out / "model.safetensors"
        first = model.read_bytes()
        model.unlink()
        self.assert_ends(moesweep("run", written / "job.toml", "--run-dir", written), COMPLETE)
        self.assertEqual(model.read_bytes(), first)

    def test_the_same_plan_made_again_resumes_and_another_does_not(self):
        self.quantize()
        made = {**self.document["made"], "command": "moesweep allocate elsewhere", "date": "2030-01-01T00:00:00Z"}
        again = moesweep("quantize", self.run_directory, "--plan", self.write(made=made), "--to", "dequantized", self.out)
        self.assert_ends(again, COMPLETE)
        other = moesweep("quantize", self.run_directory, "--plan", self.write(method="other"), "--to", "dequantized", self.out)
        self.assertNotEqual(other.returncode, COMPLETE)
        self.assertIn("input plan", other.stderr)

    def test_formats_that_do_not_exist_are_not_found_as_planned(self):
        self.quantize()
        for change in ({"quantizer": "zz"}, {"quantizer": "q8_0", "bits": 7, "group_size": 32}):
            rows = [{**row, **change} if row["action"] == "quantize" else row for row in self.document["rows"]]
            done = moesweep("verify-plan", self.write(rows=rows), self.out, "--against", self.checkpoint)
            self.assert_ends(done, BAD_INPUT)
            self.assertIn("no such format is known", done.stdout)

    def test_what_is_not_known_or_no_size_is_refused_by_the_option_that_gave_it(self):
        command = ("quantize", self.run_directory, "--plan", self.write(), "--to", "dequantized", self.out)
        self.assert_refused(moesweep(*command, "--architecture", "lama"), BAD_USAGE, "--architecture lama", "is not known")
        self.assert_refused(moesweep(*command, "--shard-size", "lots"), BAD_USAGE, "--shard-size", "is not a size: lots")
        self.assert_refused(moesweep("verify-plan", self.plan, self.checkpoint, "--architecture", "lama"), BAD_USAGE,
                            "--architecture lama", "is not known")
        job = self.folder / "quantize.toml"
        job.write_text(f'schema = 1\nkind = "quantize"\n[checkpoint]\npath = "{self.checkpoint}"\n[quantize]\n'
                       f'plan = "{self.plan}"\nto = "mlx"\nout = "{self.out}"\narchitecture = "lama"\n')
        self.assert_refused(moesweep("run", job, "--run-dir", self.folder / "written"), BAD_JOB, "quantize.toml:9",
                            "quantize.architecture must be one of", 'did you mean "llama"?')

    def test_a_plan_of_another_model_is_refused_naming_both(self):
        self.quantize()
        (self.out / "config.json").write_text(json.dumps({"model_type": "llama", "num_hidden_layers": 3}))
        for facts, named in (({"layers": 4}, ("4 layers", "says 3")),
                             ({"source": {**self.document["source"], "model_type": "mixtral"}},
                              ("the model_type mixtral", "says llama", "--architecture"))):
            done = moesweep("verify-plan", self.write(**facts), self.out)
            self.assert_refused(done, BAD_INPUT, self.plan, "config.json", self.out, *named)
        named = moesweep("verify-plan", self.plan, self.out, "--against", self.checkpoint, *GENERIC)
        self.assert_ends(named, COMPLETE)


class WithoutSpectra(CliTest):
    def test_tensors_are_ranked_by_their_error_and_the_missing_metric_is_named(self):
        rough = random_matrices(3, 64, 64)
        rough["layers.1.weight"][:, 0] = 20  # in every group, which leaves few steps for the rest
        write_safetensors(self.folder / "model/model.safetensors", rough)
        job = self.job(self.folder / "model", 'sensitivity.metrics = ["moments", "noise", "error"]')
        run = self.folder / "run"
        done = moesweep("run", job, "--run-dir", run)
        self.assert_ends(done, COMPLETE)
        self.assertIn("ranked by the signal to noise ratio of 4 bits in groups of 128", done.stdout)
        most = done.stdout.split("most sensitive")[1].splitlines()[2]
        self.assertTrue(most.endswith("layers.1.weight"), done.stdout)
        self.assertIn("no composite", done.stdout)
        self.assertIn("spectrum", done.stdout)
        planned = moesweep("allocate", run, "--target", "6bpw", *GENERIC)
        self.assert_ends(planned, COMPLETE)
        self.assertIn("no plan by swan: there are no composites, by which SWAN's rule decides: spectrum was not measured",
                      planned.stdout)
        self.assert_refused(moesweep("allocate", run, "--method", "swan", *GENERIC), BAD_INPUT, "spectrum was not measured",
                            "sensitivity.metrics", "--method budget")


class OneLog(CliTest):
    def test_what_was_printed_comes_before_the_line_on_standard_error(self):
        """Both in one file, as batch systems have it."""
        write_safetensors(self.folder / "model/model-00001-of-00002.safetensors", random_matrices(1, 64, 64))
        log = self.folder / "log"
        with log.open("w") as file:
            done = subprocess.run(command("inspect", self.folder / "model"), stdout=file, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, BAD_INPUT)
        lines = log.read_text().splitlines()
        self.assertTrue(lines[0].startswith("count"), lines)
        self.assertTrue(lines[-1].startswith("moesweep: "), lines)


if __name__ == "__main__":
    unittest.main()
