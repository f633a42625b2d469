"""Cuts tests/data/hidden out of the full caches: fewer samples and the first 128 of 512 dimensions, every value as it is.

usage: make_hidden_slice.py FOLDER_OF_FULL_CACHES OUT
"""
import pathlib
import sys

import h5py
import numpy as np

VARIANTS = ("bf16", "4bit", "2bit")
DIMENSIONS = 128
SAMPLES = {0: 150, 1: 60, 2: 90}  # by split: train, calibration, test
TOKEN_VARIANT, TOKEN_SAMPLES = "4bit", 30


def choose(full, with_tokens):
    """The first samples of each split and label; TOKEN_SAMPLES of those with token states come first."""
    labels, split = full["labels"][:], full["split"][:]
    chosen = []
    for which, count in SAMPLES.items():
        for label in range(3):
            chosen.extend(np.flatnonzero((split == which) & (labels == label))[:count // 3])
    chosen = np.sort(chosen)
    # As many of each split and label as in the whole slice, so that they can be trained on.
    first = []
    for which, count in SAMPLES.items():
        for label in range(3):
            share = round(TOKEN_SAMPLES * count / sum(SAMPLES.values()) / 3)
            cell = [i for i in chosen if split[i] == which and labels[i] == label and i < with_tokens]
            assert len(cell) >= share, (which, label, len(cell), share)
            first.extend(cell[:share])
    first = np.sort(first)
    assert len(first) == TOKEN_SAMPLES, len(first)
    return first, np.concatenate([first, np.setdiff1d(chosen, first)])


def copy_attributes(source, target, samples):
    for name, value in source.attrs.items():
        target.attrs[name] = value
    target.attrs["hidden_dim"] = np.int32(DIMENSIONS)
    target.attrs["slice"] = f"first {DIMENSIONS} dimensions of {samples} samples, by make_hidden_slice.py"


def write(target, name, values):
    target.create_dataset(name, data=values, chunks=values.shape, shuffle=True, compression="gzip", compression_opts=9,
                          track_times=False)


def slice_cache(source, target, chosen):
    copy_attributes(source, target, len(chosen))
    for name in ("labels", "split", "sample_id", "cited", "span_tokens", "action_tokens", "n_tokens"):
        write(target, name, source[name][:][chosen])
    for layer in ("L0", "L1"):
        for name, states in source[layer].items():
            write(target, f"{layer}/{name}", states[:][chosen][..., :DIMENSIONS])


def slice_tokens(source, target, chosen):
    copy_attributes(source, target, len(chosen))
    offsets = source["offsets"][:]
    states = source["L1/states"][:, :DIMENSIONS]
    write(target, "L1/states", np.concatenate([states[offsets[i]:offsets[i + 1]] for i in chosen]))
    write(target, "offsets", np.concatenate([[0], np.cumsum(np.diff(offsets)[chosen])]))
    write(target, "spans", source["spans"][:][chosen])


def main():
    full, out = map(pathlib.Path, sys.argv[1:])
    with h5py.File(full / f"{TOKEN_VARIANT}.h5") as cache, h5py.File(full / f"{TOKEN_VARIANT}_tokens.h5") as tokens:
        first, chosen = choose(cache, len(tokens["offsets"]) - 1)
        with h5py.File(out / f"{TOKEN_VARIANT}_tokens.h5", "w", libver=("earliest", "v108")) as target:
            slice_tokens(tokens, target, first)
    for variant in VARIANTS:
        with h5py.File(full / f"{variant}.h5") as source, \
                h5py.File(out / f"{variant}.h5", "w", libver=("earliest", "v108")) as target:
            slice_cache(source, target, chosen)


if __name__ == "__main__":
    main()
