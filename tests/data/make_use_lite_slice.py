#!/usr/bin/env python3
"""Cuts tests/data/use-lite from the full use-lite checkpoint.

usage: make_use_lite_slice.py SOURCE [DESTINATION]

SOURCE is the directory of the full checkpoint (see use-lite/README.md); its shards must have the
SHA-256 below. DESTINATION is use-lite beside this script unless given. Biases, norms and the first
layer's attention are kept whole; of the other matrices the first rows are kept, under the same names.
BF16 rows are copied byte by byte, so equal input gives equal bytes. Needs only the standard library.
"""

import hashlib
import json
import pathlib
import shutil
import struct
import sys

SHARDS = {
    "model-00001-of-00002.safetensors": "a764fca1b8787dc617e32844b4125574a9d6fcb593cf1fc9dd71f2bc5853cc7c",
    "model-00002-of-00002.safetensors": "cd76eca7f26c8310f6e0ee6b9552bafd0158561a0fce79170a52fd3cf2d72718",
}

ROWS_KEPT = {
    "embeddings.word_embeddings.weight": 256,
    "encoder.layers.0.residual_proj.weight": 128,
    "encoder.layers.0.mlp.fc1.weight": 96,
    "encoder.layers.0.mlp.fc2.weight": 32,
    "encoder.layers.1.self_attn.qkv_proj.weight": 96,
    "encoder.layers.1.self_attn.out_proj.weight": 96,
    "encoder.layers.1.mlp.fc1.weight": 64,
    "encoder.layers.1.mlp.fc2.weight": 32,
    "pooler.dense.weight": 96,
}


def read_shard(path):
    """Tensors of one BF16 shard in file order: name -> (shape, bytes)."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHARDS[path.name]:
        sys.exit(f"{path}: SHA-256 is {found}, expected {SHARDS[path.name]}")
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    data = content[8 + length :]
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        assert entry["dtype"] == "BF16"
        begin, end = entry["data_offsets"]
        tensors[name] = (entry["shape"], data[begin:end])
    return tensors


def cut(name, shape, content):
    rows = ROWS_KEPT.get(name, shape[0])
    return [rows, *shape[1:]], content[: len(content) // shape[0] * rows]


def write_shard(path, tensors):
    header = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (shape, content) in tensors.items():
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + len(content)]}
        offset += len(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(content for _, content in tensors.values()))
    return offset


def main(source, destination):
    destination.mkdir(parents=True, exist_ok=True)
    weight_map = {}
    total = 0
    for shard in SHARDS:
        tensors = {name: cut(name, *tensor) for name, tensor in read_shard(source / shard).items()}
        total += write_shard(destination / shard, tensors)
        weight_map |= {name: shard for name in tensors}
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (destination / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    shutil.copyfile(source / "config.json", destination / "config.json")
    print(f"{destination}: {len(weight_map)} tensors, {total} bytes")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    beside = pathlib.Path(__file__).resolve().parent / "use-lite"
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else beside)
