// Axes as the parameters of transformers' modeling_<model_type>.py are declared
// (huggingface/transformers): [E, hidden, 2 x intermediate] where the forward pass multiplies from
// the right (Llama4TextExperts, Qwen3VLMoeTextExperts, GptOssExperts), [E, 2 x intermediate,
// hidden] where it calls F.linear (Qwen3_5MoeExperts, GraniteMoeParallelExperts).

#include <algorithm>
#include <array>

#include <moesweep/model/names/experts.hpp>

#include "components.hpp"

namespace moesweep::names {
namespace {

struct Known {
  std::string_view model_type;
  ExpertAxes axes;
};
constexpr std::array known_axes = {
    Known{"llama4", ExpertAxes::in_out},           Known{"llama4_text", ExpertAxes::in_out},
    Known{"qwen3_vl_moe", ExpertAxes::in_out},     Known{"qwen3_vl_moe_text", ExpertAxes::in_out},
    Known{"gpt_oss", ExpertAxes::in_out},          Known{"aria", ExpertAxes::in_out},
    Known{"aria_text", ExpertAxes::in_out},        Known{"qwen3_5_moe", ExpertAxes::out_in},
    Known{"qwen3_5_moe_text", ExpertAxes::out_in}, Known{"granitemoe", ExpertAxes::out_in},
    Known{"granitemoehybrid", ExpertAxes::out_in}, Known{"granitemoeshared", ExpertAxes::out_in},
};

constexpr std::array<std::string_view, 3> fused = {"gate_up_proj", "gate_up", "input_linear"};
constexpr std::array<std::string_view, 5> single = {"gate_proj", "up_proj", "w1", "w3", "fc1"};
constexpr std::array<std::string_view, 4> down = {"down_proj", "w2", "fc2", "output_linear"};

}  // namespace

std::string_view text_of(ExpertAxes axes) {
  return axes == ExpertAxes::out_in ? "[experts, out, in]" : "[experts, in, out]";
}

std::optional<ExpertAxes> expert_axes_of(std::string_view model_type) {
  const auto* found = std::ranges::find(known_axes, model_type, &Known::model_type);
  return found == known_axes.end() ? std::nullopt : std::optional(found->axes);
}

std::optional<ExpertProjection> expert_projection_of(std::string_view name) {
  const auto components = components_of(name);
  for (auto i = components.size(); i-- > 0;) {
    if (is_one_of(components[i], fused)) return ExpertProjection::gate_up;
    if (is_one_of(components[i], single)) return ExpertProjection::gate_or_up;
    if (is_one_of(components[i], down)) return ExpertProjection::down;
  }
  return std::nullopt;
}

}  // namespace moesweep::names
