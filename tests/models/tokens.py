"""Text to token ids, and windows of them."""
import json
import pathlib

import numpy


class TokensError(Exception):
    """A text that can't become tokens here, or too few of them."""


def _character_of_bytes():
    """Byte-level BPE writes a printable Latin-1 byte as itself, every other as the next character from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def ids_are_bytes(tokenizer):
    """Whether tokenizer.json, as a dict, gives each byte its own value as id and merges none."""
    model, split = tokenizer["model"], tokenizer.get("pre_tokenizer") or {}
    return (model.get("type") == "BPE" and not model.get("merges") and split.get("type") == "ByteLevel"
            and not split.get("add_prefix_space") and not tokenizer.get("normalizer")
            and not tokenizer.get("added_tokens")
            and model["vocab"] == {character: byte for byte, character in _character_of_bytes().items()})


def encode(text_path, model_directory):
    """Token ids [n] of a whole file, without special tokens."""
    path = pathlib.Path(model_directory) / "tokenizer.json"
    if not path.exists():
        raise TokensError(f"{model_directory}: no tokenizer.json; pass --tokens")
    data = pathlib.Path(text_path).read_bytes()
    if ids_are_bytes(json.loads(path.read_text(encoding="utf-8"))):
        return numpy.frombuffer(data, numpy.uint8).astype(numpy.int64)
    try:
        import tokenizers
    except ImportError:
        raise TokensError(f"{path}: needs the Python package tokenizers, which can't be imported; "
                          "install it or pass token ids with --tokens") from None
    encoded = tokenizers.Tokenizer.from_file(str(path)).encode(data.decode("utf-8"), add_special_tokens=False)
    return numpy.array(encoded.ids, numpy.int64)


def read_ids(path):
    """Token ids [n] of a .npy file."""
    ids = numpy.load(path, allow_pickle=False)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise TokensError(f"{path}: not one row of integers")
    return ids.astype(numpy.int64)


def spread(ids, count, length):
    """Windows [count, length] from the first token to the last, evenly spread, none overlapping another."""
    if count < 1 or length < 2:
        raise TokensError("at least one window of two tokens is needed")
    if count * length > len(ids):
        raise TokensError(f"{len(ids):,} tokens are too few for {count} windows of {length} that don't overlap")
    starts = [i * (len(ids) - length) // max(1, count - 1) for i in range(count)]
    return numpy.stack([ids[start:start + length] for start in starts])
