"""python -m moesweep.alpha MODEL --plan plan.json (--text FILE | --random) --out alpha.csv"""

import argparse
import os
import sys
import time

import numpy as np

from .measurement import USUAL_NOISE, Record, Settings, fingerprint, measure, write_csv
from .terms import PlanError, parameters_of, read_terms


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m moesweep.alpha",
        description="Measures how much a model's output changes when one term of the plan's objective does, and "
                    "writes the factors that `moesweep allocate --alpha` reads.")
    parser.add_argument("model", help="folder of a Hugging Face model")
    parser.add_argument("--plan", required=True, help="any plan of it, for the terms: `moesweep allocate RUN --method uniform`")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", help="text file, best of what the model is for")
    source.add_argument("--tokens", help="token ids, a one-dimensional .npy")
    source.add_argument("--random", action="store_true", help="random tokens, where there is no text")
    parser.add_argument("--out", required=True, help="CSV; OUT.partial is what a later call resumes from")
    parser.add_argument("--windows", type=int, default=8, help="pieces of the text, evenly spread (8)")
    parser.add_argument("--length", type=int, default=256, help="tokens of each (256)")
    parser.add_argument("--noise", type=float, default=USUAL_NOISE, help="relative squared size of the noise (0.003)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", type=int, default=6, help="terms that are measured at 0.001 and 0.01 too (6)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps")
    parser.add_argument("--batch", type=int, default=1, help="windows at once (1)")
    options = parser.parse_args()
    for name in ("windows", "length", "batch"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} has to be 1 or more")
    if not 0 < options.noise < 1:
        parser.error("--noise has to be between 0 and 1")
    if not os.path.isdir(os.path.dirname(os.path.abspath(options.out))):
        parser.error(f"--out {options.out}: there is no such folder")
    return options


def spread(tokens, count, length):
    """[count, length]: windows evenly spread over the tokens, not overlapping."""
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise PlanError(f"tokens have to be one row of integers, not {tokens.dtype} {tokens.shape}")
    tokens = tokens.astype(np.int64)
    if len(tokens) < count * length:
        raise PlanError(f"{len(tokens):,} tokens are fewer than {count} windows of {length}: ask for fewer")
    starts = np.linspace(0, len(tokens) - length, count).astype(np.int64)
    return np.stack([tokens[start:start + length] for start in starts])


def windows_of(options, vocabulary):
    from . import transformers_model
    if options.random:
        return np.random.default_rng(options.seed).integers(0, vocabulary, (options.windows, options.length))
    if options.tokens:
        return spread(np.load(options.tokens), options.windows, options.length)
    with open(options.text, encoding="utf-8") as file:
        return spread(transformers_model.tokenize(options.model, file.read()), options.windows, options.length)


class Progress:
    """A bar on standard error: terms done, elapsed, left; the name of the term on a terminal only."""

    def __init__(self):
        self._start = time.monotonic()
        self._first = None
        self._shown = 0.0

    def __call__(self, done, total, term):
        if self._first is None:
            self._first = done
        now = time.monotonic()
        is_terminal = sys.stderr.isatty()
        if done < total and now - self._shown < (0.2 if is_terminal else 30):
            return
        self._shown = now
        fresh = done - self._first
        left = f", about {(now - self._start) / fresh * (total - done):.0f} s left" if fresh and done < total else ""
        filled = 24 * done // total
        line = f"[{'#' * filled}{'.' * (24 - filled)}] {done} of {total} terms, {now - self._start:.0f} s{left}"
        if is_terminal:
            print(f"\r\x1b[K{line} {term[-40:]}", end="" if done < total else "\n", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)


def run(options):
    try:
        from . import transformers_model
    except ImportError as error:
        raise PlanError(f"{error}: install torch and transformers, `pip install moesweep[models]`") from error
    terms = read_terms(options.plan)
    model, is_causal = transformers_model.load(options.model, options.device)
    config = model.config.get_text_config()
    windows = windows_of(options, config.vocab_size)
    if windows.min() < 0 or windows.max() >= config.vocab_size:
        raise PlanError(f"tokens have to be from 0 to {config.vocab_size - 1}")
    if options.length > getattr(config, "max_position_embeddings", options.length):
        raise PlanError(f"--length {options.length}: the model has {config.max_position_embeddings} positions")
    wrapped = transformers_model.TransformersModel(model, windows, is_causal, options.batch)
    shapes = wrapped.shapes()
    parameters = parameters_of(terms, shapes)
    for term in terms:
        if not parameters[term.name]:
            print(f"{term.name}: isn't in the loaded model; it gets the prior", file=sys.stderr)
    record = Record(options.out + ".partial", Settings(fingerprint(wrapped, windows), options.noise, options.seed))
    measured = measure(wrapped, terms, parameters, record, options.check, Progress())
    write_csv(options.out, terms, measured)
    bent = sorted(name for name, entry in measured.items() if entry.is_linear() is False)
    if bent:
        print(f"not linear in the noise (0.001 to 0.01): {', '.join(bent)}", file=sys.stderr)
    print(f"{options.out}: alpha of {len(terms)} terms; moesweep allocate RUN --alpha {options.out} ...")


def main():
    try:
        run(arguments())
    except (PlanError, ValueError, OSError) as error:
        print(f"moesweep.alpha: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
