"""Quantized checkpoints as numpy reads them, and the definitions that they must obey.

Written from the formulas alone (docs/metrics.md): nothing here is shared with the program.
"""
import hashlib
import json

import numpy

F32 = numpy.float32
DTYPES = {"BF16": numpy.uint16, "F16": numpy.float16, "F32": numpy.float32, "U32": numpy.uint32}


def bf16(bits):
    return (bits.astype(numpy.uint32) << 16).view(F32)


def to_bf16(values):
    """Nearest even, as binary32."""
    bits = values.astype(F32).view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & numpy.uint32(0xFFFF0000)).view(F32)


def read_file(path):
    """Arrays by name (BF16 as binary32), and the metadata."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = numpy.frombuffer(data[8 + length + begin:8 + length + end], DTYPES[entry["dtype"]])
        array = array.reshape(entry["shape"])
        arrays[name] = bf16(array) if entry["dtype"] == "BF16" else array
    return arrays, metadata


def read(directory):
    """All arrays of the files that the index names, each in the file that it names."""
    index = json.loads((directory / "model.safetensors.index.json").read_text())["weight_map"]
    arrays = {}
    for file in sorted(set(index.values())):
        there, _ = read_file(directory / file)
        assert set(there) == {name for name, of in index.items() if of == file}, file
        arrays.update(there)
    return arrays


def read_source(directory):
    arrays = {}
    for file in sorted(directory.glob("*.safetensors")):
        arrays.update(read_file(file)[0])
    return arrays


def weight_bytes(directory):
    return sum(file.stat().st_size for file in directory.glob("*.safetensors"))


def hashes(directory):
    """SHA-256 of all files of a written checkpoint."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in directory.iterdir()
            if file.is_file()}


def unpack(words, bits):
    """Codes of a row's bit stream, least significant bit first."""
    stream = (words[..., None] >> numpy.arange(32, dtype=numpy.uint32)) & 1
    stream = stream.reshape(*words.shape[:-1], -1, bits)
    return (stream << numpy.arange(bits, dtype=numpy.uint32)).sum(-1).astype(numpy.uint8)


def affine(weights, bits, group):
    """Codes, scales and biases in binary32; scales and biases are rounded to BF16."""
    w = weights.reshape(*weights.shape[:-1], -1, group)
    n = F32(2 ** bits - 1)
    lo, hi = w.min(-1) + F32(0), w.max(-1) + F32(0)
    step = numpy.maximum((hi - lo) / n, F32(1e-7))
    low = numpy.abs(lo) > numpy.abs(hi)
    step = numpy.where(low, step, -step)
    edge = numpy.where(low, lo, hi)
    code = numpy.rint(edge / step)
    at_zero = code == 0
    step = numpy.where(at_zero, step, edge / numpy.where(at_zero, F32(1), code))
    bias = numpy.where(at_zero, F32(0), edge)
    assert step.dtype == F32 and bias.dtype == F32
    codes = numpy.clip(numpy.rint((w - bias[..., None]) / step[..., None]), 0, n)
    return codes.astype(numpy.uint8).reshape(weights.shape), to_bf16(step), to_bf16(bias)


def rtn(weights, bits, group):
    """Round to nearest within each group's range, dequantized, in binary32."""
    w = weights.reshape(*weights.shape[:-1], -1, group)
    n = F32(2 ** bits - 1)
    lo, hi = w.min(-1, keepdims=True), w.max(-1, keepdims=True)
    scale = (hi - lo) / n
    with numpy.errstate(invalid="ignore"):
        codes = numpy.where(scale == 0, 0, numpy.clip(numpy.rint((w - lo) / scale), 0, n))
    return (codes.astype(F32) * scale + lo).reshape(weights.shape)


def plan_row(name, array, dtype="BF16", **decision):
    row = {"tensor": name, "shape": "x".join(map(str, array.shape)), "dtype": dtype, "role": "other", "module": "",
           "action": "keep", "quantizer": "", "bits": 16, "group_size": 0, "params": int(array.size),
           "bytes": 2 * int(array.size), "sse": None, "sum_squares": None, "reason": "test"}
    if decision:
        row.update(action="quantize", module=name, **decision)
    return row


def write_plan(path, rows, architecture="generic", bytes=0):
    plan = {"schema": 1, "method": "uniform", "runtime": "mlx", "architecture": architecture, "source_headers": "",
            "bytes": bytes, "rows": sorted(rows, key=lambda row: row["tensor"])}
    path.write_text(json.dumps(plan, indent=1))
    return path
