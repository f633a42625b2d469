"""Checkpoints of language models as mappings from tensor name to float32 array.

Plain safetensors (F32, F16, BF16) and MLX's affine format. Tensors are read by memory map and widened when they are asked
for, so a forward pass that asks layer by layer holds one layer. Written from the formats' definitions: nothing here is
shared with the program.
"""
import collections.abc
import json
import math
import pathlib
from typing import NamedTuple

import numpy

F32 = numpy.float32
STORED = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "U32": "<u4"}


class CheckpointError(Exception):
    """A checkpoint that can't be read as its config.json describes it: file or tensor, and what is wrong."""


class Model(NamedTuple):
    """What a forward pass needs: config.json as a dict, and a mapping from name to float32 array.

    Any mapping will do: `Model(config, {**weights, name: noisy})` is a variant. `weight_bytes` is the size of the files, if
    there are any.
    """
    config: dict
    weights: collections.abc.Mapping
    weight_bytes: int = 0


def unpack(words, bits):
    """Codes uint8 [..., K] of rows of uint32 words [..., K * bits / 32]: a bit stream, least significant bit first.

    Eight codes of `bits` (2 to 8) bits are `bits` bytes; K must be a multiple of 8.
    """
    stream = numpy.ascontiguousarray(words, "<u4").view(numpy.uint8)
    eights = numpy.zeros((*stream.shape[:-1], stream.shape[-1] // bits, 8), numpy.uint8)
    eights[..., :bits] = stream.reshape(*stream.shape[:-1], -1, bits)
    packed = eights.view("<u8")[..., 0]
    codes = numpy.empty_like(eights)
    for i in range(8):
        codes[..., i] = (packed >> numpy.uint64(i * bits)) & numpy.uint64(2 ** bits - 1)
    return codes.reshape(*codes.shape[:-2], -1)


def dequantize(words, scales, biases, bits):
    """code * scale + bias in float32, [..., K]; scales and biases float32 [..., K / group]."""
    codes = unpack(words, bits).astype(F32).reshape(*scales.shape, -1)
    codes *= scales[..., None]
    codes += biases[..., None]
    return codes.reshape(*scales.shape[:-1], -1)


def read_header(path):
    """Tensor name -> (dtype, shape, first byte in the file)."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size - 8:
            raise CheckpointError(f"{path}: not a safetensors file")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"], 8 + length + entry["data_offsets"][0])
            for name, entry in header.items()}


class Stored(NamedTuple):
    path: pathlib.Path
    dtype: str
    shape: list
    offset_bytes: int

    def read(self, name):
        """float32, or uint32 for packed codes."""
        if self.dtype not in STORED:
            raise CheckpointError(f"{self.path}: {name} is {self.dtype}; read are {', '.join(STORED)}")
        if math.prod(self.shape) == 0:
            raise CheckpointError(f"{self.path}: {name} is empty")
        data = numpy.memmap(self.path, STORED[self.dtype], "r", self.offset_bytes, tuple(self.shape))
        if self.dtype == "BF16":
            return (data.astype(numpy.uint32) << 16).view(F32)
        return numpy.array(data) if self.dtype == "U32" else data.astype(F32)


def weight_files(directory):
    """The files that the index names, else all *.safetensors."""
    index = directory / "model.safetensors.index.json"
    if index.exists():
        files = [directory / name for name in sorted(set(json.loads(index.read_text())["weight_map"].values()))]
        missing = [file.name for file in files if not file.exists()]
        if missing:
            raise CheckpointError(f"{directory}: lacks {', '.join(missing)}, which its index names")
        return files
    files = sorted(directory.glob("*.safetensors"))
    if not files:
        raise CheckpointError(f"{directory}: no *.safetensors")
    return files


class Weights(collections.abc.Mapping):
    """The tensors of a folder in float32; a quantized module's `weight` stands for its codes, scales and biases."""

    def __init__(self, directory, config):
        self._stored = {}
        for path in weight_files(directory):
            self._stored.update({name: Stored(path, *entry) for name, entry in read_header(path).items()})
        self._quantization = config.get("quantization", {})
        modules = {name.removesuffix(".scales") for name in self._stored if name.endswith(".scales")}
        if modules and not self._quantization:
            raise CheckpointError(f"{directory}: quantized, but config.json has no \"quantization\"")
        self._modules = {module: self._bits_and_group(module) for module in sorted(modules)}
        parts = {f"{module}.{part}" for module in modules for part in ("scales", "biases")}
        self._names = [name for name in self._stored if name not in parts]

    def _bits_and_group(self, module):
        """As config.json says, checked against the shapes."""
        own = self._quantization.get(module, {})
        if own is False:
            raise CheckpointError(f"{module}: has scales, but config.json says that it isn't quantized")
        entry = {**self._quantization, **own}
        if entry.get("mode", "affine") != "affine":
            raise CheckpointError(f"{module}: quantization mode {entry['mode']}; only affine is read")
        missing = [part for part in ("weight", "biases") if f"{module}.{part}" not in self._stored]
        if missing:
            raise CheckpointError(f"{module}: has scales, but no {' and no '.join(missing)}")
        bits, group = entry["bits"], entry["group_size"]
        words, scales, biases = (self._stored[f"{module}.{part}"].shape for part in ("weight", "scales", "biases"))
        if bits not in (2, 3, 4, 5, 6, 8) or scales != biases or words[:-1] != scales[:-1] \
                or words[-1] * 32 != scales[-1] * group * bits:
            raise CheckpointError(f"{module}: shapes {words}, {scales} and {biases} aren't those of {bits} bits "
                                  f"in groups of {group}")
        return bits, group

    def __getitem__(self, name):
        module = name.removesuffix(".weight")
        if module == name or module not in self._modules:
            array = self._stored[name].read(name)
            if array.dtype != F32:
                raise CheckpointError(f"{self._stored[name].path}: {name} has codes without scales")
            return array
        words, scales, biases = (self._stored[f"{module}.{part}"].read(name) for part in ("weight", "scales", "biases"))
        return dequantize(words, scales, biases, self._modules[module][0])

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)

    def __contains__(self, name):
        return name in self._stored and not name.endswith((".scales", ".biases"))


def load(directory):
    """The Model of a folder with config.json and safetensors files."""
    directory = pathlib.Path(directory)
    path = directory / "config.json"
    if not path.exists():
        raise CheckpointError(f"{directory}: no config.json")
    config = json.loads(path.read_text())
    other = config.get("quantization_config")
    if other and "quantization" not in config:
        method = other.get("quant_method", "an unknown method")
        raise CheckpointError(f"{directory}: quantized with {method}; only MLX's affine is read")
    weights = Weights(directory, config)
    return Model(config, weights, sum(file.stat().st_size for file in weight_files(directory)))
