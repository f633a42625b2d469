#pragma once
// What tells mlx-lm how a checkpoint is quantized.

#include <nlohmann/json.hpp>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::handoff {

/// The keys that config.json of a checkpoint written so has: `quantization` and
/// `quantization_config`, each module by its path. Errors are those of export_plan for mlx-lm.
nlohmann::ordered_json mlx_config_keys(const records::Plan& plan,
                                       const names::Architecture& architecture,
                                       bool allow_unmapped);

}  // namespace moesweep::handoff
