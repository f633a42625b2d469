#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <moesweep/base/error.hpp>
#include <moesweep/base/shape.hpp>
#include <moesweep/names/experts.hpp>
#include <moesweep/names/role.hpp>
#include <moesweep/source/expert_axes.hpp>

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

std::optional<ExpertAxes> axes_by_shape(const Stacks& stacks, std::int64_t hidden_size) {
  if (stacks.gate_up != nullptr && stacks.down != nullptr) {
    return axes_of_pair(*stacks.gate_up, *stacks.down);
  }
  for (const auto* stack : stacks.all()) {
    if (const auto axes = axes_by_hidden_size(*stack, stack == stacks.down, hidden_size)) {
      return axes;
    }
  }
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

void require_family(const Stacks& stacks, ExpertAxes by_shape, ExpertAxes by_family,
                    const std::string& model_type) {
  if (by_shape == by_family) return;
  throw Error(ExitCode::bad_input, stacks.all().front()->name,
              fmt::format("by its shapes the layer's experts are {}, and {} stores them as {}: {}",
                          names::text_of(by_shape), model_type, names::text_of(by_family),
                          shapes_of(stacks)),
              "check model_type in config.json (or --architecture), and that the checkpoint was "
              "converted for it");
}

}  // namespace

std::vector<std::string> orient_experts(Checkpoint& checkpoint, const ModelConfig& config,
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
  std::vector<std::string> transposed;
  for (const auto& [module, stacks] : layers) {
    const auto by_shape = axes_by_shape(stacks, config.hidden_size);
    if (by_shape && by_family) {
      require_family(stacks, *by_shape, *by_family, config.model_type);
    }
    if (by_shape.value_or(by_family.value_or(ExpertAxes::out_in)) == ExpertAxes::out_in) continue;
    for (auto* stack : stacks.all()) {
      std::swap(stack->shape[1], stack->shape[2]);
      stack->is_transposed = true;
      transposed.push_back(stack->name);
    }
  }
  return transposed;
}

}  // namespace moesweep::source
