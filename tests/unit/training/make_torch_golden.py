#!/usr/bin/python3
"""What PyTorch makes of the same weights, the same batches and the same 50 steps: tests/data/training/torch-*.csv.

    tests/unit/training/make_torch_golden.py [FOLDER]        (needs python3-torch and python3-numpy)

The random streams are written anew from include/moesweep/analysis/training/{streams,head}.hpp, in numpy; the heads, losses,
gradients and Adam are PyTorch's, in float32. torch_golden_test.cpp trains the same cases; what both must agree on:

- Feature e, counted along the rows, is (w >> 8) / 2^23 - 1, w being word e%4 of Philox counter (e/4, 0, 0, 0x900) with
  the key (2026, 0).
- 400 examples. Example i is in the split 0 0 0 1 2 at i%5: 240 are trained on, in batches of 25 (the last has 15), for
  5 epochs: 50 steps. With attention it has 1 + i%4 tokens, of which its label sees the sum.
- Its label is the place of the largest of the first 3 features; 2 of them for one logit.
- Seed 7, 128 inputs, 256 hidden units, 64 wide attention, no dropout, Adam 1e-3.

Each file has a line of logits an example, whatever its split.
"""
import pathlib
import sys

import numpy
import torch

SEED, INPUTS, WIDTH, ATTENTION_WIDTH = 7, 128, 256, 64
EXAMPLES, BATCH, EPOCHS = 400, 25, 5
WEIGHT_STREAM, ORDER_STREAM, FEATURE_STREAM = 0x100, 0x200, 0x900
CASES = {  # kind of head, logits, weights of classes
    "linear": ("linear", 3, None),
    "mlp": ("mlp", 3, None),
    "mlp-weighted": ("mlp", 3, (1.0, 2.5, 0.5)),
    "mlp-binary": ("mlp", 1, None),
    "mlp-binary-weighted": ("mlp", 1, (0.75, 3.0)),
    "attention": ("attention_mlp", 1, None),
}


def philox(counters, key):
    """Philox 4x32-10 (Salmon et al. 2011): words [n, 4] of counters [n, 4]."""
    c = [counters[:, i].astype(numpy.uint64) for i in range(4)]
    k, low = [numpy.uint64(word) for word in key], numpy.uint64(0xFFFFFFFF)
    for _ in range(10):
        first, second = c[0] * numpy.uint64(0xD2511F53), c[2] * numpy.uint64(0xCD9E8D57)
        c = [(second >> numpy.uint64(32)) ^ c[1] ^ k[0], second & low,
             (first >> numpy.uint64(32)) ^ c[3] ^ k[1], first & low]
        k = [(k[0] + numpy.uint64(0x9E3779B9)) & low, (k[1] + numpy.uint64(0xBB67AE85)) & low]
    return numpy.stack(c, axis=1)


def words(count, second, stream, key):
    """The first `count` words of counters (0.., second, 0, stream)."""
    counters = numpy.zeros(((count + 3) // 4, 4), dtype=numpy.uint64)
    counters[:, 0] = numpy.arange(len(counters))
    counters[:, 1], counters[:, 3] = second, stream
    return philox(counters, key).reshape(-1)[:count]


def uniform(drawn):
    return (drawn.astype(numpy.float64) + 0.5) / 2.0**32


def normal(count, stream, key):
    u = uniform(words((count + 3) // 4 * 4, 0, stream, key)).reshape(-1, 2)
    radius, angle = numpy.sqrt(-2.0 * numpy.log(u[:, 0])), 2.0 * numpy.pi * u[:, 1]
    return numpy.stack([radius * numpy.cos(angle), radius * numpy.sin(angle)], axis=1).reshape(-1)[:count]


def order_of(epoch, count):
    drawn = words(count, epoch, ORDER_STREAM, (SEED, 0))
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        other = int(drawn[i]) * (i + 1) >> 32
        order[i], order[other] = order[other], order[i]
    return order


class Attention(torch.nn.Module):
    """One vector from the tokens of an example."""

    def __init__(self):
        super().__init__()
        self.scores_of = torch.nn.Linear(INPUTS, ATTENTION_WIDTH)
        self.v = torch.nn.Parameter(torch.zeros(ATTENTION_WIDTH))

    def forward(self, examples):
        shares = [torch.softmax(torch.tanh(self.scores_of(tokens)) @ self.v, dim=0) for tokens in examples]
        return torch.stack([share @ tokens for share, tokens in zip(shares, examples)])


def head_of(kind, logits):
    """A head and its tensors in the order that the streams count them."""
    if kind == "linear":
        layer = torch.nn.Linear(INPUTS, logits)
        return layer, [layer.weight, layer.bias]
    first, last = torch.nn.Linear(INPUTS, WIDTH), torch.nn.Linear(WIDTH, logits)
    layers, tensors = [first, torch.nn.GELU(), last], [first.weight, first.bias, last.weight, last.bias]
    if kind == "attention_mlp":
        attention = Attention()
        layers.insert(0, attention)
        tensors = [attention.scores_of.weight, attention.scores_of.bias, attention.v] + tensors
    return torch.nn.Sequential(*layers), tensors


def load_initial(kind, tensors):
    inputs = 0
    for i, tensor in enumerate(tensors):
        count, key = tensor.numel(), (SEED, 0)
        if tensor.dim() == 2:
            inputs = tensor.shape[1]
        if kind == "attention_mlp" and i == 2:
            values = 0.01 * normal(count, WEIGHT_STREAM + i, key)
        else:  # a bias follows its weight and has the same bound
            values = (2.0 * uniform(words(count, 0, WEIGHT_STREAM + i, key)) - 1.0) / numpy.sqrt(inputs)
        tensor.data = torch.from_numpy(values.astype(numpy.float32)).reshape(tensor.shape)


def loss_of(logits, labels, weights):
    if logits.shape[1] > 1:
        return torch.nn.functional.cross_entropy(logits, labels, weight=weights)
    per_example = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], labels.float(), reduction="none")
    if weights is None:
        return per_example.mean()
    return (weights[labels] * per_example).sum() / weights[labels].sum()


def examples_of(kind, logits):
    """Features [examples, inputs], or a list of tokens by example, and labels."""
    lengths = [1 + i % 4 if kind == "attention_mlp" else 1 for i in range(EXAMPLES)]
    drawn = words(sum(lengths) * INPUTS, 0, FEATURE_STREAM, (2026, 0))
    rows = ((drawn >> numpy.uint64(8)).astype(numpy.float64) / 2.0**23 - 1.0).astype(numpy.float32)
    tokens = torch.from_numpy(rows).reshape(-1, INPUTS).split(lengths)
    sums = torch.stack([some.double().sum(dim=0) for some in tokens])
    labels = sums[:, : max(logits, 2)].argmax(dim=1)
    return (list(tokens) if kind == "attention_mlp" else torch.cat(tokens)), labels


def taken(features, chosen):
    return [features[i] for i in chosen] if isinstance(features, list) else features[chosen]


def train(kind, logits, class_weights):
    features, labels = examples_of(kind, logits)
    weights = None if class_weights is None else torch.tensor(class_weights)
    train_split = [i for i in range(EXAMPLES) if i % 5 < 3]
    head, tensors = head_of(kind, logits)
    load_initial(kind, tensors)
    adam = torch.optim.Adam(head.parameters(), lr=1e-3)
    steps = 0
    for epoch in range(EPOCHS):
        order = order_of(epoch, len(train_split))
        for lo in range(0, len(order), BATCH):
            chosen = [train_split[i] for i in order[lo : lo + BATCH]]
            adam.zero_grad()
            loss_of(head(taken(features, chosen)), labels[chosen], weights).backward()
            adam.step()
            steps += 1
    assert steps == 50
    with torch.no_grad():
        return head(features).numpy()


def check_philox():
    """Random123's known answers."""
    ones = numpy.full((1, 4), 0xFFFFFFFF)
    assert philox(numpy.zeros((1, 4)), (0, 0)).tolist() == [[0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]]
    assert philox(ones, (0xFFFFFFFF, 0xFFFFFFFF)).tolist() == [[0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]]


def main():
    default = pathlib.Path(__file__).parents[2] / "data" / "training"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    check_philox()
    for name, case in CASES.items():
        numpy.savetxt(folder / f"torch-{name}.csv", train(*case), fmt="%.9g", delimiter=",")


if __name__ == "__main__":
    main()
