"""Plans keep the behaviour of a real mixture of experts: budget with default options beats uniform of as many bytes.

`--model NAME=FOLDER:TOKENS` measures another model instead, on fewer windows: .ci/run makes SmolLM2 that way.
"""
import pathlib
import sys
import tempfile
import unittest

import plan_study
import plan_tables
import sweeps

TINY = pathlib.Path(__file__).resolve().parents[1] / "data" / "tiny-moe"
MODEL, TEXT = TINY, TINY / "text-development.txt"
WINDOWS, LENGTH = 48, 128
SIZES = [plan_study.Size(3, 64), plan_study.Size(4, 32), plan_study.Size(5, 64)]
OLD = plan_study.Method("alpha 1", ("--prior", "none"))


class Plans(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        plan_study.binary = sweeps.binary
        windows = plan_study.windows_of(MODEL, TEXT, WINDOWS, LENGTH)
        cls.study = plan_study.Study(MODEL, windows, temporary.name, metrics=["error"])
        cls.addClassCleanup(cls.study.close)
        cls.cells = {}
        for size in SIZES:
            outcomes = cls.study.outcomes(size, [plan_study.BUDGET, OLD])
            cls.cells[size] = {cell["method"]: cell for cell in plan_tables.cells("model", size, outcomes, "uniform")}
        print(plan_tables.text([cell for of_size in cls.cells.values() for cell in of_size.values()],
                               f"{WINDOWS} windows of {LENGTH} tokens", "uniform"), flush=True)

    def test_BudgetIsBetterThanUniformOfAsManyBytes(self):
        for size, of_size in self.cells.items():
            with self.subTest(str(size)):
                self.assertLessEqual(of_size["budget"]["bytes"], of_size["uniform"]["bytes"])
                self.assertEqual(of_size["budget"]["verdict"], "better")

    def test_ThePriorIsNoStepBackFromAlpha1(self):
        for size in SIZES:
            outcomes = self.study.outcomes(size, [plan_study.BUDGET, OLD])
            cells = plan_tables.cells("model", size, outcomes, "alpha 1")
            of_size = next(cell for cell in cells if cell["method"] == "budget")
            with self.subTest(str(size)):
                self.assertLess(of_size["ratio_lo"], 1.25, "significantly worse by a quarter")

    def test_AMeasuredPlanIsNotMeasuredAgain(self):
        path, report = self.study.plan(plan_study.UNIFORM, SIZES[0])
        kept = sorted(self.study.measured.iterdir())
        self.study.measure(path, report)
        self.assertEqual(sorted(self.study.measured.iterdir()), kept)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--model"]:
        MODEL, TEXT = map(pathlib.Path, sys.argv.pop(2).partition("=")[2].rsplit(":", 1))
        sys.argv.pop(1)
        WINDOWS, LENGTH, SIZES = 12, 96, [plan_study.Size(4, 32)]
    unittest.main()
