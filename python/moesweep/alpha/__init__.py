"""Measured alpha: how much a model's output changes when one term of the plan's objective does.

`python -m moesweep.alpha MODEL --plan plan.json --text FILE --out alpha.csv` writes what
`moesweep allocate --alpha alpha.csv` reads. Definition: docs/allocation.md, "Measured alpha".
"""
