// llama.cpp: the names that convert_hf_to_gguf.py gives (gguf-py/gguf/tensor_mapping.py,
// constants.py, conversion/*.py) and what llama-quantize leaves as it is (src/llama-quant.cpp,
// tensor_allows_quantization). Read in ggml-org/llama.cpp.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

#include "runtimes.hpp"

namespace moesweep::names {
namespace {

// The smallest blocks; of rows that are no whole blocks llama-quantize makes F16.
constexpr std::int64_t least_group = 32;

struct NeverQuantized {
  std::string_view part;
  std::string_view reason;
};
constexpr std::array never_quantized = {
    NeverQuantized{"_norm.weight", "llama.cpp quantizes no norms"},
    NeverQuantized{"ffn_gate_inp.weight", "llama.cpp quantizes no routers"},
    NeverQuantized{"ssm_conv1d", "llama.cpp quantizes no convolutions"},
};

std::string_view why_never(const std::string& tensor) {
  for (const auto& [part, reason] : never_quantized) {
    if (tensor.find(part) != std::string::npos) return reason;
  }
  return {};
}

// ggml knows no leading axes of one element: [1, 4096] is a vector.
bool is_vector(std::span<const std::int64_t> shape) {
  return std::ranges::count_if(shape, [](std::int64_t side) { return side != 1; }) < 2;
}

std::string blk(std::int64_t layer, std::string_view name) {
  return fmt::format("blk.{}.{}", layer, name);
}

Mapping map_matrix(const Question& question, const RuntimeTensor& target) {
  const auto never = why_never(fmt::format("{}.{}", target.module, target.suffix));
  if (!never.empty()) return kept(target, std::string(never));
  if (is_vector(question.shape)) return kept(target, "llama.cpp quantizes no vectors");
  return quantized_if_whole(question, {target}, least_group);
}

Mapping map_vector(std::string_view name, std::int64_t block) {
  const auto dot = name.find('.');
  RuntimeTensor target{.module = blk(block, name.substr(0, dot)), .suffix = {}};
  if (dot != std::string_view::npos) target.suffix = name.substr(dot + 1);
  return kept(std::move(target), "llama.cpp quantizes no vectors");
}

Mapping map_latent(const Question& question, std::int64_t block, const RuntimeTensor& target) {
  if (question.place.leaf != "weight") return unmapped("llama.cpp knows no such leaf");
  auto mapping = kept(target, "llama.cpp splits it by heads and transposes the keys");
  mapping.targets.push_back({.module = blk(block, "attn_v_b"), .suffix = "weight"});
  return mapping;
}

Mapping map_gpt_oss_experts(const Part& part, std::int64_t block, const std::string& module) {
  const bool bias = part.name.ends_with("_bias");
  const std::string suffix = bias ? "bias" : "weight";
  const auto* reason = part.kind == Kind::transposed
                           ? "gate and up alternate in its outputs, which plans don't split"
                           : "is MXFP4 already, which llama.cpp takes as it is";
  auto mapping = kept({.module = module, .suffix = suffix}, bias ? "a bias is kept" : reason);
  if (part.gguf == "ffn_gate_exps") {
    mapping.targets.push_back({.module = blk(block, "ffn_up_exps"), .suffix = suffix});
  }
  return mapping;
}

Mapping map_part(const Question& question, std::int64_t block, const RuntimeTensor& target) {
  const auto& place = question.place;
  switch (place.part->kind) {
    case Kind::embedding:
    case Kind::head:
    case Kind::linear:
    case Kind::router:
    case Kind::norm:
    case Kind::convolution:
      return map_matrix(question, target);
    case Kind::vector:
      return map_vector(place.part->gguf, block);
    case Kind::expert: {
      auto slice = target;
      slice.stacked_at = place.expert;
      return quantized_if_whole(question, {slice}, least_group);
    }
    case Kind::fused_gate_up:
      return halves(question, target.module, blk(block, "ffn_up_exps"), "weight", least_group);
    case Kind::fused_down:
      return quantized_if_whole(question, {{.module = target.module, .suffix = "weight"}},
                                least_group);
    case Kind::latent:
      return map_latent(question, block, target);
    case Kind::interleaved:
    case Kind::packed_down:
    case Kind::transposed:
      return map_gpt_oss_experts(*place.part, block, target.module);
  }
  bug("a kind of tensor without a place in llama.cpp");
}

}  // namespace

Mapping map_to_gguf(const Question& question) {
  const auto& place = question.place;
  if (place.section == Section::vision) {
    return dropped("llama.cpp has vision towers in a file of their own (mmproj)");
  }
  const bool predictor =
      place.section == Section::predictor || place.section == Section::predictor_layer;
  if (predictor && question.family.trailing_predictor) {
    return dropped("llama.cpp converts no multi-token predictor of this architecture");
  }
  if (place.leaf == "weight_scale_inv") return dropped("the converter dequantizes FP8");
  auto block = place.layer;
  if (predictor) {
    const auto layers = question.architecture.layers;
    if (layers == 0) return unmapped("follows the last layer, and their number is unknown");
    block = layers + std::max<std::int64_t>(place.layer, 0);
  }
  const auto name = place.part->gguf;
  const auto module = place.section == Section::top ? std::string(name) : blk(block, name);
  return map_part(question, block, {.module = module, .suffix = std::string(place.leaf)});
}

}  // namespace moesweep::names
