#pragma once
// One function a runtime: where a tensor of a known architecture goes.

#include "place.hpp"

namespace moesweep::names {

struct Question {
  const Family& family;
  const Architecture& architecture;
  const Place& place;  ///< of a part, or in a vision tower
  std::string_view name;
  std::span<const std::int64_t> shape;
};

Mapping map_to_mlx(const Question& question);
Mapping map_to_gguf(const Question& question);
Mapping map_to_vllm(const Question& question);

Mapping dropped(std::string reason);
Mapping unmapped(std::string reason);
Mapping kept(RuntimeTensor target, std::string reason);
Mapping quantized(RuntimeTensor target);

/// kept(), with the reason, unless the leaf is a weight of the rank that its kind has and whose
/// rows are whole groups of `least_group`.
Mapping quantized_if_whole(const Question& question, std::vector<RuntimeTensor> targets,
                           std::int64_t least_group);

/// Is this a fused [E, 2I, H]?
bool has_halves(std::span<const std::int64_t> shape);
inline constexpr std::string_view no_halves =
    "no gate and up of the same size: [experts, 2 x intermediate, hidden] expected";

/// Gate and up of a fused [E, 2I, H], as targets with these modules. Unmapped when the shape has no
/// two halves.
Mapping halves(const Question& question, std::string gate_module, std::string up_module,
               std::string_view suffix, std::int64_t least_group);

}  // namespace moesweep::names
