"""Options and patterns that nothing answers to are errors that name the nearest match; so are sizes that can't be met."""
import unittest

from cli import BAD_INPUT, BAD_JOB, BAD_USAGE, COMPLETE, USE_LITE, CliTest, moesweep
from unmeasured_test import SweptCase, mixtral, write_mixtral


class Allocate(SweptCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = SweptCase()
        cls.shared.setUp()
        cls.run_directory = cls.shared.swept()

    @classmethod
    def tearDownClass(cls):
        cls.shared.doCleanups()

    def refuse(self, *options, named, code=BAD_USAGE):
        self.refused(self.run_directory, *options, named=named, code=code)

    def test_AProtectedPatternHasToMatch(self):
        self.refuse("--target", "9bpw", "--protect", "lmhead", named=["--protect lmhead", 'did you mean "lm_head"?'])
        self.refuse("--target", "9bpw", "--protect", "*expert.1.w1*", named=['did you mean "*experts.1.w1*"?'])
        self.refuse("--target", "9bpw", "--protect", "lm_head", "--protect", "vision_tower",
                    named=["--protect vision_tower", "moesweep inspect"])

    def test_EveryLineOfAlphaHasToMatchAndIsNamed(self):
        alpha = self.folder / "alpha.csv"
        alpha.write_text("pattern,alpha\n*.self_attn.*,2\n*.self_atn.*,3\n\n*nowhere*,4\n")
        self.refuse("--target", "9bpw", "--alpha", alpha,
                    named=['alpha.csv:3 "*.self_atn.*"', 'alpha.csv:5 "*nowhere*"', 'did you mean "*.self_attn.*"?'])

    def test_ARoleHasToBeInTheModel(self):
        for option in ("--min-bits shared_expert=4", "--role shared_expert=4", "--alpha shared_expert=2"):
            with self.subTest(option):
                self.refuse("--target", "9bpw", *option.split(), named=["shared_expert", "no tensor here", "expert"])
        self.refuse("--target", "9bpw", "--role", "experts=4", named=["names no role", "did you mean expert?"])

    def test_ARoleThatNoFormatHasIsRefusedNotChanged(self):
        self.refuse("--target", "9bpw", "--role", "router=8:256",
                    named=["--role router=8:256", "no format of mlx", "32, 64, 128"])
        self.refuse("--method", "uniform", "--role", "router=7", named=["--role router=7", "2, 3, 4, 5, 6, 8 bits"])
        self.refuse("--method", "uniform", "--role", "router=8:0", named=["says no format"])
        self.refuse("--method", "uniform", "--min-bits", "router=17", named=["from 1 to 16"])

    def test_ARoleOfWhichNothingCanBeQuantizedIsRefused(self):
        self.refuse("--method", "uniform", "--role", "norm=4", named=["--role norm", "can be quantized", "norm=keep"])
        self.refuse("--method", "uniform", "--role", "expert=4", "--protect", "experts", named=["--role expert", "protected"])

    def test_AnArchitectureHasToFit(self):
        self.refuse("--target", "9bpw", "--architecture", "gpt_oss",
                    named=["--architecture gpt_oss", "did you mean mixtral?", "of the parameters"])
        self.refuse("--target", "9bpw", "--architecture", "qwen3_5_moe", named=["did you mean mixtral?"])

    def test_AnArchitectureBesideThatOfConfigJsonIsSaid(self):
        dense = {name: values for name, values in mixtral().items() if "block_sparse_moe" not in name}
        checkpoint = write_mixtral(self.folder / "dense", dense)
        (checkpoint / "config.json").write_text('{"model_type": "qwen2", "num_hidden_layers": 2}')
        run = self.swept(checkpoint=checkpoint)
        for architecture, said in (("llama", True), ("qwen2", False), ("generic", False)):
            notes = self.allocate(run, "--method", "uniform", "--architecture", architecture)["notes"]
            self.assertEqual(any("config.json names qwen2" in note for note in notes), said, notes)


class Targets(SweptCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = SweptCase()
        cls.shared.setUp()
        cls.run_directory = cls.shared.swept()

    @classmethod
    def tearDownClass(cls):
        cls.shared.doCleanups()

    def refuse(self, *options, named, code=BAD_USAGE):
        self.refused(self.run_directory, *options, named=named, code=code)

    def message(self, *options):
        done = moesweep("allocate", self.run_directory, "--out", self.folder / "none.json", *options)
        self.assert_refused(done, BAD_USAGE)
        self.assertFalse((self.folder / "none.json").exists())
        return done.stderr

    def test_ASmallNumberWithoutUnitIsAskedAbout(self):
        self.refuse("--target", "4", named=["--target 4", "4bpw", "4B (bytes)"])
        self.refuse("--target", "4.5", named=["--target 4.5", "4.5bpw"])
        self.refuse("--method", "uniform", "--target", "30", named=["30bpw", "30%"])
        self.refuse("--method", "floor", "--target", "30", named=["did you mean 30dB?"])
        self.refuse("--target", "30dB", named=["--target 30dB", "add --method floor"])

    def test_TooSmallSaysWhatIsPossible(self):
        message = self.message("--target", "2bpw")
        self.assertRegex(message, r"is below what is possible, from [\d.]+ KiB \([\d.]+ bits per weight\) to [\d.]+ \w+ \(")
        self.assertNotIn("fewer bits", message)  # 3 are the fewest that were swept
        self.assertIn("allow fewer bits (--bits 3)", self.message("--target", "5bpw", "--bits", "8"))

    def test_TheRangeIsTrue(self):
        message = self.message("--target", "2bpw")
        smallest = float(message.split("(")[1].split()[0])
        report = self.allocate(self.run_directory, "--target", f"{smallest + 1e-4:.4f}bpw")
        self.assertLessEqual(report["bytes"] * 8 / report["params"], smallest + 1e-4)
        self.message("--target", f"{smallest - 1e-3:.4f}bpw")

    def test_TooSmallSaysWhatIsKeptAndWhy(self):
        message = self.message("--target", "4bpw", "--protect", "*experts.3.*")
        # Two layers, three matrices of the third expert each; mlx-lm stacks w1 w2 w3 of a layer each.
        self.assertIn("6 are protected", message)
        self.assertIn("18 share their storage with a protected one", message)
        self.assertIn("protect less", message)

    def test_ATargetAboveTheOriginalWritesNothing(self):
        for method in ("budget", "uniform", "swan"):
            for target in ("100bpw", "200%", "1GiB"):
                with self.subTest((method, target)):
                    self.refuse("--method", method, "--target", target, named=[f"--target {target}", "at most", "original"])
        self.refuse("--target", "12bpw", "--bits", "4", "--bits", "8", named=["above what is possible"])

    def test_TheOriginalSizeIsATargetWithoutAFrighteningGap(self):
        done = moesweep("allocate", self.run_directory, "--target", "31.9bpw", "--out", self.folder / "plan.json")
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stdout, r"(?m)^error [\d.e-]+, proven to be the least$")
        report = self.allocate(self.run_directory, "--target", "100%")
        self.assertTrue(report["proven_optimal"])


class JobsAndInspect(CliTest):
    def test_AnExpertPatternOfInspectHasToMatch(self):
        done = moesweep("inspect", USE_LITE, "--expert-pattern", "atention")
        self.assert_refused(done, BAD_USAGE, "--expert-pattern atention", "moesweep inspect")
        self.assert_refused(moesweep("inspect", USE_LITE, "--expert-pattern", "experts"), BAD_USAGE, "experts")
        self.assert_ends(moesweep("inspect", USE_LITE, "--expert-pattern", "mlp"), COMPLETE)
        self.assert_ends(moesweep("inspect", USE_LITE), COMPLETE)  # a dense model

    def plan(self, *settings):
        return moesweep("plan", self.job(), *[text for setting in settings for text in ("--set", setting)])

    def test_PatternsOfAJobHaveToMatch(self):
        self.assert_refused(self.plan('checkpoint.expert_patterns=["expert"]'), BAD_JOB, '"expert"', "expert_patterns")
        self.assert_refused(self.plan('checkpoint.include=["encoder.layer.*"]'), BAD_INPUT, "include",
                            'did you mean "encoder.layers.*"?')
        self.assert_refused(self.plan('checkpoint.exclude=["*nowhere*"]'), BAD_INPUT, "exclude", "*nowhere*")
        for key in ("protected", "sensitive"):
            self.assert_refused(self.plan(f'sensitivity.{key}=["word_embedings"]'), BAD_JOB, "--set",
                                'did you mean "word_embeddings"?')

    def test_AJobFileForManyModelsIsWarnedAboutOnce(self):
        job = self.job(more="")
        job.write_text(job.read_text() + '[sensitivity]\nmetrics = ["moments"]\n'
                       'protected = ["lm_head", "router.weight", "shared_gate"]\nsensitive = ["fc2"]\n')
        for command in (["plan", job], ["run", job, "--run-dir", self.folder / "run"]):
            done = moesweep(*command)
            self.assert_ends(done, COMPLETE)
            lines = [line for line in done.stderr.splitlines() if "matches no tensor" in line]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertIn("shared_gate", lines[0])  # the others are in the default list, or match
        ranks = moesweep("run", job, "--run-dir", self.folder / "ranks", ranks=2)
        self.assert_ends(ranks, COMPLETE)
        self.assertEqual(ranks.stderr.count("matches no tensor"), 1, ranks.stderr)


if __name__ == "__main__":
    unittest.main()
