"""Random models of each architecture, small enough for a test, and a writer of safetensors."""
import json

import numpy

F32 = numpy.float32
DTYPES = {"f4": "F32", "f2": "F16", "u4": "U32"}
SMALL = {"vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 512, "tie_word_embeddings": True, "hidden_act": "silu"}
CONFIGS = {
    "llama": {**SMALL, "architectures": ["LlamaForCausalLM"], "intermediate_size": 160, "rope_theta": 100000.0,
              "rms_norm_eps": 1e-5},
    "qwen2_moe": {**SMALL, "architectures": ["Qwen2MoeForCausalLM"], "intermediate_size": 160, "moe_intermediate_size": 32,
                  "shared_expert_intermediate_size": 96, "num_experts": 6, "num_experts_per_tok": 2,
                  "decoder_sparse_step": 2, "norm_topk_prob": False, "rope_theta": 10000.0, "rms_norm_eps": 1e-6},
    "qwen3_moe": {**SMALL, "architectures": ["Qwen3MoeForCausalLM"], "intermediate_size": 160, "moe_intermediate_size": 32,
                  "head_dim": 32, "num_experts": 6, "num_experts_per_tok": 2, "decoder_sparse_step": 1,
                  "norm_topk_prob": True, "rope_theta": 10000.0, "rms_norm_eps": 1e-6, "tie_word_embeddings": False},
}


def _mlp_shapes(name, hidden, inner):
    return {f"{name}.gate_proj.weight": (inner, hidden), f"{name}.up_proj.weight": (inner, hidden),
            f"{name}.down_proj.weight": (hidden, inner)}


def _attention_shapes(name, kind, config):
    hidden = config["hidden_size"]
    head = config.get("head_dim", hidden // config["num_attention_heads"])
    q, kv = head * config["num_attention_heads"], head * config["num_key_value_heads"]
    shapes = {f"{name}.q_proj.weight": (q, hidden), f"{name}.k_proj.weight": (kv, hidden),
              f"{name}.v_proj.weight": (kv, hidden), f"{name}.o_proj.weight": (hidden, q)}
    if kind == "qwen2_moe":
        shapes.update({f"{name}.q_proj.bias": (q,), f"{name}.k_proj.bias": (kv,), f"{name}.v_proj.bias": (kv,)})
    if kind == "qwen3_moe":
        shapes.update({f"{name}.q_norm.weight": (head,), f"{name}.k_norm.weight": (head,)})
    return shapes


def _mixture_shapes(name, kind, config):
    hidden, experts = config["hidden_size"], config["num_experts"]
    shapes = {f"{name}.gate.weight": (experts, hidden)}
    for expert in range(experts):
        shapes.update(_mlp_shapes(f"{name}.experts.{expert}", hidden, config["moe_intermediate_size"]))
    if kind == "qwen2_moe":
        shapes.update(_mlp_shapes(f"{name}.shared_expert", hidden, config["shared_expert_intermediate_size"]))
        shapes[f"{name}.shared_expert_gate.weight"] = (1, hidden)
    return shapes


def shapes_of(kind, config):
    """Hugging Face's names and shapes."""
    hidden, vocabulary = config["hidden_size"], config["vocab_size"]
    shapes = {"model.embed_tokens.weight": (vocabulary, hidden), "model.norm.weight": (hidden,)}
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (vocabulary, hidden)
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}"
        shapes.update({f"{name}.input_layernorm.weight": (hidden,), f"{name}.post_attention_layernorm.weight": (hidden,)})
        shapes.update(_attention_shapes(f"{name}.self_attn", kind, config))
        if kind != "llama" and (layer + 1) % config["decoder_sparse_step"] == 0:
            shapes.update(_mixture_shapes(f"{name}.mlp", kind, config))
        else:
            shapes.update(_mlp_shapes(f"{name}.mlp", hidden, config["intermediate_size"]))
    return shapes


def random_model(kind, seed=1):
    """config.json as a dict, and float32 weights by name: norms about 1, everything else about 0."""
    config = {"model_type": kind, **CONFIGS[kind]}
    draws = numpy.random.default_rng(seed)
    weights = {}
    for name, shape in shapes_of(kind, config).items():
        weights[name] = (0.6 * (draws.random(shape) - 0.5) + ("norm" in name)).astype(F32)
    return config, weights


def stacked(weights):
    """The same weights with experts as MLX has them: one stack [E, out, in] for each part of each layer."""
    found = {name: array for name, array in weights.items() if ".experts." not in name}
    stacks = {}
    for name, array in weights.items():
        if ".experts." in name:
            prefix, rest = name.split(".experts.")
            expert, part = rest.split(".", 1)
            stacks.setdefault(f"{prefix}.switch_mlp.{part}", {})[int(expert)] = array
    found.update({name: numpy.stack([stack[i] for i in sorted(stack)]) for name, stack in stacks.items()})
    return found


def write_safetensors(path, arrays):
    """`arrays`: name -> array, or (dtype's name, array of its bits)."""
    header, data = {}, b""
    for name, entry in arrays.items():
        kind, array = entry if isinstance(entry, tuple) else (DTYPES[entry.dtype.str[1:]], entry)
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def write_model(folder, config, arrays):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    write_safetensors(folder / "model.safetensors", arrays)
    return folder
