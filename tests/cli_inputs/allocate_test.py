"""`allocate`: plans from a sweep and from the published inventory."""
import csv
import json
import unittest

from cli import BAD_INPUT, BAD_USAGE, COMPLETE, SOURCE, USE_LITE, CliTest, moesweep

INVENTORY = SOURCE / "tests/data/qwen35-397b-inventory.csv"
PUBLISHED = SOURCE / "tests/data/swan/qwen35-397b-published.csv"
GIB = 2**30
QWEN = ("--architecture", "qwen3_5_moe")


def csv_rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def plan_rows(path):
    return {row["tensor"]: row for row in json.loads(path.read_text())["rows"]}


class AllocateTest(CliTest):
    def allocate(self, source, *options):
        done = moesweep("allocate", source, *options, "--json")
        self.assert_ends(done, COMPLETE)
        return json.loads(done.stdout)

    def assert_never_beaten(self, report):
        """By uniform or SWAN with as many bytes, in the plan's own objective."""
        self.assertLessEqual(set(report["compared"]), {"budget", "uniform", "swan"})
        for method, size in report["compared"].items():
            self.assertLessEqual(size["bytes"], report["without_headers"]["bytes"], method)
            self.assertGreaterEqual(size["error"] * (1 + 1e-12), report["without_headers"]["error"], method)


class UseLite(AllocateTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = CliTest()
        cls.shared.setUp()
        cls.run_directory = cls.shared.sweep()

    @classmethod
    def tearDownClass(cls):
        cls.shared.doCleanups()

    def plan(self, *options):
        return self.allocate(self.run_directory, "--architecture", "generic", "--out", self.folder / "plan.json",
                             "--overwrite", *options)

    def test_BudgetIsOptimalAndNeverBeatenAtTwentyTargets(self):
        compared = set()
        for i in range(20):
            report = self.plan("--target", f"{2.75 + 0.5 * i}bpw")
            self.assertTrue(report["proven_optimal"])
            self.assertLessEqual(report["bytes"] * 8 / report["params"], 2.75 + 0.5 * i)
            self.assertLess(report["gap"], 0.2)
            self.assert_never_beaten(report)
            compared |= set(report["compared"])
        self.assertEqual(compared, {"budget", "uniform", "swan"})

    def test_AProvenOptimumIsSaidWithoutTheGapOfTheRelaxedBound(self):
        done = moesweep("allocate", self.run_directory, "--architecture", "generic", "--target", "4.5bpw",
                        "--out", self.folder / "plan.json")
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stdout, r"(?m)^error [\d.]+, proven to be the least$")
        for word in ("role", "layer", "what any size buys", "what as many bytes buy", "uniform", "swan"):
            self.assertIn(word, done.stdout)

    def test_ThePlanIsWrittenBesideTheResults(self):
        report = self.allocate(self.run_directory, "--architecture", "generic", "--target", "30%")
        plan = self.run_directory / "plan-budget-mlx-30percent.json"
        self.assertEqual(report["plan"], str(plan))
        rows = plan_rows(plan)
        self.assertEqual(len(rows), 29)
        self.assertEqual(sum(row["bytes"] for row in rows.values()), report["without_headers"]["bytes"])
        self.assertLessEqual(report["bytes"], 0.3 * report["original_bytes"])
        for row in rows.values():
            self.assertTrue(row["reason"], row)

    def test_TargetsAreMetToTheByte(self):
        for target in (300_000, 400_000, 401_234, 900_000):
            report = self.plan("--target", str(target))
            self.assertTrue(report["with_headers"])
            self.assertLessEqual(report["bytes"], target)
            self.assertGreater(report["bytes"], target - 20_000)

    def test_ConstraintsHold(self):
        self.plan("--target", "11bpw", "--protect", "qkv_proj", "--protect", "*.1.mlp.*", "--min-bits", "mlp=6",
                  "--role", "embedding=8:64", "--bits", "3", "--bits", "6", "--group-size", "32")
        for name, row in plan_rows(self.folder / "plan.json").items():
            if "qkv_proj" in name or ".1.mlp." in name:
                self.assertEqual(row["action"], "keep", name)
            elif row["role"] == "embedding":
                self.assertEqual((row["bits"], row["group_size"]), (8, 64))
            elif row["role"] == "mlp" and row["action"] == "quantize":
                self.assertEqual((row["bits"], row["group_size"]), (6, 32))
            elif row["action"] == "quantize":
                self.assertIn(row["bits"], (3, 6), name)
                self.assertEqual(row["group_size"], 32)

    def test_AlphaMovesBits(self):
        def mlp_bytes(*options):
            report = self.plan("--target", "5bpw", *options)
            return next(row["bytes"] for row in report["roles"] if row["role"] == "mlp")

        alpha = self.folder / "alpha.csv"
        alpha.write_text("pattern,alpha\n*.mlp.*,1000\n")
        self.assertGreater(mlp_bytes("--alpha", alpha), mlp_bytes())
        self.assertEqual(mlp_bytes("--alpha", alpha), mlp_bytes("--alpha", "mlp=1000"))
        self.assertLess(mlp_bytes("--alpha", "mlp=0.001"), mlp_bytes())

    def test_AFloorIsReachedByEveryTensor(self):
        report = self.plan("--method", "floor", "--target", "30dB")
        self.assertEqual(report["below_floor"], [])
        for name, row in plan_rows(self.folder / "plan.json").items():
            if row["action"] == "quantize":
                self.assertLessEqual(row["sse"] / row["sum_squares"], 1e-3, name)
        report = self.plan("--method", "floor", "--target", "90dB", "--bits", "4")
        self.assertGreater(len(report["below_floor"]), 5)

    def test_UniformAndSwanFitATarget(self):
        for method in ("uniform", "swan"):
            report = self.plan("--method", method, "--target", "5bpw")
            self.assertLessEqual(report["bytes"] * 8 / report["params"], 5)
            exactly = report["bytes"]
            self.assertEqual(self.plan("--method", method, "--target", f"{exactly}B")["bytes"], exactly)
            self.assertLess(self.plan("--method", method, "--target", f"{exactly - 1}B")["bytes"], exactly)
            self.assertLessEqual(report["compared"]["budget"]["error"], report["without_headers"]["error"])

    def test_OtherRuntimesSayThatHeadersAreNotCounted(self):
        run = self.sweep(self.job(more='[sensitivity]\nquantizers = ["q8_0", "q6_k", "q4_k", "ct_int4", "ct_int8"]'))
        for runtime in ("gguf", "vllm"):
            report = self.allocate(run, "--for", runtime, "--target", "9bpw", "--architecture", "generic")
            self.assertFalse(report["with_headers"])
            self.assertTrue(any("without file headers" in note for note in report["notes"]))
        self.assert_refused(moesweep("allocate", run, "--target", "9bpw", "--architecture", "generic"),
                            BAD_INPUT, "results.h5", 'sensitivity.quantizers = ["affine"]')

    def test_MistakesAreRefused(self):
        def refused(*options, named, code=BAD_USAGE):
            out = self.folder / "none.json"
            done = moesweep("allocate", self.run_directory, "--architecture", "generic", "--out", out, *options)
            self.assert_refused(done, code, *named)
            self.assertFalse(out.exists())

        refused(named=["--target"])
        refused("--target", "1bpw", named=["--target 1bpw", "below what is possible"])
        refused("--target", "many", named=["4.25bpw"])
        refused("--method", "best", named=["budget, uniform, swan or floor"])
        refused("--method", "floor", "--target", "4bpw", named=["30dB"])
        refused("--target", "4bpw", "--bits", "7", named=["--bits 7"])
        refused("--target", "4bpw", "--group-size", "48", named=["--group-size 48"])
        refused("--target", "4bpw", "--role", "experts=4", named=["experts=4", "expert"])
        refused("--target", "4bpw", "--role", "expert=x", named=["expert=x"])
        refused("--target", "4bpw", "--min-bits", "expert", named=["ROLE=VALUE"])
        refused("--target", "4bpw", "--for", "onnx", named=["onnx"])
        refused("--target", "4bpw", "--quantizer", "q9", named=["q9"])
        refused("--target", "4bpw", "--protect", "weight", named=["protect less"], code=BAD_INPUT)
        refused("--target", "4bpw", "--alpha", self.folder / "none.csv", named=["none.csv"], code=BAD_INPUT)

    def test_AnUnknownModelTypeIsNamed(self):
        done = moesweep("allocate", self.run_directory, "--target", "4bpw")
        self.assert_refused(done, BAD_INPUT, "use-lite", "--architecture", "generic")

    def test_WithoutTheCheckpointTheSweptTensorsArePlanned(self):
        copy = self.copy_of_use_lite()
        run = self.sweep(self.job(copy))
        before = self.allocate(run, "--target", "4bpw", "--architecture", "generic")
        copy.rename(self.folder / "gone")
        # It knows less of the model than the first one says, so it is another plan.
        after = self.allocate(run, "--target", "4bpw", "--architecture", "generic", "--out", self.folder / "after.json")
        self.assertEqual(after["bytes"], before["bytes"])
        self.assertTrue(any("not where it was" in note for note in after["notes"]))


class Published(AllocateTest):
    """Qwen3.5-397B-A17B, the language model without `mtp`."""

    def uniform(self, *options):
        return self.allocate(INVENTORY, "--method", "uniform", "--bits", "4", "--group-size", "128", *QWEN, *options)

    def test_UniformWithBf16EmbeddingsHeadAndRouters(self):
        report = self.uniform("--role", "embedding=keep", "--role", "head=keep", "--role", "router=keep")
        self.assertEqual(report["params"], 396_346_350_336)
        self.assertAlmostEqual(report["without_headers"]["bytes"] / GIB, 199.06, delta=0.005)
        self.assertAlmostEqual(report["bytes"] / GIB, 199.06, delta=0.005)

    def test_UniformWithRoutersOfEightBits(self):
        report = self.uniform("--role", "router=8:64")
        self.assertAlmostEqual(report["without_headers"]["bytes"] / GIB, 196.16, delta=0.005)
        self.assertAlmostEqual(report["without_headers"]["bits_per_weight"], 4.2514, delta=5e-5)
        self.assertIsNone(report["without_headers"]["error"])

    def with_published_metrics(self):
        """The inventory lacks two metrics and the records lack names: shape and statistics join them."""
        def key(row, concentration):
            return row["shape"], f'{float(row["excess_kurtosis"]):.6g}', f"{float(row[concentration]):.6g}"

        metrics = ("excess_kurtosis", "svd_concentration", "output_delta", "nrmse_4bit_g128")
        published = {key(row, "svd_concentration"): row for row in csv_rows(PUBLISHED)}
        path = self.folder / "published.csv"
        with path.open("w") as file:
            file.write("name,shape," + ",".join(metrics) + "\n")
            for row in csv_rows(INVENTORY):
                values = [""] * 4
                if row["analysed"] == "1":
                    found = published.pop(key(row, "spectral_concentration"))
                    values = [found[metric] for metric in metrics]
                file.write(",".join([row["name"], row["shape"], *values]) + "\n")
        self.assertEqual(published, {})
        return path

    def test_SwanGivesTheDistributionOfItsFormulas(self):
        report = self.allocate(self.with_published_metrics(), "--method", "swan", "--group-size", "128", *QWEN)
        self.assertEqual(report["swan_tensors"], {"4": 1963, "8": 335, "16": 49})

    def test_SwanNeedsItsMetrics(self):
        done = moesweep("allocate", INVENTORY, "--method", "swan", *QWEN)
        self.assert_refused(done, BAD_INPUT, "no SWAN scores", "noise_amplification")

    def test_BudgetNeedsErrors(self):
        done = moesweep("allocate", INVENTORY, "--target", "4.25bpw", *QWEN)
        self.assert_refused(done, BAD_INPUT, "measured")

    def test_ADamagedInventoryIsRefusedByLine(self):
        path = self.folder / "inventory.csv"
        for line in ("a.weight,4x", "a.weight,0x4", "a.weight,4,5", ",4", "b.weight,4"):
            path.write_text(f"name,shape\nb.weight,32x32\n{line}\n")
            done = moesweep("allocate", path, "--method", "uniform")
            self.assert_refused(done, BAD_INPUT, "inventory.csv:3")


class Twin(AllocateTest):
    """Sixty layers with fused experts, a 64th as wide in both directions."""

    def assert_generic_names_are_announced(self, run):
        """A twin has no config.json, and generic names know no stacks of experts."""
        self.assert_refused(moesweep("allocate", run, "--target", "4bpw"), BAD_USAGE, "name the --architecture")
        report = self.allocate(run, "--target", "15.9bpw")
        self.assertTrue(any("--architecture names it" in note for note in report["notes"]), report["notes"])
        named = self.allocate(run, "--target", "15.9bpw", "--overwrite", *QWEN)
        self.assertFalse(any("--architecture" in note for note in named["notes"]), named["notes"])

    def test_OnlyMeasuredFormatsAreComparedAndPredictorsHaveLayersOfTheirOwn(self):
        head, *lines = INVENTORY.read_text().splitlines(keepends=True)
        kept = [line for line in lines if ".layers.0." in line or ".blocks.0." in line or line.startswith("lm_head")]
        (self.folder / "inventory.csv").write_text(head + "".join(kept))
        job = self.folder / "twin.toml"
        job.write_text('schema = 1\nkind = "sensitivity"\n[checkpoint]\n'
                       'twin = { inventory = "inventory.csv", scale = 128, seed = 3 }\n'
                       '[sensitivity]\nmetrics = ["error"]\nquantizers = ["affine", "q8_0"]\nbits = [4, 8]\ngroup_sizes = [32]\n')
        run = self.sweep(job)
        options = ("--target", "7bpw", "--for", "vllm", "--quantizer", "affine", *QWEN)
        report = self.allocate(run, *options)
        self.assertEqual(report["compared"]["uniform"]["how"], "affine 4 bits in groups of 32")
        for_llama = self.allocate(run, "--for", "gguf", "--method", "uniform", "--bits", "8", *QWEN)
        self.assertFalse(any("no known name" in note for note in for_llama["notes"]), for_llama["notes"])
        zeroth = {row["list"] for row in report["layers"] if row["layer"] == 0}
        self.assertEqual(zeroth, {"model.language_model.layers", "model.visual.blocks", "mtp.layers"})
        text = moesweep("allocate", run, *options).stdout
        self.assertRegex(text, r"(?m)^0 +\d")
        self.assertRegex(text, r"(?m)^mtp\.layers\.0 +\d")

    def test_BudgetIsProvenWithASmallGapAndNeverBeaten(self):
        (self.folder / "inventory.csv").write_text(INVENTORY.read_text())
        job = self.folder / "twin.toml"
        job.write_text('schema = 1\nkind = "sensitivity"\n[checkpoint]\n'
                       'twin = { inventory = "inventory.csv", scale = 64, seed = 3 }\n'
                       'include = ["model.language_model.*", "lm_head*"]\n'
                       '[sensitivity]\nquantizers = ["affine"]\n')
        run = self.sweep(job)
        self.assert_generic_names_are_announced(run)
        for i in range(20):
            report = self.allocate(run, "--target", f"{2.95 + 0.15 * i:.2f}bpw", *QWEN)
            self.assertLessEqual(report["gap"], 1.1e-3)
            self.assert_never_beaten(report)
            self.assertTrue(report["proven_optimal"])
            self.assertEqual(set(report["compared"]), {"budget", "uniform", "swan"})


if __name__ == "__main__":
    unittest.main()
