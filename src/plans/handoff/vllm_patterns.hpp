#pragma once
// Modules of vLLM, by the names that they have in a checkpoint and once it is loaded.

#include <map>
#include <string>
#include <vector>

#include "plan_format.hpp"

namespace moesweep::handoff {

/// Patterns for all modules of each storage; those of kept modules under the empty one. With
/// `fused_names` they also match what vLLM calls projections that it joins (qkv_proj).
std::map<formats::Encoding, std::vector<std::string>> vllm_patterns(
    const plan::PlannedModules& planned, bool fused_names);

/// The storage that most modules have; of none when nothing is quantized.
formats::Encoding most_common(const plan::PlannedModules& planned);

/// Does the module belong to the experts of a layer? Then this is theirs, "....mlp.experts".
std::string experts_module(const plan::PlannedModules& planned, const std::string& module);

}  // namespace moesweep::handoff
