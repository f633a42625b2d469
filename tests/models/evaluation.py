"""What quantization does to a language model: KL(base || variant), loss and equal top tokens, a window at a time.

For scripts:

    with Reference(base, windows) as reference:      # base: folder or Model; windows: token ids [W, L]
        measured = reference.measure(variant)        # folder or Model, any number of times
    results = evaluate_many(base, {"name": variant}, windows)

A Model made in memory, Model(config, {**weights, name: noisy}), is measured like a folder.
"""
import tempfile
from typing import NamedTuple

import numpy

import checkpoint
import forward

BLOCK_BYTES = 1 << 25  # of the logits that are compared at a time


class Measured(NamedTuple):
    """A value a window [W], float64.

    `kl`: KL(base || variant), nats a token, mean over all L positions. `loss`: nats a token over the L - 1 tokens that have
    one before them. `equal_top`: share of the L positions where both models find the same token likeliest.
    """
    kl: numpy.ndarray
    loss: numpy.ndarray
    equal_top: numpy.ndarray
    weight_bytes: int


def as_model(model):
    return model if isinstance(model, checkpoint.Model) else checkpoint.load(model)


def exponentials(logits):
    """exp(logits - max) float32 [n, V], and the log of the sum of exp(logits) float64 [n]."""
    top = logits.max(-1, keepdims=True)
    powers = numpy.exp(logits - top)
    return powers, top[:, 0].astype(float) + numpy.log(powers.sum(-1, dtype=float))


def divergence(base, variant):
    """KL(base || variant) float64 [n] of logits float32 [n, V], and the log-sums of both.

    sum p (b - v) - (log-sum b - log-sum v): differences of logits are nearly exact in float32, everything that is added up is
    added up in float64, so that the cancellation costs no digits that matter at 1e-6 nats.
    """
    powers, base_sum = exponentials(base)
    total = powers.sum(-1, dtype=float)
    _, variant_sum = exponentials(variant)
    powers *= base - variant
    return powers.sum(-1, dtype=float) / total - base_sum + variant_sum, base_sum, variant_sum


def next_logit(logits, targets):
    return numpy.take_along_axis(logits, targets[:, None], -1)[:, 0].astype(float)


class Reference:
    """The base's logits on the windows, in a temporary file of 4 W L V bytes in `folder`, to compare variants with.

    `loss` [W]: nats a token of the base itself.
    """

    def __init__(self, base, windows, folder=None):
        base, self.windows = as_model(base), numpy.asarray(windows)
        self.weight_bytes = base.weight_bytes
        self._targets = numpy.roll(self.windows, -1, 1).ravel()  # the last of a window has none and is not counted
        hidden, head = forward.hidden_states(base, self.windows)
        self._file = tempfile.TemporaryFile(dir=folder)
        self._logits = numpy.memmap(self._file, numpy.float32, "w+", shape=(len(hidden), len(head)))
        loss = numpy.empty(len(hidden))
        for rows in self._blocks():
            numpy.matmul(hidden[rows], head.T, out=self._logits[rows])
            loss[rows] = exponentials(self._logits[rows])[1] - next_logit(self._logits[rows], self._targets[rows])
        self.loss = self._of_windows(loss)[:, :-1].mean(1)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._logits = None
        self._file.close()

    def _blocks(self):
        tokens, vocabulary = self._logits.shape
        step = max(1, BLOCK_BYTES // (4 * vocabulary))
        return [slice(lo, lo + step) for lo in range(0, tokens, step)]

    def _of_windows(self, values):
        return values.reshape(self.windows.shape)

    def measure(self, variant):
        """What a folder or Model does on the same windows."""
        variant, vocabulary = as_model(variant), self._logits.shape[1]
        own = variant.config.get("vocab_size")
        if own != vocabulary:
            raise ValueError(f"a vocabulary of {own} can't be compared with one of {vocabulary}")
        hidden, head = forward.hidden_states(variant, self.windows)
        kl, loss, equal = (numpy.empty(len(hidden)) for _ in range(3))
        for rows in self._blocks():
            base, logits = numpy.asarray(self._logits[rows]), hidden[rows] @ head.T
            kl[rows], _, log_sum = divergence(base, logits)
            loss[rows] = log_sum - next_logit(logits, self._targets[rows])
            equal[rows] = base.argmax(-1) == logits.argmax(-1)
        return Measured(self._of_windows(kl).mean(1), self._of_windows(loss)[:, :-1].mean(1),
                        self._of_windows(equal).mean(1), variant.weight_bytes)


def evaluate_many(base, variants, windows, folder=None):
    """Measured by name of `variants` (name -> folder or Model); the base is computed once."""
    with Reference(base, windows, folder) as reference:
        return {name: reference.measure(variant) for name, variant in variants.items()}
