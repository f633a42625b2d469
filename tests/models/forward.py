"""Forward pass of small language models in float32: llama, qwen2_moe and qwen3_moe.

All windows go through one layer before the next, some at a time, so that each weight is read once, BLAS gets large matrices
and what is between them stays small. Weights are a mapping from Hugging Face's names, or MLX's where experts are stacked, to
float32 arrays. Shapes: W windows, L tokens each, T = W * L, H hidden, V vocabulary.
"""
import numpy

import architecture

F32 = numpy.float32
BATCH_TOKENS = 2048  # whole windows of at most so many tokens, or one window, are computed at a time


def linear(x, weights, name, bias=False):
    y = x @ weights[f"{name}.weight"].T
    if bias:
        y += weights[f"{name}.bias"]
    return y


def rms_norm(x, weight, eps):
    """Over the last axis."""
    mean_square = numpy.einsum("...i,...i->...", x, x)[..., None] / F32(x.shape[-1])
    return x * (1 / numpy.sqrt(mean_square + F32(eps))) * weight


def sigmoid(x):
    """exp may overflow to infinity, whose inverse is the 0 that is meant."""
    with numpy.errstate(over="ignore"):
        y = numpy.exp(-x)
    y += 1
    return numpy.reciprocal(y, out=y)


def swiglu(gate, up):
    """silu(gate) * up; overwrites gate."""
    gate *= sigmoid(gate)
    gate *= up
    return gate


def rotary(length, head_dim, theta):
    """cos and sin [L, head_dim / 2] of the angles of each position."""
    inverse = 1.0 / theta ** (numpy.arange(0, head_dim, 2, dtype=F32) / F32(head_dim))
    angles = numpy.arange(length, dtype=F32)[:, None] * inverse.astype(F32)
    return numpy.cos(angles), numpy.sin(angles)


def rotate(x, cos, sin):
    """Halves of each head [..., L, head_dim] rotated against each other."""
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return numpy.concatenate([first * cos - second * sin, second * cos + first * sin], -1)


def softmax(x):
    """Over the last axis, in place."""
    x -= x.max(-1, keepdims=True)
    numpy.exp(x, out=x)
    x /= x.sum(-1, keepdims=True)
    return x


def causal_attention(q, k, v):
    """[W, L, heads * head_dim] of q [W, kv_heads, groups, L, head_dim] and k, v [W, kv_heads, L, head_dim].

    A window at a time, so that its scores stay in a core's cache.
    """
    windows, kv_heads, groups, length, head_dim = q.shape
    mask = numpy.triu(numpy.full((length, length), -numpy.inf, F32), 1)
    q = q.reshape(windows, kv_heads, groups * length, head_dim) * F32(head_dim ** -0.5)
    mixed = numpy.empty((windows, length, kv_heads, groups, head_dim), F32)
    for window in range(windows):
        scores = (q[window] @ k[window].swapaxes(-1, -2)).reshape(kv_heads, groups, length, length)
        scores += mask
        out = softmax(scores).reshape(kv_heads, groups * length, length) @ v[window]
        mixed[window] = out.reshape(kv_heads, groups, length, head_dim).transpose(2, 0, 1, 3)
    return mixed.reshape(windows, length, -1)


def attention(arch, weights, name, x, length):
    """Change of the residual stream [T, H] by self-attention of the normed x [T, H]."""
    def heads(part, count, norm):
        y = linear(x, weights, f"{name}.{part}_proj", arch.qkv_bias).reshape(-1, length, count, arch.head_dim)
        if norm:
            y = rms_norm(y, weights[f"{name}.{part}_norm.weight"], arch.norm_eps)
        return y.transpose(0, 2, 1, 3)

    cos, sin = rotary(length, arch.head_dim, arch.rope_theta)
    q = rotate(heads("q", arch.heads, arch.qk_norm), cos, sin)
    k = rotate(heads("k", arch.kv_heads, arch.qk_norm), cos, sin)
    v = numpy.ascontiguousarray(heads("v", arch.kv_heads, False))
    q = q.reshape(-1, arch.kv_heads, arch.heads // arch.kv_heads, length, arch.head_dim)
    return linear(causal_attention(q, k, v).reshape(len(x), -1), weights, f"{name}.o_proj")


def dense_mlp(weights, name, x):
    return linear(swiglu(linear(x, weights, f"{name}.gate_proj"), linear(x, weights, f"{name}.up_proj")), weights,
                  f"{name}.down_proj")


def expert_weights(arch, weights, name):
    """gate, up and down, each a sequence over experts: one stacked array, or single matrices."""
    if f"{name}.switch_mlp.gate_proj.weight" in weights:
        stacks = [weights[f"{name}.switch_mlp.{part}_proj.weight"] for part in ("gate", "up", "down")]
        if any(len(stack) != arch.experts for stack in stacks):
            raise architecture.UnsupportedModel(f"{name}: not stacks of {arch.experts} experts")
        return stacks
    return [[weights[f"{name}.experts.{expert}.{part}_proj.weight"] for expert in range(arch.experts)]
            for part in ("gate", "up", "down")]


def route(arch, weights, name, x):
    """Experts [T, k] of each token and what each counts [T, k]."""
    shares = softmax(linear(x, weights, f"{name}.gate"))
    chosen = numpy.argpartition(-shares, arch.experts_per_token - 1, -1)[:, :arch.experts_per_token]
    share = numpy.take_along_axis(shares, chosen, -1)
    if arch.normalize_top_k:
        share = share / share.sum(-1, keepdims=True)
    return chosen, share


def mixture(arch, weights, name, x):
    """Routed experts, each on its tokens at once, and the shared expert if there is one."""
    chosen, share = route(arch, weights, name, x)
    gate, up, down = expert_weights(arch, weights, name)
    order = numpy.argsort(chosen, axis=None, kind="stable")
    ends = numpy.cumsum(numpy.bincount(chosen.ravel(), minlength=arch.experts))
    out = numpy.zeros_like(x)
    for expert, (lo, hi) in enumerate(zip([0, *ends[:-1]], ends)):
        tokens = order[lo:hi] // arch.experts_per_token
        rows = x[tokens]
        result = swiglu(rows @ gate[expert].T, rows @ up[expert].T) @ down[expert].T
        result *= share.reshape(-1)[order[lo:hi], None]
        out[tokens] += result  # a token has an expert at most once
    if arch.shared_expert:
        gate = sigmoid(linear(x, weights, f"{name}.shared_expert_gate"))
        out += gate * dense_mlp(weights, f"{name}.shared_expert", x)
    return out


def layer(arch, weights, index, x, length):
    """Adds layer `index` to the residual stream x [T, H]."""
    name = f"model.layers.{index}"
    normed = rms_norm(x, weights[f"{name}.input_layernorm.weight"], arch.norm_eps)
    x += attention(arch, weights, f"{name}.self_attn", normed, length)
    normed = rms_norm(x, weights[f"{name}.post_attention_layernorm.weight"], arch.norm_eps)
    if index in arch.moe_layers:
        x += mixture(arch, weights, f"{name}.mlp", normed)
    else:
        x += dense_mlp(weights, f"{name}.mlp", normed)


class LayerWeights:
    """Tensors of a mapping, each read once until forget(); remembers which were asked for."""

    def __init__(self, weights):
        self._weights, self._held, self.asked = weights, {}, set()

    def __contains__(self, name):
        return name in self._weights

    def __getitem__(self, name):
        if name not in self._weights:
            raise architecture.UnsupportedModel(f"the checkpoint lacks {name}")
        if name not in self._held:
            self._held[name] = self._weights[name]
            self.asked.add(name)
        return self._held[name]

    def forget(self):
        self._held.clear()


def _refuse_leftovers(weights, asked):
    """A tensor that nothing used belongs to a model that isn't the one computed here."""
    left = [name for name in weights if name not in asked and not name.endswith("rotary_emb.inv_freq")]
    if left == ["lm_head.weight"] and numpy.array_equal(weights[left[0]], weights["model.embed_tokens.weight"]):
        return
    if left:
        raise architecture.UnsupportedModel(f"{len(left)} tensors have no place in this architecture, such as {left[0]}")


def hidden_states(model, windows):
    """float32 [T, H] after the final norm, and the head [V, H]; `windows` are token ids [W, L]."""
    arch, weights = architecture.parse(model.config), LayerWeights(model.weights)
    windows = numpy.asarray(windows)
    if windows.size == 0 or windows.min() < 0 or windows.max() >= arch.vocabulary:
        raise ValueError(f"tokens must be from 0 to {arch.vocabulary - 1}, in windows of one at least")
    embedding = weights["model.embed_tokens.weight"]
    x, length = embedding[windows.ravel()], windows.shape[1]
    step = max(1, BATCH_TOKENS // length) * length
    for index in range(arch.layers):
        for lo in range(0, len(x), step):
            layer(arch, weights, index, x[lo:lo + step], length)
        weights.forget()
    head = embedding if arch.tied else weights["lm_head.weight"]
    if head.shape != (arch.vocabulary, arch.hidden):
        raise architecture.UnsupportedModel(f"a head of {head.shape} isn't that of {arch.vocabulary} tokens")
    x = rms_norm(x, weights["model.norm.weight"], arch.norm_eps)
    _refuse_leftovers(model.weights, weights.asked)
    return x, head


def logits(model, windows):
    """float32 [W, L, V], all at once: for few windows."""
    x, head = hidden_states(model, windows)
    return (x @ head.T).reshape(*numpy.shape(windows), -1)
