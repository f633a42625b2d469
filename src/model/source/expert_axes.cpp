#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/model/names/experts.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/model/source/expert_axes.hpp>

namespace moesweep::source {
namespace {

using checkpoint::Checkpoint;
using checkpoint::Tensor;
using names::ExpertAxes;
using names::ExpertProjection;

/// The stacks of one layer.
struct Stacks {
  Tensor* gate_up = nullptr;
  Tensor* down = nullptr;
  std::vector<Tensor*> others;  ///< gate and up by themselves

  std::vector<Tensor*> all() const {
    auto stacks = others;
    for (auto* stack : {gate_up, down}) {
      if (stack != nullptr) stacks.push_back(stack);
    }
    return stacks;
  }
};

/// What is before the expert matrices: "model.layers.3.mlp.experts".
std::string module_of(const std::string& name, const std::vector<std::string>& patterns) {
  for (std::size_t begin = 0; begin <= name.size();) {
    auto end = name.find('.', begin);
    if (end == std::string::npos) end = name.size();
    if (std::ranges::find(patterns, name.substr(begin, end - begin)) != patterns.end()) {
      return name.substr(0, end);
    }
    begin = end + 1;
  }
  return name.substr(0, name.rfind('.'));
}

/// By the shapes [E, a, b] of gate_up and [E, c, d] of down: a = 2 d and b = c, or a = d and b = 2
/// c.
std::optional<ExpertAxes> axes_of_pair(const Tensor& gate_up, const Tensor& down) {
  const auto a = gate_up.shape[1];
  const auto b = gate_up.shape[2];
  const auto c = down.shape[1];
  const auto d = down.shape[2];
  if (a == 2 * d && b == c) return ExpertAxes::out_in;
  if (a == d && b == 2 * c) return ExpertAxes::in_out;
  return std::nullopt;
}

/// By the side that faces the rest of the model; nothing for square matrices and unknown sizes.
std::optional<ExpertAxes> axes_by_hidden_size(const Tensor& stack, bool is_down,
                                              std::int64_t hidden_size) {
  const auto rows = stack.shape[1];
  const auto columns = stack.shape[2];
  if (hidden_size == 0 || rows == columns) return std::nullopt;
  if (columns == hidden_size) return is_down ? ExpertAxes::in_out : ExpertAxes::out_in;
  if (rows == hidden_size) return is_down ? ExpertAxes::out_in : ExpertAxes::in_out;
  return std::nullopt;
}

std::string shapes_of(const Stacks& stacks) {
  std::string text;
  for (const auto* stack : stacks.all()) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} [{}]", stack->name, shape_text(stack->shape));
  }
  return text;
}

[[noreturn]] void refuse_shapes(const Stacks& stacks, const std::string& problem) {
  throw Error(ExitCode::bad_input, stacks.all().front()->name,
              fmt::format("{}: {}", problem, shapes_of(stacks)),
              "check model_type and hidden_size in config.json, and that the checkpoint was "
              "converted for it");
}

/// Nothing where the shapes do not tell. Refuses shapes of which no order of axes makes sense, when
/// they are those `of_a_model`: of a scaled twin they may be anything.
std::optional<ExpertAxes> axes_by_shape(const Stacks& stacks, std::int64_t hidden_size,
                                        bool of_a_model) {
  if (stacks.gate_up != nullptr && stacks.down != nullptr) {
    const auto axes = axes_of_pair(*stacks.gate_up, *stacks.down);
    if (!axes && of_a_model)
      refuse_shapes(stacks, "gate_up and down of a layer do not fit each other");
    return axes;
  }
  std::optional<ExpertAxes> axes;
  for (const auto* stack : stacks.all()) {
    const auto own = axes_by_hidden_size(*stack, stack == stacks.down, hidden_size);
    if (own && axes && *own != *axes) {
      refuse_shapes(stacks, "the layer's experts are stored in both orders of axes");
    }
    if (own) axes = own;
  }
  return axes;
}

void require_family(const Stacks& stacks, ExpertAxes by_shape, ExpertAxes by_family,
                    const std::string& model_type) {
  if (by_shape == by_family) return;
  refuse_shapes(stacks,
                fmt::format("by its shapes the layer's experts are {}, and {} stores them "
                            "as {}",
                            names::text_of(by_shape), model_type, names::text_of(by_family)));
}

/// Of the inputs of a layer: config.json's, else a row of the embedding.
std::int64_t hidden_size_of(const Checkpoint& checkpoint, const ModelConfig& config) {
  if (config.hidden_size > 0) return config.hidden_size;
  for (const auto& tensor : checkpoint.tensors) {
    if (tensor.name.ends_with("embed_tokens.weight") && tensor.shape.size() == 2) {
      return tensor.shape[1];
    }
  }
  return 0;
}

}  // namespace

OrientedExperts orient_experts(Checkpoint& checkpoint, const ModelConfig& config,
                               const std::vector<std::string>& expert_patterns) {
  std::map<std::string, Stacks> layers;
  for (auto& tensor : checkpoint.tensors) {
    // Codes and blocks have shapes of their own.
    if (!is_floating_point(tensor.dtype) || tensor.is_transposed ||
        !names::is_expert_stack(tensor.name, tensor.shape, expert_patterns)) {
      continue;
    }
    const auto projection = names::expert_projection_of(tensor.name);
    if (!projection) continue;
    auto& stacks = layers[module_of(tensor.name, expert_patterns)];
    if (*projection == ExpertProjection::gate_up) {
      stacks.gate_up = &tensor;
    } else if (*projection == ExpertProjection::down) {
      stacks.down = &tensor;
    } else {
      stacks.others.push_back(&tensor);
    }
  }
  const auto by_family = names::expert_axes_of(config.model_type);
  const auto hidden_size = hidden_size_of(checkpoint, config);
  // What `moesweep twin` writes is scaled, side by side: its shapes are in no proportion.
  const bool is_twin = config.model_type == "moesweep_twin";
  const bool of_a_model = !is_twin && (!config.model_type.empty() || config.hidden_size > 0);
  OrientedExperts oriented;
  for (const auto& [module, stacks] : layers) {
    const auto by_shape = axes_by_shape(stacks, hidden_size, of_a_model);
    if (!by_shape && !by_family && of_a_model)
      oriented.assumed.push_back(stacks.all().front()->name);
    if (by_shape && by_family) {
      require_family(stacks, *by_shape, *by_family, config.model_type);
    }
    if (by_shape.value_or(by_family.value_or(ExpertAxes::out_in)) == ExpertAxes::out_in) continue;
    for (auto* stack : stacks.all()) {
      std::swap(stack->shape[1], stack->shape[2]);
      stack->is_transposed = true;
      oriented.transposed.push_back(stack->name);
    }
  }
  return oriented;
}

}  // namespace moesweep::source
