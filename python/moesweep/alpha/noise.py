"""Noise of a known relative size."""

import hashlib

import numpy as np


def generator(term, seed):
    """The same numbers for a term whatever was measured before it."""
    digest = hashlib.sha256(f"{seed}/{term}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def noise_of(term, weights, relative_square, seed):
    """Gaussian noise on all tensors of a term: sum of squares = relative_square x that of the weights, over the term.

    `weights`: float32 arrays by name. Returns arrays by name. Differs between terms and seeds, not between calls.
    """
    rng = generator(term, seed)
    noise = {name: rng.standard_normal(weights[name].shape, dtype=np.float32) for name in sorted(weights)}
    size = sum(float(np.sum(np.square(values, dtype=np.float64))) for values in weights.values())
    drawn = sum(float(np.sum(np.square(values, dtype=np.float64))) for values in noise.values())
    scale = np.float32((relative_square * size / drawn) ** 0.5)
    return {name: values * scale for name, values in noise.items()}
