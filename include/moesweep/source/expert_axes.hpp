#pragma once
// Stacks of experts that are stored transposed: [E, in, out] where a Linear has [out, in].

#include <string>
#include <vector>

#include <moesweep/checkpoint/checkpoint.hpp>
#include <moesweep/source/model_config.hpp>

namespace moesweep::source {

/// Makes every stack of experts [E, out, in]: those that are stored [E, in, out] get their logical
/// shape and Tensor::is_transposed, so that whoever reads them gets rows of weights of one output.
/// Shapes decide: `gate_up` has twice as many outputs as `down` of the same layer has inputs, and
/// both face the hidden size; the family decides where shapes do not. Error(bad_input) naming both
/// stacks when shapes and family contradict each other. Returns the names of transposed stacks.
std::vector<std::string> orient_experts(checkpoint::Checkpoint& checkpoint,
                                        const ModelConfig& config,
                                        const std::vector<std::string>& expert_patterns);

}  // namespace moesweep::source
