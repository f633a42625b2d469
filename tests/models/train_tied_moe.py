#!/usr/bin/env python3
"""Trains a small mixture of experts with a tied embedding and a vocabulary of 8,192 on public-domain text, and writes its checkpoint.

The model is a Qwen2-MoE (`model_type` qwen2_moe): 4 layers, hidden 256, 4 query and 2 key-value heads of 64, 8 experts of 256 of which
a token takes 2, a shared expert of 512 with its gate, q, k and v with biases; 10.8 M parameters, written in BF16 under Hugging Face's
names. Beside the checkpoint: tokenizer.json (byte-level BPE, trained on the same text), text-development.txt and text-test.txt (held
out) with their token ids (development.npy, test.npy: int32 [tokens]), training.json with what was measured.

    train_tied_moe.py OUT --minutes 25
    train_tied_moe.py OUT --check

The learning rate falls with the clock, so that a slow machine ends in time too; `--steps N` trains N steps instead, however long
they take. A stopped run leaves the checkpoint of its last save. `--check` trains nothing: it loads OUT with transformers, compares
logits with this script's own and continues a sentence.
"""

import argparse
import ctypes
import json
import math
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from torch.nn import functional

import texts

VOCABULARY = 8192
HIDDEN = 256
LAYERS = 4
HEADS, KV_HEADS, HEAD = 4, 2, 64
EXPERTS, EXPERTS_A_TOKEN, EXPERT = 8, 2, 256
SHARED_EXPERT = 512
NORM_EPSILON = 1e-6
ROPE_THETA = 10000.0

BATCH_WINDOWS, WINDOW = 6, 256  # a step sees BATCH_WINDOWS x WINDOW tokens
LEARNING_RATE, WARM_UP_STEPS, FINAL_RATE = 2e-3, 60, 0.05  # the last is a fraction of the first
WEIGHT_DECAY = 0.1
BALANCE_LOSS = 0.01
HEAD_TOKENS = 256  # logits are computed for so many tokens at a time, which keeps them in the cache
EVALUATED_WINDOWS = 48


class CheckError(Exception):
    """The written checkpoint isn't what transformers expects."""


def config():
    """config.json, as transformers reads it."""
    return {
        "architectures": ["Qwen2MoeForCausalLM"],
        "model_type": "qwen2_moe",
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD,
        "qkv_bias": True,
        "intermediate_size": SHARED_EXPERT,
        "moe_intermediate_size": EXPERT,
        "shared_expert_intermediate_size": SHARED_EXPERT,
        "num_experts": EXPERTS,
        "num_experts_per_tok": EXPERTS_A_TOKEN,
        "norm_topk_prob": False,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
        "router_aux_loss_coef": BALANCE_LOSS,
        "hidden_act": "silu",
        "rms_norm_eps": NORM_EPSILON,
        "rope_theta": ROPE_THETA,
        "max_position_embeddings": 1024,
        "use_sliding_window": False,
        "tie_word_embeddings": True,
        "initializer_range": 0.02,
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "torch_dtype": "bfloat16",
    }


class Attention(nn.Module):
    """Causal attention with grouped key-value heads and rotated halves: [windows, tokens, HIDDEN] to the same."""

    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(HIDDEN, HEADS * HEAD)
        self.k_proj = nn.Linear(HIDDEN, KV_HEADS * HEAD)
        self.v_proj = nn.Linear(HIDDEN, KV_HEADS * HEAD)
        self.o_proj = nn.Linear(HEADS * HEAD, HIDDEN, bias=False)

    def forward(self, x, cos, sin):
        windows, tokens, _ = x.shape

        def heads(y, count):
            return y.view(windows, tokens, count, HEAD).transpose(1, 2)

        q = rotate(heads(self.q_proj(x), HEADS), cos, sin)
        k = rotate(heads(self.k_proj(x), KV_HEADS), cos, sin).repeat_interleave(HEADS // KV_HEADS, dim=1)
        v = heads(self.v_proj(x), KV_HEADS).repeat_interleave(HEADS // KV_HEADS, dim=1)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(windows, tokens, HEADS * HEAD))


class Expert(nn.Module):
    """down(silu(gate(x)) * up(x)): [tokens, HIDDEN] to the same."""

    def __init__(self, width):
        super().__init__()
        self.gate_proj = nn.Linear(HIDDEN, width, bias=False)
        self.up_proj = nn.Linear(HIDDEN, width, bias=False)
        self.down_proj = nn.Linear(width, HIDDEN, bias=False)

    def forward(self, x):
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Experts(nn.Module):
    """Each token's EXPERTS_A_TOKEN best experts, weighted by their probabilities, and a shared expert behind a sigmoid gate."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(HIDDEN, EXPERTS, bias=False)
        self.experts = nn.ModuleList(Expert(EXPERT) for _ in range(EXPERTS))
        self.shared_expert = Expert(SHARED_EXPERT)
        self.shared_expert_gate = nn.Linear(HIDDEN, 1, bias=False)

    def forward(self, x):
        """x: [tokens, HIDDEN]. Returns the output and the load-balancing loss (Switch Transformers, equation 4; 1 when even)."""
        probability = self.gate(x).softmax(dim=-1)
        weight, chosen = probability.topk(EXPERTS_A_TOKEN, dim=-1)
        order = chosen.flatten().argsort(stable=True)  # (token, choice) pairs, expert by expert
        counts = torch.bincount(chosen.flatten(), minlength=EXPERTS)
        token = order // EXPERTS_A_TOKEN
        parts = x.index_select(0, token).split(counts.tolist())
        routed = torch.cat([expert(part) for expert, part in zip(self.experts, parts)])
        routed = routed * weight.flatten().index_select(0, order).unsqueeze(1)
        y = torch.zeros_like(x).index_add(0, token, routed)
        y = y + torch.sigmoid(self.shared_expert_gate(x)) * self.shared_expert(x)
        share = counts / (x.shape[0] * EXPERTS_A_TOKEN)
        return y, EXPERTS * (share * probability.mean(dim=0)).sum()


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(HIDDEN, eps=NORM_EPSILON)
        self.self_attn = Attention()
        self.post_attention_layernorm = nn.RMSNorm(HIDDEN, eps=NORM_EPSILON)
        self.mlp = Experts()

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        y, balance = self.mlp(self.post_attention_layernorm(x).flatten(0, 1))
        return x + y.view_as(x), balance


class Model(nn.Module):
    """Parameters carry the names of the checkpoint, without its leading `model.`."""

    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(VOCABULARY, HIDDEN)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(HIDDEN, eps=NORM_EPSILON)

    def forward(self, ids):
        """ids: int64 [windows, tokens]. Returns the last layer's output [windows x tokens, HIDDEN], normalized, and the mean
        load-balancing loss."""
        cos, sin = rotations(ids.shape[1])
        x, balances = self.embed_tokens(ids), []
        for layer in self.layers:
            x, balance = layer(x, cos, sin)
            balances.append(balance)
        return self.norm(x).flatten(0, 1), torch.stack(balances).mean()

    def losses(self, ids, targets):
        """Mean cross-entropy over the targets (int64 [windows, tokens]) in nats, and the load-balancing loss."""
        x, balance = self(ids)
        total = sum(
            functional.cross_entropy(functional.linear(part, self.embed_tokens.weight), target, reduction="sum")
            for part, target in zip(x.split(HEAD_TOKENS), targets.flatten().split(HEAD_TOKENS))
        )
        return total / targets.numel(), balance


def rotations(tokens):
    """cos and sin of RoPE, each [tokens, HEAD]."""
    frequency = ROPE_THETA ** (-torch.arange(0, HEAD, 2, dtype=torch.float32) / HEAD)
    angle = torch.arange(tokens, dtype=torch.float32)[:, None] * frequency
    angle = torch.cat([angle, angle], dim=-1)
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


def initialize(model):
    """Normal of 0.02; matrices that write into the residual stream are divided by sqrt(2 LAYERS); biases 0."""
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.dim() == 2:
            residual = name.endswith(("o_proj.weight", "down_proj.weight"))
            nn.init.normal_(parameter, std=0.02 / (math.sqrt(2 * LAYERS) if residual else 1))


def train_tokenizer(blocks):
    """Byte-level BPE of VOCABULARY tokens; id 0 ends a document."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[texts.DOCUMENT_END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(blocks, trainer)
    return tokenizer


def token_ids(tokenizer, blocks):
    """int32 [tokens]: blocks one after the other, each followed by the end of a document."""
    end = tokenizer.token_to_id(texts.DOCUMENT_END)
    ids = [i for encoding in tokenizer.encode_batch(blocks) for i in (*encoding.ids, end)]
    return numpy.array(ids, dtype=numpy.int32)


def prepare(out, cache):
    """Writes tokenizer and held-out texts into `out`; returns {part: int64 tensor of ids} and the packages' versions."""
    blocks, versions = texts.split(cache)
    tokenizer = train_tokenizer(blocks["train"])
    tokenizer.save(str(out / "tokenizer.json"))
    write_json(out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": texts.DOCUMENT_END,
        "eos_token": texts.DOCUMENT_END,
        "model_max_length": 1024,
        "clean_up_tokenization_spaces": False,
    })
    ids = {part: token_ids(tokenizer, blocks[part]) for part in blocks}
    for part in ("development", "test"):
        (out / f"text-{part}.txt").write_text("".join(blocks[part]), encoding="utf-8")
        numpy.save(out / f"{part}.npy", ids[part])
    return {part: torch.from_numpy(i.astype(numpy.int64)) for part, i in ids.items()}, versions


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def batches(ids, seed):
    """Endless (inputs, targets), each [BATCH_WINDOWS, WINDOW]: an epoch sees each window once, shifted at random."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        offset = torch.randint(WINDOW, (1,), generator=generator).item()
        count = (len(ids) - offset - 1) // WINDOW
        starts = torch.randperm(count, generator=generator) * WINDOW + offset
        for chosen in starts.split(BATCH_WINDOWS):
            if len(chosen) == BATCH_WINDOWS:
                windows = torch.stack([ids[s : s + WINDOW + 1] for s in chosen.tolist()])
                yield windows[:, :-1], windows[:, 1:]


def loss_of(model, ids, windows=EVALUATED_WINDOWS):
    """Mean loss in nats a token over evenly spread windows of `ids`, and its standard error over windows."""
    starts = numpy.linspace(0, len(ids) - WINDOW - 1, windows).astype(int)
    losses = []
    with torch.no_grad():
        for start in starts:
            window = ids[start : start + WINDOW + 1]
            losses.append(model.losses(window[None, :-1], window[None, 1:])[0].item())
    return float(numpy.mean(losses)), float(numpy.std(losses, ddof=1) / math.sqrt(windows))


def save(model, out):
    """Writes model.safetensors in BF16 beside the old file, then renames it."""
    tensors = {f"model.{name}": p.detach().to(torch.bfloat16).contiguous() for name, p in model.named_parameters()}
    partial = out / "model.safetensors.partial"
    save_file(tensors, partial, metadata={"format": "pt"})
    partial.chmod(0o644)  # safetensors makes files that only their owner reads
    os.replace(partial, out / "model.safetensors")


def rounded(model):
    """The model with the parameters that the checkpoint has: BF16's, held in F32."""
    copy = Model()
    copy.load_state_dict({name: p.detach().to(torch.bfloat16).float() for name, p in model.state_dict().items()})
    return copy


def optimizer_of(model):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.95), fused=True)


def learning_rate(step, progress):
    """Linear warm-up, then a cosine over `progress` (0 to 1) down to FINAL_RATE of the peak."""
    cosine = FINAL_RATE + (1 - FINAL_RATE) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    return LEARNING_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * cosine


def gradients(model, inputs, targets, share):
    """`share` of the gradients of these windows, one a parameter; their loss in nats a token; their load-balancing loss."""
    loss, balance = model.losses(inputs, targets)
    parts = torch.autograd.grad(share * (loss + BALANCE_LOSS * balance), list(model.parameters()))
    return parts, loss.item(), balance.item()


def train_step(model, optimizer, inputs, targets, workers, threads):
    """One step; returns the loss in nats a token and the load-balancing loss.

    Each thread takes windows of its own: one barrier a step is much cheaper than one an operation where cores are shared.
    """
    shares = zip(inputs.chunk(threads), targets.chunk(threads))
    done = list(workers.map(lambda part: (*gradients(model, *part, len(part[0]) / len(inputs)), len(part[0])), shares))
    for parameter, parts in zip(model.parameters(), zip(*(d[0] for d in done))):
        parameter.grad = sum(parts[1:], parts[0])
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    loss, balance = (sum(d[i] * d[3] for d in done) / len(inputs) for i in (1, 2))
    return loss, balance


def train(model, ids, options, record):
    """Trains until the time or the steps are used up; saves every `--save-minutes`."""
    optimizer, started = optimizer_of(model), time.monotonic()
    workers = ThreadPoolExecutor(options.threads)
    saved, smoothed = started, None
    for step, (inputs, targets) in enumerate(batches(ids["train"], options.seed)):
        elapsed = time.monotonic() - started
        progress = step / options.steps if options.steps else elapsed / (60 * options.minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, progress)
        loss, balance = train_step(model, optimizer, inputs, targets, workers, options.threads)
        smoothed = loss if smoothed is None else 0.98 * smoothed + 0.02 * loss
        tokens = (step + 1) * BATCH_WINDOWS * WINDOW
        record.update(steps=step + 1, tokens=tokens, seconds=round(time.monotonic() - started, 1))
        if step % 10 == 0:
            print(f"{elapsed:6.0f} s  step {step:5d}  loss {smoothed:.3f}  balance {balance:.3f}  "
                  f"{tokens / record['seconds']:.0f} tokens/s", flush=True)
        if time.monotonic() - saved > 60 * options.save_minutes:
            finish(model, ids, options.out, record)
            saved = time.monotonic()


def finish(model, ids, out, record):
    """Saves the checkpoint and what its held-out losses are (nats a token, mean and standard error over windows)."""
    model = rounded(model)
    for part in ("development", "test"):
        record[f"loss_{part}"] = [round(x, 4) for x in loss_of(model, ids[part])]
    save(model, out)
    write_json(out / "training.json", record)
    print(f"saved after {record['steps']} steps: development {record['loss_development'][0]:.4f} nats a token", flush=True)


def own_model(out):
    """The checkpoint in this script's own model, F32."""
    model = Model()
    model.load_state_dict({name.removeprefix("model."): t.float() for name, t in load_file(out / "model.safetensors").items()})
    return model


def check(out):
    """Compares with transformers: no tensor missing or left over, logits of four windows of the development text within 1e-3."""
    if not (out / "model.safetensors").is_file():
        raise CheckError(f"{out}: no checkpoint to check")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(out)
    model, loading = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32, output_loading_info=True)
    bad = {k: sorted(map(str, v)) for k, v in loading.items() if v and k in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    if bad:
        raise CheckError(f"transformers doesn't find the tensors that it expects: {bad}")
    ids = torch.from_numpy(numpy.load(out / "development.npy")[: 4 * WINDOW].astype(numpy.int64)).view(4, WINDOW)
    own = own_model(out)
    with torch.no_grad():
        states, _ = own(ids)
        logits = functional.linear(states, own.embed_tokens.weight)
        reference = model(ids).logits.flatten(0, 1)
        loss = functional.cross_entropy(reference.view(4, WINDOW, -1)[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    difference = (logits - reference).abs().max().item()
    print(f"largest difference of logits {difference:.1e}; loss with transformers {loss:.3f} nats a token")
    for prompt in ("The database connection", "And the LORD said unto Moses,", "hacker n. A person who"):
        prompt_ids = tokenizer(prompt, return_tensors="pt")
        print(f"continued: {tokenizer.decode(model.generate(**prompt_ids, max_new_tokens=30, do_sample=False)[0])!r}")
    if not difference < 1e-3:
        raise CheckError("the logits differ from transformers'")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=Path, help="folder of the checkpoint")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=25.0, help="time to train (default 25)")
    length.add_argument("--steps", type=int, default=0, help="steps to train, in place of a time")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--save-minutes", type=float, default=4.0, help="a checkpoint is saved this often (default 4)")
    parser.add_argument("--packages", type=Path, help="where Debian packages that aren't installed are unpacked (default OUT/packages)")
    parser.add_argument("--check", action="store_true", help="train nothing, compare OUT with transformers")
    return parser.parse_args()


def keep_freed_memory():
    """Asks glibc to reuse freed memory, in place of asking the kernel for zeroed pages again: a step is a fifth faster."""
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX of malloc.h
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(mmap_max, 0)


def main():
    options = arguments()
    keep_freed_memory()
    torch.set_num_threads(1)  # an operation's; see train_step
    if options.check:
        check(options.out)
        return
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    ids, versions = prepare(options.out, options.packages or options.out / "packages")
    write_json(options.out / "config.json", config())
    model = Model()
    initialize(model)
    record = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "packages": versions,
        "tokens_of": {part: len(i) for part, i in ids.items()},
        "torch": torch.__version__,
        "threads": options.threads,
        "seed": options.seed,
    }
    print(json.dumps(record), flush=True)
    train(model, ids, options, record)
    finish(model, ids, options.out, record)


if __name__ == "__main__":
    try:
        main()
    except (CheckError, texts.TextError) as error:
        sys.exit(f"train_tied_moe.py: {error}")
