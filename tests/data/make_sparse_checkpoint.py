#!/usr/bin/env python3
"""Writes a checkpoint of headers only: every tensor of a patterns file, the weights a hole in the file.

    make_sparse_checkpoint.py qwen35-397b-patterns.csv OUT [--shards 94]

It takes a few MB of disk however large the model is. Plans need no more; a run would measure zeros.
"""
import argparse
import csv
import json
import math
import pathlib
import re
import struct


def tensors_of(patterns):
    """Names and shapes. {layer} counts within its pattern; layers of two kinds of attention are
    interleaved in the model, which changes names, not costs."""
    with open(patterns, newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        for row in rows:
            shape = [int(side) for side in row["shape"].split("x")]
            for i in range(int(row["count"])):
                # With {expert} in it, a pattern counts experts of one layer.
                name = row["pattern"]
                if "{expert}" in name:
                    name = name.replace("{layer}", "0").replace("{expert}", str(i))
                yield re.sub(r"\{layer\}", str(i), name), shape


def bytes_of(shape):
    return 2 * math.prod(shape)  # BF16


def split(tensors, shards):
    """Tensors in order, in at most `shards` files of about equal size."""
    most = sum(bytes_of(shape) for _, shape in tensors) / shards
    parts, held = [[]], 0
    for name, shape in tensors:
        if held >= most:
            parts, held = parts + [[]], 0
        parts[-1].append((name, shape))
        held += bytes_of(shape)
    return parts


def write_shard(path, tensors):
    header, offset = {}, 0
    for name, shape in tensors:
        end = offset + bytes_of(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + offset)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("patterns", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--shards", type=int, default=94)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True)
    parts = split(list(tensors_of(arguments.patterns)), arguments.shards)
    for i, part in enumerate(parts):
        write_shard(arguments.out / f"model-{i + 1:05}-of-{len(parts):05}.safetensors", part)


if __name__ == "__main__":
    main()
