#include "small_models.hpp"

#include <fmt/format.h>

namespace moesweep::names::test {
namespace {

constexpr std::int64_t hidden = 64;
constexpr std::int64_t inner = 96;
constexpr std::int64_t experts = 4;

class Builder {
 public:
  explicit Builder(std::string model_type, std::int64_t layers) {
    model_.architecture = {.model_type = std::move(model_type), .layers = layers};
    add("model.embed_tokens.weight", {1000, hidden});
    add("model.norm.weight", {hidden});
    add("lm_head.weight", {1000, hidden});
  }

  void add(std::string name, std::vector<std::int64_t> shape) {
    model_.tensors.push_back({std::move(name), std::move(shape)});
  }
  void add_norms(const std::string& layer) {
    add(layer + "input_layernorm.weight", {hidden});
    add(layer + "post_attention_layernorm.weight", {hidden});
  }
  void add_attention(const std::string& layer, bool bias, bool output_bias = false) {
    for (const auto* projection : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      add(fmt::format("{}self_attn.{}.weight", layer, projection), {hidden, hidden});
      const bool is_output = projection == std::string("o_proj");
      if (is_output ? output_bias : bias) {
        add(fmt::format("{}self_attn.{}.bias", layer, projection), {hidden});
      }
    }
  }
  void add_query_key_norms(const std::string& layer) {
    add(layer + "self_attn.q_norm.weight", {16});
    add(layer + "self_attn.k_norm.weight", {16});
  }
  void add_mlp(const std::string& prefix) {
    add(prefix + "gate_proj.weight", {inner, hidden});
    add(prefix + "up_proj.weight", {inner, hidden});
    add(prefix + "down_proj.weight", {hidden, inner});
  }
  void add_experts(const std::string& layer) {
    model_.architecture.experts = experts;
    add(layer + "mlp.gate.weight", {experts, hidden});
    for (std::int64_t i = 0; i < experts; ++i) add_mlp(fmt::format("{}mlp.experts.{}.", layer, i));
  }
  Model& model() { return model_; }

 private:
  Model model_;
};

std::string layer_prefix(std::int64_t layer) {
  return fmt::format("model.layers.{}.", layer);
}

Model dense(const std::string& model_type, bool bias, bool norms) {
  Builder builder(model_type, 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto layer = layer_prefix(i);
    builder.add_norms(layer);
    builder.add_attention(layer, bias);
    if (norms) builder.add_query_key_norms(layer);
    builder.add_mlp(layer + "mlp.");
  }
  return builder.model();
}

void add_latent_attention(Builder& builder, const std::string& layer) {
  const auto name = [&](const char* part) { return layer + "self_attn." + part; };
  builder.add(name("q_a_proj.weight"), {32, hidden});
  builder.add(name("q_a_layernorm.weight"), {32});
  builder.add(name("q_b_proj.weight"), {96, 32});
  builder.add(name("kv_a_proj_with_mqa.weight"), {40, hidden});
  builder.add(name("kv_a_layernorm.weight"), {32});
  builder.add(name("kv_b_proj.weight"), {128, 32});
  builder.add(name("o_proj.weight"), {hidden, 64});
}

void add_block_scales(Builder& builder) {
  std::vector<Tensor> scales;
  for (const auto& [name, shape] : builder.model().tensors) {
    const bool is_quantized = name.find("proj") != std::string::npos && shape.size() == 2;
    if (is_quantized && name.find("eh_proj") == std::string::npos) {
      scales.push_back({name + "_scale_inv", {1, 1}});
    }
  }
  for (auto& [name, shape] : scales) builder.add(std::move(name), std::move(shape));
}

}  // namespace

Model llama(bool tied) {
  auto model = dense("llama", false, false);
  model.architecture.tied_embeddings = tied;
  model.tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", {8}});
  return model;
}

Model qwen2() {
  return dense("qwen2", true, false);
}

Model qwen3() {
  return dense("qwen3", false, true);
}

Model qwen2_moe() {
  Builder builder("qwen2_moe", 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto layer = layer_prefix(i);
    builder.add_norms(layer);
    builder.add_attention(layer, true);
    builder.add_experts(layer);
    builder.add_mlp(layer + "mlp.shared_expert.");
    builder.add(layer + "mlp.shared_expert_gate.weight", {1, hidden});
  }
  return builder.model();
}

Model qwen3_moe() {
  Builder builder("qwen3_moe", 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto layer = layer_prefix(i);
    builder.add_norms(layer);
    builder.add_attention(layer, false);
    builder.add_query_key_norms(layer);
    if (i == 0) {
      builder.add_mlp(layer + "mlp.");
    } else {
      builder.add_experts(layer);
    }
  }
  return builder.model();
}

Model mixtral() {
  Builder builder("mixtral", 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto layer = layer_prefix(i);
    builder.add_norms(layer);
    builder.add_attention(layer, false);
    builder.add(layer + "block_sparse_moe.gate.weight", {experts, hidden});
    for (std::int64_t e = 0; e < experts; ++e) {
      const auto expert = fmt::format("{}block_sparse_moe.experts.{}.", layer, e);
      builder.add(expert + "w1.weight", {inner, hidden});
      builder.add(expert + "w2.weight", {hidden, inner});
      builder.add(expert + "w3.weight", {inner, hidden});
    }
  }
  builder.model().architecture.experts = experts;
  return builder.model();
}

Model deepseek_v3() {
  Builder builder("deepseek_v3", 3);
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto layer = layer_prefix(i);
    builder.add_norms(layer);
    add_latent_attention(builder, layer);
    if (i == 0) {
      builder.add_mlp(layer + "mlp.");
    } else {
      builder.add_experts(layer);
      builder.add(layer + "mlp.gate.e_score_correction_bias", {experts});
      builder.add_mlp(layer + "mlp.shared_experts.");
    }
  }
  const auto predictor = layer_prefix(3);
  builder.add(predictor + "eh_proj.weight", {hidden, 2 * hidden});
  builder.add(predictor + "enorm.weight", {hidden});
  builder.add(predictor + "hnorm.weight", {hidden});
  builder.add(predictor + "shared_head.norm.weight", {hidden});
  builder.add(predictor + "shared_head.head.weight", {1000, hidden});
  builder.add(predictor + "embed_tokens.weight", {1000, hidden});
  add_block_scales(builder);
  return builder.model();
}

Model gpt_oss(bool mxfp4) {
  Builder builder("gpt_oss", 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto layer = layer_prefix(i);
    builder.add_norms(layer);
    builder.add_attention(layer, true, true);
    builder.add(layer + "self_attn.sinks", {4});
    builder.add(layer + "mlp.router.weight", {experts, hidden});
    builder.add(layer + "mlp.router.bias", {experts});
    builder.add(layer + "mlp.experts.gate_up_proj_bias", {experts, 2 * inner});
    builder.add(layer + "mlp.experts.down_proj_bias", {experts, hidden});
    if (mxfp4) {
      builder.add(layer + "mlp.experts.gate_up_proj_blocks", {experts, 2 * inner, 2, 16});
      builder.add(layer + "mlp.experts.gate_up_proj_scales", {experts, 2 * inner, 2});
      builder.add(layer + "mlp.experts.down_proj_blocks", {experts, hidden, 3, 16});
      builder.add(layer + "mlp.experts.down_proj_scales", {experts, hidden, 3});
    } else {
      builder.add(layer + "mlp.experts.gate_up_proj", {experts, hidden, 2 * inner});
      builder.add(layer + "mlp.experts.down_proj", {experts, inner, hidden});
    }
  }
  builder.model().architecture.experts = experts;
  return builder.model();
}

std::vector<Model> all_models() {
  return {llama(), qwen2(), qwen2_moe(), qwen3(), qwen3_moe(), mixtral(), deepseek_v3(), gpt_oss()};
}

}  // namespace moesweep::names::test
