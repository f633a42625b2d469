#pragma once
// What a tensor is for, from its Hugging Face name and shape.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/dtype.hpp>

namespace moesweep::names {

enum class Role : std::uint8_t {
  embedding,
  head,  ///< output head: hidden states to logits over the vocabulary
  norm,
  router,
  expert,
  shared_expert,
  attention,
  linear_attention,
  mlp,
  convolution,
  vision,
  bias,
  pooler,      ///< of an encoder
  classifier,  ///< hidden states to a few classes or one score
  buffer,      ///< integers and booleans: no parameters
  other,
};

/// The enumerator as text, "linear_attention".
std::string_view role_name(Role role);

/// Role from the last component of the name that is a module (`experts`, `self_attn`, `mlp`), else
/// from the projection (`q_proj`, `w1`); `expert_patterns` are component names that mark routed
/// experts (default {"experts"}). A bias or norm is one whatever it sits in, and all else in a
/// vision tower is vision. Scales and zero points of quantized weights are `other`; the gates that
/// choose routed or weigh shared experts are `router`. The name alone never makes a `buffer`.
Role role_of(std::string_view name, std::span<const std::int64_t> shape,
             std::span<const std::string> expert_patterns);
/// The same of a tensor that is stored as numbers of its dtype: integers and booleans
/// (position_ids, masks) are a `buffer`, whatever their name.
Role role_of(std::string_view name, std::span<const std::int64_t> shape, Dtype dtype,
             std::span<const std::string> expert_patterns);

/// Layer index in a name like `model.layers.17.mlp...` or `blocks.3...`; -1 when there is none.
std::int64_t layer_of(std::string_view name);
/// How many layers a language model beside a predictor has at least, by the name of one of its
/// tensors (0 by others): llama.cpp puts the predictor behind them. For models without config.json.
std::int64_t layers_shown_by(std::string_view name);
/// Expert index in `...experts.17...`; -1 when fused or none. Layer and expert are the first such
/// index, and -1 when it exceeds 2^63-1.
std::int64_t expert_of(std::string_view name);

/// The name with every all-digit component replaced: layer indices by `{layer}`, expert indices by
/// `{expert}` (the ones that layer_of and expert_of give), others by `{i}`.
std::string pattern_of(std::string_view name);

/// Is a tensor of this name and shape a stack [E, m, n] of expert matrices (DESIGN 8: rank 3, a
/// component in `expert_patterns`, min(m,n) >= 32)?
bool is_expert_stack(std::string_view name, std::span<const std::int64_t> shape,
                     std::span<const std::string> expert_patterns);

}  // namespace moesweep::names
