"""The quality-safety analysis on the engine: from a matrix, from samples, from a sweep of heads."""
import json
import pathlib
import random
import subprocess
import sys
import unittest

import h5py

import numpy

from sweep_case import SweepCase
from sweeps import COMPLETE, Sweep, binary, environment

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(SOURCE / "tests" / "oracle"))
import statistics_oracle as oracle
HIDDEN = SOURCE / "tests" / "data" / "hidden"
BLOCK_BYTES = 16 << 20
BAD_INPUT = 65

SAMPLES_JOB = """
schema = 1
kind = "quality_safety"
[quality]
samples = "samples.jsonl"
baseline = "full"
bits_per_weight = ["full=16", "q4=4.5", "q2=2.5"]
[quality.metrics]
quality = ["similarity"]
safety = ["refusal"]
capability = ["solved"]
refusal = ["refusal"]
[quality.bootstrap]
replicates = 200
replicates_per_unit = 50
[resources]
memory = "2GiB"
[output]
flush_seconds = 0.05
"""

HEADS = """
[cache]
dir = "{hidden}"
variants = ["bf16", "4bit", "2bit"]
baseline = "bf16"
[heads]
layers = ["L1"]
epochs = 3
width = 16
seeds = {{ first = 0, count = 4 }}
[resources]
memory = "1GiB"
[output]
flush_seconds = 0.05
"""


SHARES_JOB = """
schema = 1
kind = "quality_safety"
[quality]
matrix = "shares.csv"
baseline = "full"
margin_pp = 10.0
[quality.metrics]
quality = ["similarity"]
safety = ["refusal"]
yes_no = ["refusal"]
[quality.bootstrap]
replicates = 50
[resources]
memory = "1GiB"
"""


class QualityJob:
    def __init__(self, folder, text, name="job"):
        self.folder = folder
        self.file = folder / f"{name}.toml"
        self.file.write_text(text)

    def sweep(self, name):
        return Sweep(self, self.folder / name)


def write_samples(path, lines):
    """Scores of two models that lose safety at different levels; long answers make several blocks."""
    numbers = random.Random(1)
    filler = "x" * 150
    with open(path, "w", encoding="utf-8") as file:
        for i in range(lines):
            model, level = ("a", "b")[i % 2], ("full", "q4", "q2")[i // 2 % 3]
            metric = ("similarity", "refusal", "solved")[i // 6 % 3]
            score = numbers.random()
            if metric != "similarity":
                score = int(score < 0.9 - 0.2 * (level == "q2") * (model == "a"))
            row = {"model": model, "level": level, "task": f"t{i // 18 % 2}", "metric": metric, "score": score,
                   "tokens": i % 50, "coherence": round(numbers.random(), 3), "sample": i // 18, "answer": filler}
            file.write(json.dumps(row) + "\n")


def write_shares(path, cells):
    """One model a case: (k, n) of its baseline and of its one level."""
    lines = ["model,level,bits_per_weight,similarity,refusal,refusal_n"]
    for number, arms in enumerate(cells):
        for level, bits, (k, n) in zip(("full", "low"), (16, 4), arms):
            lines.append(f"m{number},{level},{bits},0.9,{k / n!r},{n}")
    path.write_text("\n".join(lines) + "\n")


def random_cells(count):
    numbers = numpy.random.default_rng(5)
    cells = [((5, 5), (5, 5)), ((5, 5), (0, 2)), ((99, 100), (99, 100)), ((0, 1), (1, 1)), ((88, 88), (88, 88))]
    while len(cells) < count:
        k, n = oracle.counts(numbers, len(cells))
        cells.append(tuple(zip(k, n)))
    return cells


def tables_of(sweep, prefix="quality/"):
    with h5py.File(sweep.run_dir / "results.h5", "r") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        return {name: file[name][:].tolist() for name in names if name.startswith(prefix)}


class Quality(SweepCase):
    def assert_same_digest(self, job):
        alone = job.sweep("alone")
        digest = alone.run_to_digest()
        self.assertRegex(digest, r"^[0-9a-f]{32}$")
        self.assert_verifies(alone, digest)
        for ranks, threads in ((None, 2), (1, 1), (2, 1), (2, 2)):
            with self.subTest(ranks=ranks, threads=threads):
                sweep = job.sweep(f"ranks{ranks}-threads{threads}")
                self.assertEqual(sweep.run_to_digest(ranks, threads), digest)
                self.assert_each_unit_once(sweep, len(alone.results()))
        return alone

    def test_PublishedMatrixIsSameForAnyRanksAndThreads(self):
        text = (SOURCE / "jobs" / "quality-safety.toml").read_text(encoding="utf-8")
        text = text.replace("../tests/data", str(SOURCE / "tests" / "data")).replace("memory = 0", 'memory = "1GiB"')
        alone = self.assert_same_digest(QualityJob(self.folder, text))
        self.assertEqual(len(tables_of(alone)["quality/correlations/pearson"]), 27)

    def test_SamplesOfSeveralBlocksAreSameForAnyRanksAndThreads(self):
        path = self.folder / "samples.jsonl"
        write_samples(path, 180_000)
        self.assertGreater(path.stat().st_size, 2 * BLOCK_BYTES)
        alone = self.assert_same_digest(QualityJob(self.folder, SAMPLES_JOB))
        found = tables_of(alone)
        self.assertEqual(sum(found["quality/samples/samples"]), 180_000)
        self.assertEqual(sum(found["quality/capability_overlap/samples"]), 40_000)
        kinds = dict(zip(found["quality/findings/level"], found["quality/findings/kind"]))
        self.assertIn(b"q2", kinds)

    def test_AFileWithoutASampleIsSaidOnce(self):
        for name, content in (("blanks", b"\n \n\n"), ("mark", b"\xef\xbb\xbf"), ("mark-and-line", b"\xef\xbb\xbf\r\n")):
            with self.subTest(name):
                (self.folder / "samples.jsonl").write_bytes(content)
                job = QualityJob(self.folder, SAMPLES_JOB.replace('capability = ["solved"]', ""), name)
                result = job.sweep(f"run-{name}").run()
                self.assert_ended(result, BAD_INPUT)
                self.assertIn("samples.jsonl: has no samples", result.err)
                self.assertNotIn("running again", result.err)

    def test_ABadLineFailsItsBlockByNameAndAResumeMendsIt(self):
        path = self.folder / "samples.jsonl"
        write_samples(path, 90_000)
        data = bytearray(path.read_bytes())
        self.assertGreater(len(data), BLOCK_BYTES)
        place = data.index(b'"score"', len(data) // 2)
        line = data[:place].count(b"\n") + 1
        data[place + 1] ^= 1
        path.write_bytes(data)
        job = QualityJob(self.folder, SAMPLES_JOB.replace('capability = ["solved"]', ""))
        sweep = job.sweep("run")
        result = sweep.run()
        self.assert_ended(result, BAD_INPUT)
        self.assertIn(f"samples.jsonl:{line}: ", result.err)
        failed = {unit.key: unit.error for unit in sweep.published() if unit.status == "failed"}
        self.assertIn(f'samples.jsonl:{line}: has no "score"', failed["samples/00000000"] if "samples/00000000" in
                      failed else failed["samples/00000001"])
        self.assertIn("blocks are not added up", failed["quality/tests"])
        data[place + 1] ^= 1
        path.write_bytes(data)
        self.assertEqual(sweep.run_to_digest(), job.sweep("whole").run_to_digest())

    def test_HeadsAreAnalysedFromTheirRunAndAsAStage(self):
        hidden = HEADS.format(hidden=HIDDEN)
        stage = QualityJob(self.folder, 'schema = 1\nkind = "pipeline"\n[pipeline]\nstages = ["heads", "quality"]\n' +
                           hidden, "pipeline").sweep("pipeline")
        stage.run_to_digest()
        heads = QualityJob(self.folder, 'schema = 1\nkind = "heads"\n' + hidden, "heads").sweep("heads")
        heads.run_to_digest()
        after = QualityJob(self.folder, 'schema = 1\nkind = "quality_safety"\n[quality]\n'
                           f'heads_run = "{heads.run_dir}"\n[resources]\nmemory = "1GiB"\n', "after").sweep("after")
        after.run_to_digest()
        found = tables_of(after)
        self.assertEqual(repr(tables_of(stage)), repr(found))
        self.assertEqual(set(found["quality/cells/level"]), {b"bf16", b"4bit", b"2bit"})
        self.assertIn(b"forbidden_error_rate", found["quality/cells/metric"])
        self.assertIn(b"floor", found["quality/findings/kind"])
        self.assert_damaged_heads_are_refused(heads, after)

    def assert_damaged_heads_are_refused(self, heads, after):
        """Another run's results are read by every rank: they are named, not made again."""
        results = heads.run_dir / "results.h5"
        data = bytearray(results.read_bytes())
        data[len(data) // 2] ^= 1
        results.write_bytes(data)
        refused = after.run()
        self.assert_ended(refused, BAD_INPUT)
        self.assertIn(f"{results}: does not match its checksum; `moesweep aggregate {heads.run_dir}`", refused.err)
        self.assertEqual(results.read_bytes(), data)
        self.assert_ended(heads.ask("aggregate"), COMPLETE)
        after.run_to_digest()

    def test_SharesAreTestedAsAnOracleDoes(self):
        cells = random_cells(40)
        write_shares(self.folder / "shares.csv", cells)
        sweep = QualityJob(self.folder, SHARES_JOB).sweep("run")
        sweep.run_to_digest()
        found = tables_of(sweep)
        same = lambda ours, theirs: self.assertLessEqual(abs(ours - theirs), 1e-10 * abs(theirs) + 1e-290)
        tests = lambda column: found["quality/tests/" + column]
        proofs = lambda column: found["quality/equivalence/" + column]
        for row, ((k_base, n_base), (k, n)) in enumerate(cells):
            with self.subTest(level=(k, n), baseline=(k_base, n_base)):
                self.assertEqual(tests("test")[row], b"fisher")
                same(tests("p")[row], oracle.fisher(k_base, n_base, k, n))
                score = oracle.score_tost(k, n, k_base, n_base, 0.1)
                for column in ("p_lower", "p_upper", "p"):
                    same(proofs(column)[row], score[column])
                self.assertEqual(proofs("equivalent")[row], score["p"] < 0.05)
                self.assertGreater(proofs("p")[row], 0.0)
        floors = dict(zip(zip(found["quality/floor/model"], found["quality/floor/criterion"]),
                          found["quality/floor/level"]))
        self.assertEqual(floors[b"m0", b"proven"], b"full", "5 of 5 twice prove nothing")
        self.assertEqual(floors[b"m4", b"proven"], b"low")

    def printed_by(self, sweep):
        done = subprocess.run([binary(), "run", str(sweep.job.file), "--run-dir", str(sweep.run_dir)], check=True,
                              env=environment(), capture_output=True, text=True)
        return " ".join(done.stdout.split())

    def test_EveryDirectionIsPrintedAndAForgottenOneWarnedAbout(self):
        (self.folder / "shares.csv").write_text(
            "model,level,similarity,toxicity,refusal,refusal_n\nm,full,0.9,0.02,0.9,10\nm,low,0.9,0.09,0.8,10\n")
        text = SHARES_JOB.replace('safety = ["refusal"]', 'safety = ["refusal", "toxicity"]')
        told = QualityJob(self.folder, text.replace("yes_no", 'lower_is_better = ["toxicity"]\nyes_no'), "told")
        out = self.printed_by(told.sweep("told"))
        self.assertIn("toxicity safety lower no", out)
        self.assertIn("refusal safety higher yes", out)
        self.assertNotIn("warning", out)
        forgotten = QualityJob(self.folder, text, "forgotten").sweep("forgotten")
        out = self.printed_by(forgotten)
        self.assertIn("toxicity safety higher no", out)
        self.assertRegex(out, "warning: toxicity .* quality.metrics.lower_is_better")
        self.assertEqual(tables_of(forgotten)["quality/metrics/direction"], [b"higher_is_better"] * 3)

    def test_MarkdownHoldsEveryTable(self):
        text = (SOURCE / "jobs" / "quality-safety.toml").read_text(encoding="utf-8")
        text = text.replace("../tests/data", str(SOURCE / "tests" / "data")).replace("memory = 0", 'memory = "1GiB"')
        sweep = QualityJob(self.folder, text).sweep("run")
        sweep.run_to_digest()
        out = self.folder / "results.md"
        subprocess.run([binary(), "export", str(sweep.run_dir), "--to", "markdown", str(out)], check=True,
                       env=environment(), stdout=subprocess.DEVNULL)
        document = out.read_text(encoding="utf-8")
        names = {"/".join(name.split("/")[:2]) for name in tables_of(sweep)}
        self.assertGreater(len(names), 14)
        for name in names:
            self.assertIn(f"## {name}\n", document)
        self.assertIn("| llama3.2-1b | Q3_K_S | refusal_rate |", document)


if __name__ == "__main__":
    unittest.main()
