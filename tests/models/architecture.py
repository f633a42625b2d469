"""config.json as the forward pass needs it; whatever asks for something that isn't computed here is refused."""
from typing import NamedTuple

MODEL_TYPES = ("llama", "qwen2_moe", "qwen3_moe")


class UnsupportedModel(Exception):
    """config.json or the tensors ask for something that the forward pass doesn't compute."""


class Architecture(NamedTuple):
    """Sizes in elements; `moe_layers` are the layers with a router."""
    layers: int
    hidden: int
    vocabulary: int
    heads: int
    kv_heads: int
    head_dim: int
    rope_theta: float
    norm_eps: float
    tied: bool
    qkv_bias: bool
    qk_norm: bool
    moe_layers: frozenset
    experts: int
    experts_per_token: int
    normalize_top_k: bool
    shared_expert: bool


def _rope_theta(config):
    """transformers 4 has rope_theta and rope_scaling, 5 has both in rope_parameters."""
    rope = config.get("rope_parameters") or {}
    scaling = config.get("rope_scaling") or rope
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind != "default":
        raise UnsupportedModel(f"rope_scaling of type {kind}: only plain rotary embeddings are computed")
    if {**config, **rope}.get("partial_rotary_factor", 1.0) != 1.0:
        raise UnsupportedModel("partial_rotary_factor: only whole heads are rotated")
    theta = rope.get("rope_theta", config.get("rope_theta", 10000.0))
    return float(theta)


def _refuse_unsupported(config):
    kind = config.get("model_type")
    if kind not in MODEL_TYPES:
        raise UnsupportedModel(f"model_type {kind}: computed are {', '.join(MODEL_TYPES)}")
    activation = config.get("hidden_act", "silu")
    if activation != "silu":
        raise UnsupportedModel(f"hidden_act {activation}: only silu is computed")
    windowed = sum(layer != "full_attention" for layer in config.get("layer_types") or [])
    if config.get("use_sliding_window") or windowed or (kind == "llama" and config.get("sliding_window")):
        raise UnsupportedModel("sliding windows: every token attends to all before it here")
    for key in ("attention_bias", "mlp_bias"):
        if config.get(key):
            raise UnsupportedModel(f"{key} of {kind} isn't computed")


def _moe_layers(config):
    """As transformers counts: every decoder_sparse_step-th layer that mlp_only_layers doesn't name."""
    step, dense = config.get("decoder_sparse_step", 1), set(config.get("mlp_only_layers") or [])
    return frozenset(layer for layer in range(config["num_hidden_layers"])
                     if (layer + 1) % step == 0 and layer not in dense)


def parse(config):
    """The Architecture of a config.json given as a dict."""
    _refuse_unsupported(config)
    kind, heads = config["model_type"], config["num_attention_heads"]
    experts = config.get("num_experts", config.get("num_local_experts", 0)) if kind != "llama" else 0
    return Architecture(
        layers=config["num_hidden_layers"], hidden=config["hidden_size"], vocabulary=config["vocab_size"], heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_dim=config.get("head_dim") or config["hidden_size"] // heads,
        rope_theta=_rope_theta(config), norm_eps=config["rms_norm_eps"],
        tied=config.get("tie_word_embeddings", False),
        qkv_bias=kind == "qwen2_moe" and config.get("qkv_bias", True), qk_norm=kind == "qwen3_moe",
        moe_layers=_moe_layers(config) if experts else frozenset(), experts=experts,
        experts_per_token=config.get("num_experts_per_tok", 0),
        normalize_top_k=config.get("norm_topk_prob", False), shared_expert=kind == "qwen2_moe")
