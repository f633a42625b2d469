"""Writes goldens.npz: logits that transformers computes in float64, for forward_test.py.

    venv/bin/python tests/models/make_goldens.py    (with torch and transformers)

For tiny-moe and small_models.random_model of each architecture: `<name>.tokens` [2, L], `<name>.positions` [n] and
`<name>.logits` [2, n, V], float32.
"""
import pathlib
import tempfile

import numpy
import torch

import small_models
import transformers_test

FOLDER = pathlib.Path(__file__).resolve().parent
POSITIONS = [0, 1, 17, 100, 127]


def golden(folder):
    ids = transformers_test.windows(folder, count=2, length=128)
    logits = transformers_test.reference_logits(folder, ids, torch.float64)
    return {"tokens": ids.astype(numpy.int32), "positions": numpy.array(POSITIONS),
            "logits": logits[:, POSITIONS].astype(numpy.float32)}


def main():
    arrays = {f"tiny-moe.{key}": value for key, value in golden(transformers_test.TINY).items()}
    for kind in small_models.CONFIGS:
        with tempfile.TemporaryDirectory() as folder:
            made = small_models.write_model(pathlib.Path(folder), *small_models.random_model(kind))
            arrays.update({f"{kind}.{key}": value for key, value in golden(made).items()})
    numpy.savez_compressed(FOLDER / "goldens.npz", **arrays)


if __name__ == "__main__":
    main()
