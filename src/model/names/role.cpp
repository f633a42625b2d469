#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include <moesweep/model/names/role.hpp>

#include "components.hpp"

namespace moesweep::names {
namespace {

using Components = std::vector<std::string_view>;

struct Known {
  std::string_view component;
  Role role;
};

constexpr std::array role_names = {
    std::string_view("embedding"), std::string_view("head"),
    std::string_view("norm"),      std::string_view("router"),
    std::string_view("expert"),    std::string_view("shared_expert"),
    std::string_view("attention"), std::string_view("linear_attention"),
    std::string_view("mlp"),       std::string_view("convolution"),
    std::string_view("vision"),    std::string_view("bias"),
    std::string_view("pooler"),    std::string_view("classifier"),
    std::string_view("buffer"),    std::string_view("other"),
};

// What a module is called; the last one in a name decides.
constexpr std::array modules = {
    Known{"embed_tokens", Role::embedding},
    Known{"tok_embeddings", Role::embedding},
    Known{"word_embeddings", Role::embedding},
    Known{"position_embeddings", Role::embedding},
    Known{"token_type_embeddings", Role::embedding},
    Known{"embeddings", Role::embedding},
    Known{"embedding", Role::embedding},
    Known{"embed_in", Role::embedding},
    Known{"wte", Role::embedding},
    Known{"wpe", Role::embedding},
    Known{"lm_head", Role::head},
    Known{"shared_head", Role::head},
    Known{"embed_out", Role::head},
    Known{"classifier", Role::classifier},
    Known{"score", Role::classifier},
    Known{"pooler", Role::pooler},
    Known{"router", Role::router},
    Known{"shared_expert_gate", Role::router},
    Known{"shared_expert", Role::shared_expert},
    Known{"shared_experts", Role::shared_expert},
    Known{"shared_mlp", Role::shared_expert},
    Known{"self_attn", Role::attention},
    Known{"self_attention", Role::attention},
    Known{"cross_attn", Role::attention},
    Known{"attn", Role::attention},
    Known{"attention", Role::attention},
    Known{"SelfAttention", Role::attention},
    Known{"EncDecAttention", Role::attention},
    Known{"linear_attn", Role::linear_attention},
    Known{"linear_attention", Role::linear_attention},
    Known{"delta_net", Role::linear_attention},
    Known{"mamba", Role::linear_attention},
    Known{"ssm", Role::linear_attention},
    Known{"mlp", Role::mlp},
    Known{"ffn", Role::mlp},
    Known{"feed_forward", Role::mlp},
    Known{"block_sparse_moe", Role::mlp},
    Known{"moe", Role::mlp},
    Known{"intermediate", Role::mlp},
    Known{"DenseReluDense", Role::mlp},
};

// What a projection is called, for names whose modules say nothing.
constexpr std::array projections = {
    Known{"q_proj", Role::attention},
    Known{"k_proj", Role::attention},
    Known{"v_proj", Role::attention},
    Known{"o_proj", Role::attention},
    Known{"qkv_proj", Role::attention},
    Known{"qkv", Role::attention},
    Known{"out_proj", Role::attention},
    Known{"query_key_value", Role::attention},
    Known{"gate_proj", Role::mlp},
    Known{"up_proj", Role::mlp},
    Known{"gate_up_proj", Role::mlp},
    Known{"down_proj", Role::mlp},
    Known{"fc1", Role::mlp},
    Known{"fc2", Role::mlp},
    Known{"w1", Role::mlp},
    Known{"w2", Role::mlp},
    Known{"w3", Role::mlp},
};

// A vision tower and what joins it to the language model.
constexpr std::array<std::string_view, 8> vision_modules = {
    "visual",         "vision",      "vision_model", "vision_tower",
    "vision_encoder", "patch_embed", "mm_projector", "multi_modal_projector",
};

constexpr std::array<std::string_view, 8> scale_suffixes = {
    "_scale", "_scales", "_scale_inv", "_scale_2", "scales", "qzeros", "g_idx", "biases"};

bool is_bias(std::string_view component) {
  return component == "bias" || component.ends_with("_bias");
}

// Scales, zero points and permutations of weights that are quantized already.
bool is_scale(std::string_view component) {
  return std::any_of(scale_suffixes.begin(), scale_suffixes.end(),
                     [&](std::string_view suffix) { return component.ends_with(suffix); });
}

bool is_vector(std::span<const std::int64_t> shape) {
  return std::count_if(shape.begin(), shape.end(), [](std::int64_t side) { return side > 1; }) <= 1;
}

bool ends_with_norm(std::string_view word) {
  return word.ends_with("norm") || word.ends_with("Norm");
}

// norm, norm1, input_layernorm, LayerNorm, q_norm, enorm; of vectors also pre_fc_norm_hidden and
// ln_f.
bool is_norm(std::string_view component, std::span<const std::int64_t> shape) {
  while (!component.empty()) {
    const auto underscore = component.find('_');
    auto word = component.substr(0, underscore);
    while (!word.empty() && is_digit(word.back())) word.remove_suffix(1);
    const bool last_word = underscore == std::string_view::npos;
    const bool norm = ends_with_norm(word) || word == "ln";
    if (norm && (last_word || is_vector(shape))) return true;
    if (last_word) return false;
    component.remove_prefix(underscore + 1);
  }
  return false;
}

bool is_convolution(std::string_view component) {
  while (!component.empty() && is_digit(component.back())) component.remove_suffix(1);
  return component == "conv" || component == "conv1d" || component == "conv2d" ||
         component == "conv3d" || component.ends_with("_conv") || component.ends_with("_conv1d");
}

template <typename Table>
std::optional<Role> find(std::string_view component, const Table& table) {
  const auto known = std::find_if(table.begin(), table.end(), [&](const Known& candidate) {
    return candidate.component == component;
  });
  if (known == table.end()) return std::nullopt;
  return known->role;
}

std::optional<Role> module_role(const Components& components, std::size_t i,
                                std::span<const std::string> expert_patterns) {
  const auto component = components[i];
  if (is_one_of(component, expert_patterns)) return Role::expert;
  if (is_convolution(component)) return Role::convolution;
  if (component == "gate") {
    // Attention has gates of its own; the gate of a mixture of experts is its router.
    for (auto parent = i; parent-- > 0;) {
      const auto role = find(components[parent], modules);
      if (role == Role::attention || role == Role::linear_attention) return role;
    }
    return Role::router;
  }
  // RoBERTa's output head transforms before it predicts: lm_head.dense is no head.
  if (component == "lm_head" && i + 1 < components.size()) {
    const auto next = components[i + 1];
    if (next != "weight" && next != "decoder") return Role::other;
  }
  // BERT's second matrix of the MLP: encoder.layer.3.output.dense.
  if (component == "output" && i > 0 && is_index(components[i - 1])) return Role::mlp;
  return find(component, modules);
}

bool is_named_stack(const Components& components) {
  // granitemoe's experts have no list: block_sparse_moe.input_linear.weight is [E, 2 x I, H].
  const auto parent = std::ranges::find(components, "block_sparse_moe");
  if (parent == components.end() || std::next(parent) == components.end()) return false;
  return *std::next(parent) == "input_linear" || *std::next(parent) == "output_linear";
}

}  // namespace

std::string_view role_name(Role role) {
  return role_names[static_cast<std::size_t>(role)];
}

Role role_of(std::string_view name, std::span<const std::int64_t> shape,
             std::span<const std::string> expert_patterns) {
  const auto components = components_of(name);
  const auto last = components.back();
  if (is_bias(last)) return Role::bias;
  if (is_norm(owner_of(components), shape)) return Role::norm;
  if (is_scale(last)) return Role::other;
  for (const auto component : components) {
    if (is_one_of(component, vision_modules)) return Role::vision;
  }
  if (shape.size() == 3 && is_named_stack(components)) return Role::expert;
  for (auto i = components.size(); i-- > 0;) {
    if (const auto role = module_role(components, i, expert_patterns)) return *role;
  }
  for (auto i = components.size(); i-- > 0;) {
    if (const auto role = find(components[i], projections)) return *role;
  }
  // Whole names: elsewhere these components are parts of a block. Heads of Meta's layout, RWKV and
  // ChatGLM; the embedding of T5 and BART.
  constexpr std::array<std::string_view, 3> heads = {"output.weight", "head.weight",
                                                     "transformer.output_layer.weight"};
  constexpr std::array<std::string_view, 2> embeddings = {"shared.weight", "model.shared.weight"};
  if (is_one_of(name, heads)) return Role::head;
  return is_one_of(name, embeddings) ? Role::embedding : Role::other;
}

Role role_of(std::string_view name, std::span<const std::int64_t> shape, Dtype dtype,
             std::span<const std::string> expert_patterns) {
  return is_integer(dtype) ? Role::buffer : role_of(name, shape, expert_patterns);
}

bool is_expert_stack(std::string_view name, std::span<const std::int64_t> shape,
                     std::span<const std::string> expert_patterns) {
  constexpr std::int64_t least_side = 32;
  if (shape.size() != 3 || std::min(shape[1], shape[2]) < least_side) return false;
  const auto components = components_of(name);
  return is_named_stack(components) ||
         std::any_of(components.begin(), components.end(), [&](std::string_view component) {
           return is_one_of(component, expert_patterns);
         });
}

}  // namespace moesweep::names
