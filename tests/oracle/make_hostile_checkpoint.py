#!/usr/bin/env python3
"""Writes a small safetensors checkpoint of matrices that are hard on numerics and on shapes.

Usage: make_hostile_checkpoint.py OUT.safetensors [--nonfinite]

The same file every time. --nonfinite adds a stack with a NaN in its second slice.
"""
import argparse
import json

import numpy as np

F32 = np.float32


def bf16_bits(x):
    bits = x.astype(F32).view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16).astype("<u2")


def matrices(random, nonfinite):
    """(name, dtype, array as stored)."""
    normal = lambda *shape: random.standard_normal(shape)
    heavy = random.standard_t(4, (192, 256)) * 0.02
    yield "heavy_tails.weight", "F32", heavy.astype("<f4")
    yield "large_mean.weight", "F32", (1e3 + 1e-3 * normal(128, 256)).astype("<f4")
    yield "tiny.weight", "F32", (1e-30 * normal(128, 256)).astype("<f4")
    yield "rank_one.weight", "F32", np.outer(normal(160), normal(192)).astype("<f4")
    yield "constant.weight", "F32", np.full((96, 128), 0.1, "<f4")
    yield "zero.weight", "F32", np.zeros((96, 128), "<f4")
    yield "odd_columns.weight", "F32", (0.02 * normal(130, 333)).astype("<f4")
    yield "positive.weight", "F32", (0.02 * np.abs(normal(100, 200)) + 0.01).astype("<f4")
    yield "wide.weight", "F32", (0.02 * normal(64, 5000)).astype("<f4")
    yield "tall.weight", "F32", (0.02 * normal(5000, 48)).astype("<f4")
    yield "beyond_512.weight", "BF16", bf16_bits(0.02 * normal(600, 777))
    yield "panels.weight", "BF16", bf16_bits(0.02 * normal(80, 20011))
    yield "layers.0.mlp.experts.up_proj", "F16", (0.02 * normal(5, 96, 160)).astype("<f2")
    scales = 10.0 ** np.array([-4, -1, 2]).reshape(3, 1, 1)
    yield "layers.0.mlp.experts.down_proj", "BF16", bf16_bits(scales * normal(3, 64, 40))
    yield "layers.0.mlp.experts.too_small", "BF16", bf16_bits(0.02 * normal(7, 16, 64))
    yield "layers.0.conv.weight", "F32", (0.02 * normal(256, 3, 4, 4)).astype("<f4")
    yield "layers.0.conv1d.weight", "BF16", bf16_bits(0.02 * normal(300, 1, 4))
    yield "layers.0.norm.weight", "BF16", bf16_bits(normal(64))
    yield "one_row.weight", "F32", normal(1, 64).astype("<f4")
    yield "small.weight", "F32", normal(16, 16).astype("<f4")
    yield "embed_tokens.weight", "BF16", bf16_bits(0.02 * normal(512, 64))
    codes = random.integers(0, 256, (96, 160)).astype(np.uint8)
    yield "eight_bit.weight", "F8_E4M3", np.where(codes & 0x7F == 0x7F, 0, codes).astype(np.uint8)
    yield "table.index", "I32", np.arange(64, dtype="<i4").reshape(8, 8)
    if nonfinite:
        stack = (0.02 * normal(3, 40, 64)).astype("<f4")
        stack[1, 2, 3] = np.nan
        yield "layers.1.mlp.experts.up_proj", "F32", stack


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--nonfinite", action="store_true")
    options = parser.parse_args()
    header, data, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, dtype, array in matrices(np.random.default_rng(20240607), options.nonfinite):
        raw = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape),
                        "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(options.out, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(data))


if __name__ == "__main__":
    main()
