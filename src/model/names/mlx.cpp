// mlx-lm: what `sanitize` in mlx_lm/models/<model_type>.py makes of a raw Hugging Face checkpoint,
// and which modules have `to_quantized` (Linear, Embedding, SwitchLinear). Read in
// ml-explore/mlx-lm: llama.py qwen2.py qwen3.py qwen3_moe.py qwen3_5.py qwen3_5_moe.py mixtral.py
// deepseek_v3.py gpt_oss.py, utils.py (quantize_model).

#include <array>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

#include "runtimes.hpp"

namespace moesweep::names {
namespace {

constexpr std::int64_t least_group = 32;

// "model.language_model.layers.0.mlp.gate" -> "language_model.model.layers.0.mlp.gate".
std::string module_of(const Question& question) {
  std::string_view module = question.place.module;
  if (!question.family.multimodal) return std::string(module);
  constexpr std::string_view beside_vision = "model.language_model.";
  if (module.starts_with(beside_vision)) {
    return fmt::format("language_model.model.{}", module.substr(beside_vision.size()));
  }
  return fmt::format("language_model.{}", module);
}

// "....mlp.experts.17.w1" -> "....mlp.switch_mlp.gate_proj".
std::string stack_of(const std::string& module, std::string_view projection) {
  const auto at = module.rfind(".experts.");
  return fmt::format("{}.switch_mlp.{}", module.substr(0, at), projection);
}

std::string_view projection_of(std::string_view module) {
  constexpr std::array<std::array<std::string_view, 2>, 3> old_names = {
      {{"w1", "gate_proj"}, {"w2", "down_proj"}, {"w3", "up_proj"}}};
  const auto last = module.substr(module.rfind('.') + 1);
  for (const auto& [old, projection] : old_names) {
    if (last == old) return projection;
  }
  return last;
}

Mapping map_norm(const Question& question, RuntimeTensor target) {
  // Qwen3.5 stores norms as differences from 1, except the one behind the delta rule.
  const bool shifted =
      question.family.multimodal && question.place.part->name != "linear_attn.norm";
  if (shifted && question.shape.size() == 1) target.transform = Transform::add_one;
  return kept(std::move(target), "a norm is kept");
}

// Gate and up lie in alternate rows, which no range of rows can say.
Mapping map_packed(const Question& question, const std::string& module) {
  const std::string_view name = question.place.part->name;
  const std::string_view suffix = name.ends_with("_blocks")   ? "weight"
                                  : name.ends_with("_scales") ? "scales"
                                                              : "bias";
  const auto experts = module.substr(0, module.rfind('.') + 1);
  const auto target = [&](std::string_view projection) {
    return RuntimeTensor{.module = experts + std::string(projection),
                         .suffix = std::string(suffix),
                         .transform = Transform::other};
  };
  if (question.place.part->kind == Kind::packed_down) {
    auto mapping = kept(target("down_proj"), "is MXFP4 already, which mlx-lm takes as it is");
    if (suffix != "weight") mapping.targets.front().transform = Transform::none;
    return mapping;
  }
  auto mapping = kept(target("gate_proj"),
                      "is MXFP4 already; mlx-lm gives alternate rows to gate_proj and up_proj");
  mapping.targets.push_back(target("up_proj"));
  return mapping;
}

Mapping map_latent(const Question& question, const std::string& module) {
  if (question.place.leaf != "weight") return unmapped("mlx-lm knows no such leaf");
  const auto attention = module.substr(0, module.rfind('.') + 1);
  Mapping mapping{Fate::mapped, {}, false, "mlx-lm splits it by heads and transposes the keys"};
  for (const auto* part : {"embed_q", "unembed_out"}) {
    mapping.targets.push_back(
        {.module = attention + part, .suffix = "weight", .transform = Transform::other});
  }
  return mapping;
}

Mapping map_convolution(const Question& question, RuntimeTensor target) {
  if (question.shape.size() == 3 && question.shape[2] != 1) {
    target.transform = Transform::last_axis_to_middle;
  }
  return kept(std::move(target), "mlx-lm quantizes no convolution");
}

Mapping map_experts(const Question& question, const std::string& module) {
  if (question.place.part->kind == Kind::fused_gate_up) {
    return halves(question, stack_of(module, "gate_proj"), stack_of(module, "up_proj"), "weight",
                  least_group);
  }
  const RuntimeTensor target{.module = stack_of(module, projection_of(module)),
                             .suffix = "weight",
                             .stacked_at = question.place.expert};
  return quantized_if_whole(question, {target}, least_group);
}

Mapping map_part(const Question& question) {
  const auto& place = question.place;
  const auto module = module_of(question);
  const RuntimeTensor target{.module = module, .suffix = std::string(place.leaf)};
  switch (place.part->kind) {
    case Kind::router:
      if (question.family.plain_router) return kept(target, "mlx-lm's router is no Linear here");
      [[fallthrough]];
    case Kind::embedding:
    case Kind::head:
    case Kind::linear:
      return quantized_if_whole(question, {target}, least_group);
    case Kind::norm:
      return map_norm(question, target);
    case Kind::vector:
      return kept(target, "a vector is kept");
    case Kind::convolution:
      return map_convolution(question, target);
    case Kind::expert:
    case Kind::fused_gate_up:
    case Kind::fused_down:
      return map_experts(question, module);
    case Kind::latent:
      return map_latent(question, module);
    case Kind::interleaved:
    case Kind::packed_down:
      return map_packed(question, module);
    case Kind::transposed:
      return unmapped("mlx-lm reads these experts as MXFP4 blocks only");
  }
  bug("a kind of tensor without a place in mlx-lm");
}

}  // namespace

Mapping map_to_mlx(const Question& question) {
  switch (question.place.section) {
    case Section::vision:
      return dropped("mlx-lm's text models have no vision tower");
    case Section::predictor:
    case Section::predictor_layer:
      return dropped("mlx-lm has no multi-token predictor");
    default:
      break;
  }
  if (question.place.leaf == "weight_scale_inv") {
    return dropped("mlx-lm dequantizes FP8 when it loads");
  }
  return map_part(question);
}

}  // namespace moesweep::names
