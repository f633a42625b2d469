#pragma once
// What a tensor is for, from its Hugging Face name and shape.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moesweep::names {

enum class Role : std::uint8_t {
  embedding,
  head,
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
  other,
};

std::string_view role_name(Role role);

/// Role from the last matching component of the name; `expert_patterns` are component names that
/// mark routed experts (default {"experts"}). A bias or norm is one whatever it sits in.
Role role_of(std::string_view name, std::span<const std::int64_t> shape,
             std::span<const std::string> expert_patterns);

/// Layer index in a name like `model.layers.17.mlp...` or `blocks.3...`; -1 when there is none.
std::int64_t layer_of(std::string_view name);
/// Expert index in `...experts.17...`; -1 when fused or none.
std::int64_t expert_of(std::string_view name);

/// The name with every all-digit component replaced: layer indices by `{layer}`, expert indices by
/// `{expert}`, others by `{i}`.
std::string pattern_of(std::string_view name);

/// Is a tensor of this name and shape a stack [E, m, n] of expert matrices (DESIGN 8: rank 3, a
/// component in `expert_patterns`, min(m,n) >= 32)?
bool is_expert_stack(std::string_view name, std::span<const std::int64_t> shape,
                     std::span<const std::string> expert_patterns);

}  // namespace moesweep::names
