"""Sweeps over cached hidden states, on the real program: what they report, keep and refuse."""
import json
import math
import pathlib
import shutil
import unittest

import h5py
import numpy

from sweep_case import SweepCase
from sweeps import COMPLETE, HIDDEN, SOME_FAILED, Job

BAD_INPUT, BAD_JOB = 65, 78
SOURCE = pathlib.Path(__file__).resolve().parents[2]


def table_of(sweep, name):
    """Rows of a table of results.h5, as dictionaries."""
    with h5py.File(sweep.run_dir / "results.h5", "r") as file:
        columns = {name: column[:] for name, column in file[name].items() if isinstance(column, h5py.Dataset)}
    text = {name: [v.decode() for v in values] for name, values in columns.items() if values.dtype.kind == "S"}
    columns.update(text)
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def gelu(x):
    return 0.5 * x * (1.0 + numpy.vectorize(math.erf)(x / math.sqrt(2.0)))


class Committed(SweepCase):
    """The job files as they are, with fewer seeds."""

    def run_job(self, name, *options):
        job = Job.__new__(Job)
        job.folder, job.file = self.folder, SOURCE / "jobs" / f"{name}.toml"
        sweep = job.sweep(name)
        options = [word for option in options for word in ("--set", option)]
        self.assert_ended(sweep.run(threads=2, options=options), COMPLETE)
        return sweep

    def test_DecisionHeads(self):
        sweep = self.run_job("decision-heads-100", "heads.seeds.count=4")
        seeds = [row for row in table_of(sweep, "heads/seeds") if row["split"] == "test"]
        self.assertEqual(len(seeds), 3 * 2 * 4)
        self.assertTrue(all(0.3 < row["accuracy"] < 1.0 for row in seeds))
        self.assertEqual({row["forbidden_truths"] for row in seeds}, {30})
        verdicts = {(row["variant"], row["source"]): row for row in table_of(sweep, "verdict")}
        self.assertEqual(verdicts["bf16", "mlp L1/mean"]["verdict"], "baseline")
        self.assertIn(verdicts["2bit", "mlp L1/mean"]["verdict"], ("fail", "unresolved"))

    def test_EvidenceHeadsOfSpans(self):
        sweep = self.run_job("evidence-heads", "heads.seeds.count=2")
        test = [row for row in table_of(sweep, "heads/seeds") if row["split"] == "test"]
        self.assertTrue(all(0.5 < row["auc"] < 0.9 for row in test), test)

    def test_EvidenceHeadsOfTokens(self):
        # Token states are cached for one variant and layer only.
        tokens = self.run_job("evidence-heads", "heads.seeds.count=2", 'heads.head="attention_mlp"',
                              'cache.variants=["4bit"]', 'cache.baseline="4bit"', 'heads.layers=["L1"]',
                              "heads.epochs=3")
        self.assertEqual({row["head"] for row in table_of(tokens, "heads/seeds")}, {"attention_mlp"})

    def test_Suppression(self):
        sweep = self.run_job("suppression-100", "heads.seeds.count=3", "heads.epochs=10")
        settings = table_of(sweep, "suppression/settings")
        no_ops = [row for row in settings if row["structural_no_op"] == 1]
        self.assertEqual({row["pooling"] for row in no_ops}, {"last_token"})
        self.assertEqual(len(no_ops), 2 * 5, "every setting of last_token, by name")
        for row in table_of(sweep, "suppression/tests"):
            is_no_op = row["pooling"] == "last_token"
            self.assertEqual(row["reason"].startswith("structural no-op"), is_no_op)
            self.assertEqual(math.isnan(row["effect"]), is_no_op, "a no-op is never a result")
        pairs = table_of(sweep, "suppression/pairs")
        self.assertEqual(len(pairs), 2 * 2 * 5 * 3)

    def test_LayerProbes(self):
        sweep = self.run_job("layer-probes")
        rows = table_of(sweep, "probes/inversion")
        self.assertEqual({(row["variant"], row["skill"]) for row in rows},
                         {(v, s) for v in ("bf16", "4bit", "2bit") for s in ("decision", "evidence")})

    def test_QuantizationSurprise(self):
        sweep = self.run_job("quantization-surprise", "heads.seeds.count=3")
        verdicts = table_of(sweep, "verdict")
        self.assertEqual([row["variant"] for row in verdicts], ["bf16", "4bit", "2bit"])
        for row in verdicts:
            for column in ("evidence_auc", "accuracy_mean", "suppression_effect", "cascade_upper"):
                self.assertFalse(math.isnan(row[column]), column)
            self.assertIn(row["probe_best_layer"], ("L0", "L1"))


class Kept(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = Job.of_caches(cls.shared, 2, epochs=10)
        cls.sweep = cls.job.sweep("kept")
        cls.digest = cls.sweep.run_to_digest(threads=2)

    def test_TableOfDigitsAndArrayHoldTheSamePredictions(self):
        with h5py.File(self.sweep.run_dir / "results.h5", "r") as file:
            for row in table_of(self.sweep, "heads/predicted"):
                array = file[f"heads/predictions/{row['variant']}/{row['layer']}/{row['pooling']}"]
                self.assertEqual(array.dtype, numpy.int8)
                self.assertEqual(array.shape, (2, 300))
                digits = numpy.frombuffer(row["predicted"].encode(), "S1").astype(int)
                numpy.testing.assert_array_equal(array[row["seed"]], digits)

    def test_ExportedHeadsPredictWhatTheTableSays(self):
        out = self.folder / "heads"
        self.assert_ended(self.sweep.ask("export", "--to", "heads", str(out)), COMPLETE)
        self.assertEqual(len(list(out.iterdir())), 3 * 2 * 2, "one file a seed")
        predicted = {(row["variant"], row["pooling"], row["seed"]): row["predicted"]
                     for row in table_of(self.sweep, "heads/predicted")}
        for (variant, pooling, seed), digits in predicted.items():
            head = numpy.load(out / f"{variant}-mlp-L1-{pooling}-seed{seed}.npz")
            with h5py.File(HIDDEN / f"{variant}.h5", "r") as cache:
                states = cache[f"L1/{pooling}"][:].astype(numpy.float64)
            x = (states - head["__standardize_mean__"]) / head["__standardize_std__"]
            hidden = gelu(x @ head["fc1.weight"].T.astype(numpy.float64) + head["fc1.bias"])
            logits = hidden @ head["fc2.weight"].T.astype(numpy.float64) + head["fc2.bias"]
            ranked = numpy.sort(logits, axis=1)
            clear = ranked[:, -1] - ranked[:, -2] > 1e-4
            expected = numpy.frombuffer(digits.encode(), "S1").astype(int)
            numpy.testing.assert_array_equal(logits.argmax(axis=1)[clear], expected[clear])
            self.assertGreater(clear.mean(), 0.99)

    def test_VerifyFindsADamagedAndAMissingHead(self):
        copy = self.job.sweep("damaged")
        shutil.copytree(self.sweep.run_dir, copy.run_dir)
        damaged, missing = sorted((copy.run_dir / "artifacts").iterdir())[:2]
        data = bytearray(damaged.read_bytes())
        data[-1] ^= 1
        damaged.write_bytes(data)
        missing.unlink()
        verified = copy.ask("verify")
        self.assertEqual(verified.code, BAD_INPUT)
        self.assertIn(f"artifact {damaged.name} does not match its hash", verified.err)
        self.assertIn(f"artifact {missing.name} is missing", verified.err)
        self.assertIn("the same `moesweep run` makes it again", verified.err)

    def test_DamagedHeadsAreNotExportedAndTrainedAgain(self):
        copy = self.job.sweep("mended")
        shutil.copytree(self.sweep.run_dir, copy.run_dir)
        artifacts = {path: path.read_bytes() for path in sorted((copy.run_dir / "artifacts").iterdir())}
        damaged, cut, missing = list(artifacts)[:3]
        data = bytearray(artifacts[damaged])
        data[len(data) // 2] ^= 64
        damaged.write_bytes(data)
        cut.write_bytes(artifacts[cut][:-4])
        missing.unlink()
        out = self.folder / "heads"
        exported = copy.ask("export", "--to", "heads", str(out))
        self.assertEqual(exported.code, BAD_INPUT)
        self.assertIn("moesweep run", exported.err)
        self.assertFalse(out.exists())
        resumed = copy.run()
        self.assert_ended(resumed, COMPLETE)
        self.assertEqual(json.loads(resumed.out)["results_digest"], self.digest_of(self.sweep))
        self.assertEqual({path: path.read_bytes() for path in artifacts}, artifacts)
        quarantine = copy.run_dir / "artifacts" / "quarantine"
        self.assertEqual({path.name for path in quarantine.iterdir()}, {damaged.name, cut.name})
        for path in (damaged, cut, missing):
            self.assertIn(path.name, resumed.err)
        self.assert_ended(copy.ask("verify"), COMPLETE)

    def digest_of(self, sweep):
        return json.loads(sweep.ask("verify", "--json").out)["results_digest"]

    def test_NothingOfTheResultDependsOnWhetherHeadsAreKept(self):
        sweep = self.job.sweep("not-kept")
        self.assert_ended(sweep.run(options=("--set", "heads.save=false")), COMPLETE)
        self.assertEqual(list((sweep.run_dir / "artifacts").iterdir()), [])
        for table in ("heads/seeds", "suppression/tests", "verdict"):
            self.assertEqual(str(table_of(sweep, table)), str(table_of(self.sweep, table)))


class Generated(SweepCase):
    def setUp(self):
        super().setUp()
        self.job = Job.of_caches(self.folder, 2, pooling=("mean",), epochs=2)
        with h5py.File(HIDDEN / "bf16.h5", "r") as cache:
            self.ids = [name.decode() if isinstance(name, bytes) else name for name in cache["sample_id"][:]]
            self.labels = [cache.attrs["label_names"].split(",")[label] for label in cache["labels"][:]]

    def write(self, change=lambda line: line):
        lines = []
        for variant, wrong in (("bf16", 0), ("2bit", 20)):
            for sample, truth in zip(self.ids, self.labels):
                predicted = truth
                if truth == "VETO" and wrong > 0:
                    predicted, wrong = "APPROVE", wrong - 1
                lines.append({"variant": variant, "sample_id": sample, "truth": truth, "predicted": predicted})
        path = self.folder / "decisions.jsonl"
        path.write_text("".join(json.dumps(change(line)) + "\n" for line in lines))
        return path

    def run_with(self, path):
        sweep = self.job.sweep("generated")
        return sweep, sweep.run(options=("--set", f'generation.file="{path}"'))

    def test_DecisionsOfAModelGetTheSameVerdict(self):
        sweep, result = self.run_with(self.write())
        self.assert_ended(result, COMPLETE)
        rows = {row["variant"]: row for row in table_of(sweep, "verdict") if row["source"] == "generation"}
        self.assertEqual(set(rows), {"bf16", "2bit"})
        self.assertEqual(rows["bf16"]["accuracy_mean"], 1.0)
        self.assertEqual(rows["2bit"]["seeds"], 1)

    def test_DecisionsThatContradictTheCachesAreRefused(self):
        def lie(line):
            return {**line, "truth": "REVISE"} if line["truth"] == "VETO" else line

        _, result = self.run_with(self.write(lie))
        self.assertEqual(result.code, BAD_INPUT)
        self.assertRegex(result.err, r"decisions\.jsonl:\d+: says that .* is REVISE, the caches say VETO")


    def test_DecisionsWithoutTheBaselineAreRefused(self):
        path = self.write()
        path.write_text("".join(line for line in path.read_text().splitlines(True) if '"2bit"' in line))
        _, result = self.run_with(path)
        self.assertEqual(result.code, BAD_INPUT)
        self.assertIn("tells no decision of the baseline bf16", result.err)


class OneSpanASample(SweepCase):
    """As many spans as samples: heads of spans are still no heads of samples."""

    def test_EvidenceHeadsGetNoVerdict(self):
        caches = self.folder / "caches"
        caches.mkdir()
        for variant in ("bf16", "4bit", "2bit"):
            shutil.copy(HIDDEN / f"{variant}.h5", caches)
            with h5py.File(caches / f"{variant}.h5", "r+") as cache:
                for name in ("cited", "span_tokens", "L0/span_mean", "L1/span_mean"):
                    values = cache[name][:, 1:2]
                    del cache[name]
                    cache[name] = values
        job = Job.__new__(Job)
        job.folder, job.file = self.folder, SOURCE / "jobs" / "evidence-heads.toml"
        sweep = job.sweep("one-span")
        self.assert_ended(sweep.run(options=("--set", f'cache.dir="{caches}"', "--set", "heads.seeds.count=2")), COMPLETE)
        with h5py.File(sweep.run_dir / "results.h5", "r") as file:
            self.assertNotIn("verdict", file)
            self.assertNotIn("ensemble", file["heads"])


class Refused(SweepCase):
    """A cache that can't be used: one line, exit 65, nothing started."""

    def setUp(self):
        super().setUp()
        self.caches = self.folder / "caches"
        self.caches.mkdir()
        for variant in ("bf16", "4bit", "2bit"):
            shutil.copy(HIDDEN / f"{variant}.h5", self.caches)

    def assert_refused(self, code, expected, *options):
        sweep = Job.of_caches(self.folder, 1, epochs=1).sweep("refused")
        words = [word for option in options for word in ("--set", option)]
        result = sweep.run(options=("--set", f'cache.dir="{self.caches}"', *words))
        self.assertEqual(result.code, code, result.err)
        self.assertRegex(result.err, expected)
        self.assertEqual(result.err.count("\n"), 1, result.err)

    def edit(self, variant="2bit"):
        return h5py.File(self.caches / f"{variant}.h5", "r+")

    def test_WrongShape(self):
        with self.edit() as cache:
            states = cache["L1/mean"][:, :100]
            del cache["L1/mean"]
            cache["L1/mean"] = states
        self.assert_refused(BAD_INPUT, r"2bit\.h5.*L1/mean")

    def test_OverlappingSplits(self):
        with self.edit() as cache:
            ids = cache["sample_id"][:]
            ids[-1] = ids[0]
            cache["sample_id"][:] = ids
        self.assert_refused(BAD_INPUT, r"2bit\.h5.*sample")

    def test_NotANumber(self):
        with self.edit() as cache:
            cache["L1/mean"][3, 7] = numpy.nan
        self.assert_refused(BAD_INPUT, r"2bit\.h5:/L1/mean: holds nan at sample 3, value 7")

    def test_InfinityInTheMeanOfASpan(self):
        with self.edit() as cache:
            cache["L0/span_mean"][3, 2, 7] = numpy.inf
        self.assert_refused(BAD_INPUT, r"2bit\.h5:/L0/span_mean: holds inf")

    def test_OtherSamples(self):
        with self.edit() as cache:
            ids = cache["sample_id"][:]
            ids[5] = b"another"
            cache["sample_id"][:] = ids
        self.assert_refused(BAD_INPUT, r"2bit\.h5")

    def test_OtherLabels(self):
        with self.edit("4bit") as cache:
            cache["labels"][0] = (cache["labels"][0] + 1) % 3
        self.assert_refused(BAD_INPUT, r"4bit\.h5")

    def test_MissingLayer(self):
        self.assert_refused(BAD_INPUT, r"bf16\.h5: has no L7/mean", 'heads.layers=["L7"]')

    def test_ForbiddenErrorOfLabelsThatDoNotExist(self):
        self.assert_refused(BAD_JOB, r'heads\.forbidden\.truth is "BAN"', 'heads.forbidden.truth="BAN"')

    def test_EarlyStopWithoutCalibration(self):
        for variant in ("bf16", "4bit", "2bit"):
            with self.edit(variant) as cache:
                split = cache["split"][:]
                cache["split"][:] = numpy.where(split == 1, 0, split)
        self.assert_refused(BAD_JOB, r"heads\.early_stop looks at the calibration split",
                            "heads.early_stop=true")

    def test_MoreLabelsThanDigits(self):
        for variant in ("bf16", "4bit", "2bit"):
            with self.edit(variant) as cache:
                cache.attrs["label_names"] = ",".join(f"L{i}" for i in range(11))
        self.assert_refused(BAD_INPUT, r"bf16\.h5.*there are 11 labels, at most 10")

    def test_EvidenceThatIsAllCited(self):
        for variant in ("bf16", "4bit", "2bit"):
            with self.edit(variant) as cache:
                cache["cited"][:] = 1
        self.assert_refused(BAD_INPUT, r"the train split has \d+ cited and 0 other spans")

    def test_HardMaskOfTheLastToken(self):
        for variant in ("bf16", "4bit", "2bit"):
            with self.edit(variant) as cache:
                spans = cache["span_tokens"][:]
                spans[:, -1, 1] = cache["n_tokens"][:]
                cache["span_tokens"][:] = spans
        self.assert_refused(BAD_JOB, r"hard_mask with pooling last_token")

    def test_TrainingThatOverflowsIsNoPrediction(self):
        with self.edit() as cache:
            states = cache["L1/mean"][:].astype(numpy.float32)
            states[cache["split"][:] == 2] = 3e38
            del cache["L1/mean"]
            cache["L1/mean"] = states
        sweep = Job.of_caches(self.folder, 1, pooling=("mean",), epochs=1).sweep("overflow")
        result = sweep.run(options=("--set", f'cache.dir="{self.caches}"'))
        self.assertEqual(result.code, SOME_FAILED, result.err)
        self.assertIn("values that are not finite", result.err)

    def test_MissingVariant(self):
        (self.caches / "4bit.h5").unlink()
        self.assert_refused(BAD_INPUT, r"4bit\.h5")

    def test_NotACache(self):
        (self.caches / "4bit.h5").write_bytes(b"not HDF5")
        self.assert_refused(BAD_INPUT, r"4bit\.h5")


if __name__ == "__main__":
    unittest.main()
