// Hugging Face names: parameters of modeling_<model_type>.py in huggingface/transformers.
// llama.cpp names: gguf-py/gguf/constants.py (TENSOR_NAMES, MODEL_TENSORS) and tensor_mapping.py,
// with the renaming of conversion/{llama,qwen,deepseek,gpt_oss}.py, in ggml-org/llama.cpp.

#include "parts.hpp"

#include <algorithm>
#include <array>

namespace moesweep::names {
namespace {

using Parts = std::span<const Part>;

constexpr std::array top = {
    Part{"embed_tokens", "token_embd", Kind::embedding},
    Part{"norm", "output_norm", Kind::norm},
    Part{"lm_head", "output", Kind::head},
};

constexpr std::array attention = {
    Part{"self_attn.q_proj", "attn_q"},
    Part{"self_attn.k_proj", "attn_k"},
    Part{"self_attn.v_proj", "attn_v"},
    Part{"self_attn.o_proj", "attn_output"},
};

constexpr std::array query_key_norms = {
    Part{"self_attn.q_norm", "attn_q_norm", Kind::norm},
    Part{"self_attn.k_norm", "attn_k_norm", Kind::norm},
};

constexpr std::array norms = {
    Part{"input_layernorm", "attn_norm", Kind::norm},
    Part{"post_attention_layernorm", "ffn_norm", Kind::norm},
};

// llama.cpp has no norm before the experts here: it is one after the attention.
constexpr std::array post_norms = {
    Part{"input_layernorm", "attn_norm", Kind::norm},
    Part{"post_attention_layernorm", "post_attention_norm", Kind::norm},
};

constexpr std::array dense = {
    Part{"mlp.gate_proj", "ffn_gate"},
    Part{"mlp.up_proj", "ffn_up"},
    Part{"mlp.down_proj", "ffn_down"},
};

constexpr std::array experts = {
    Part{"mlp.gate", "ffn_gate_inp", Kind::router},
    Part{"mlp.experts.*.gate_proj", "ffn_gate_exps", Kind::expert},
    Part{"mlp.experts.*.up_proj", "ffn_up_exps", Kind::expert},
    Part{"mlp.experts.*.down_proj", "ffn_down_exps", Kind::expert},
};

constexpr std::array fused_experts = {
    Part{"mlp.experts.gate_up_proj", "ffn_gate_exps", Kind::fused_gate_up},
    Part{"mlp.experts.down_proj", "ffn_down_exps", Kind::fused_down},
};

constexpr std::array qwen_shared_expert = {
    Part{"mlp.shared_expert.gate_proj", "ffn_gate_shexp"},
    Part{"mlp.shared_expert.up_proj", "ffn_up_shexp"},
    Part{"mlp.shared_expert.down_proj", "ffn_down_shexp"},
    Part{"mlp.shared_expert_gate", "ffn_gate_inp_shexp", Kind::router},
};

constexpr std::array linear_attention = {
    Part{"linear_attn.in_proj_qkv", "attn_qkv"},
    Part{"linear_attn.in_proj_z", "attn_gate"},
    Part{"linear_attn.in_proj_a", "ssm_alpha"},
    Part{"linear_attn.in_proj_b", "ssm_beta"},
    Part{"linear_attn.out_proj", "ssm_out"},
    Part{"linear_attn.conv1d", "ssm_conv1d", Kind::convolution},
    Part{"linear_attn.norm", "ssm_norm", Kind::norm},
    Part{"linear_attn.A_log", "ssm_a", Kind::vector},
    Part{"linear_attn.dt_bias", "ssm_dt.bias", Kind::vector},
};

constexpr std::array mixtral_experts = {
    Part{"block_sparse_moe.gate", "ffn_gate_inp", Kind::router},
    Part{"block_sparse_moe.experts.*.w1", "ffn_gate_exps", Kind::expert},
    Part{"block_sparse_moe.experts.*.w3", "ffn_up_exps", Kind::expert},
    Part{"block_sparse_moe.experts.*.w2", "ffn_down_exps", Kind::expert},
};

constexpr std::array latent_attention = {
    Part{"self_attn.q_proj", "attn_q"},
    Part{"self_attn.q_a_proj", "attn_q_a"},
    Part{"self_attn.q_a_layernorm", "attn_q_a_norm", Kind::norm},
    Part{"self_attn.q_b_proj", "attn_q_b"},
    Part{"self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"},
    Part{"self_attn.kv_a_layernorm", "attn_kv_a_norm", Kind::norm},
    Part{"self_attn.kv_b_proj", "attn_k_b", Kind::latent},
    Part{"self_attn.o_proj", "attn_output"},
};

constexpr std::array deepseek_shared_experts = {
    Part{"mlp.gate.e_score_correction_bias", "exp_probs_b.bias", Kind::vector},
    Part{"mlp.shared_experts.gate_proj", "ffn_gate_shexp"},
    Part{"mlp.shared_experts.up_proj", "ffn_up_shexp"},
    Part{"mlp.shared_experts.down_proj", "ffn_down_shexp"},
};

constexpr std::array gpt_oss_experts = {
    Part{"self_attn.sinks", "attn_sinks.weight", Kind::vector},
    Part{"mlp.router", "ffn_gate_inp", Kind::router},
    Part{"mlp.experts.gate_up_proj_blocks", "ffn_gate_exps", Kind::interleaved},
    Part{"mlp.experts.gate_up_proj_scales", "ffn_gate_exps", Kind::interleaved},
    Part{"mlp.experts.gate_up_proj_bias", "ffn_gate_exps", Kind::interleaved},
    Part{"mlp.experts.down_proj_blocks", "ffn_down_exps", Kind::packed_down},
    Part{"mlp.experts.down_proj_scales", "ffn_down_exps", Kind::packed_down},
    Part{"mlp.experts.down_proj_bias", "ffn_down_exps", Kind::packed_down},
    Part{"mlp.experts.gate_up_proj", "ffn_gate_exps", Kind::transposed},
    Part{"mlp.experts.down_proj", "ffn_down_exps", Kind::transposed},
};

constexpr std::array qwen_predictor = {
    Part{"fc", "nextn.eh_proj"},
    Part{"pre_fc_norm_embedding", "nextn.enorm", Kind::norm},
    Part{"pre_fc_norm_hidden", "nextn.hnorm", Kind::norm},
    Part{"norm", "nextn.shared_head_norm", Kind::norm},
};

// In a trailing layer, beside what every layer has.
constexpr std::array deepseek_predictor = {
    Part{"eh_proj", ""},
    Part{"enorm", "", Kind::norm},
    Part{"hnorm", "", Kind::norm},
    Part{"shared_head.norm", "", Kind::norm},
    Part{"shared_head.head", "", Kind::head},
    Part{"embed_tokens", "", Kind::embedding},
};

constexpr std::array llama_parts = {Parts(attention), Parts(norms), Parts(dense)};
constexpr std::array qwen3_parts = {Parts(attention), Parts(query_key_norms), Parts(norms),
                                    Parts(dense)};
constexpr std::array qwen3_moe_parts = {Parts(attention), Parts(query_key_norms), Parts(norms),
                                        Parts(dense), Parts(experts)};
constexpr std::array qwen3_5_moe_parts = {
    Parts(attention), Parts(query_key_norms), Parts(post_norms),         Parts(linear_attention),
    Parts(experts),   Parts(fused_experts),   Parts(qwen_shared_expert),
};
constexpr std::array qwen2_moe_parts = {Parts(attention), Parts(norms), Parts(dense),
                                        Parts(experts), Parts(qwen_shared_expert)};
constexpr std::array mixtral_parts = {Parts(attention), Parts(norms), Parts(mixtral_experts)};
constexpr std::array deepseek_parts = {Parts(latent_attention), Parts(norms), Parts(dense),
                                       Parts(experts), Parts(deepseek_shared_experts)};
constexpr std::array gpt_oss_parts = {Parts(attention), Parts(post_norms), Parts(gpt_oss_experts)};

constexpr std::array known_families = {
    Family{.model_type = "llama", .parts = llama_parts},
    Family{.model_type = "qwen2", .parts = llama_parts},
    Family{.model_type = "qwen2_moe", .parts = qwen2_moe_parts},
    Family{.model_type = "qwen3", .parts = qwen3_parts},
    Family{.model_type = "qwen3_moe", .parts = qwen3_moe_parts},
    Family{.model_type = "qwen3_5_moe", .parts = qwen3_5_moe_parts, .multimodal = true},
    Family{.model_type = "qwen3_5_moe_text", .parts = qwen3_5_moe_parts, .multimodal = true},
    Family{.model_type = "mixtral", .parts = mixtral_parts},
    Family{.model_type = "deepseek_v3",
           .parts = deepseek_parts,
           .trailing_predictor = true,
           .block_scales = true,
           .plain_router = true},
    Family{.model_type = "gpt_oss", .parts = gpt_oss_parts},
};

}  // namespace

const Family* find_family(std::string_view model_type) {
  const auto family = std::ranges::find(known_families, model_type, &Family::model_type);
  return family == known_families.end() ? nullptr : &*family;
}

std::span<const Family> families() {
  return known_families;
}

const Part* find_part(std::span<const Parts> parts, std::string_view name) {
  for (const auto group : parts) {
    const auto part = std::ranges::find(group, name, &Part::name);
    if (part != group.end()) return &*part;
  }
  return nullptr;
}

Parts top_parts() {
  return top;
}

Parts predictor_parts(const Family& family) {
  if (family.multimodal) return qwen_predictor;
  if (family.trailing_predictor) return deepseek_predictor;
  return {};
}

}  // namespace moesweep::names
