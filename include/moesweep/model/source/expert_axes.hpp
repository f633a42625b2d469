#pragma once
// Stacks of experts that are stored transposed: [E, in, out] where a Linear has [out, in].

#include <string>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/source/model_config.hpp>

namespace moesweep::source {

struct OrientedExperts {
  std::vector<std::string> transposed = {};  ///< names of stacks that are stored [E, in, out]
  /// One of each layer that is taken to be [E, out, in], as neither shapes nor the family that
  /// `config` names tell.
  std::vector<std::string> assumed = {};
};

/// Makes every stack of experts [E, out, in]: those that are stored [E, in, out] get their logical
/// shape and Tensor::is_transposed, so that whoever reads them gets rows of weights of one output.
/// Shapes decide: `gate_up` has twice as many outputs as `down` of the same layer has inputs,
/// single projections face the hidden size (of config.json, else of the embedding); the family
/// decides where shapes do not. Error(bad_input) naming all stacks of the layer when shapes
/// contradict each other or the family.
OrientedExperts orient_experts(checkpoint::Checkpoint& checkpoint, const ModelConfig& config,
                               const std::vector<std::string>& expert_patterns);

}  // namespace moesweep::source
