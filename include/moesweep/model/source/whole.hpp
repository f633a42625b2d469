#pragma once
// Is a checkpoint all of the model that its config.json promises?

#include <string>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/source/model_config.hpp>

namespace moesweep::source {

/// What is promised and not there, a sentence each: layers, experts of a layer, the output head of
/// a model that is not tied. Nothing is promised where config.json is silent: layers are counted by
/// the names of `layers.N` (of the list outside of vision towers that has most of them, so that
/// what lies beside it does not matter), experts where the checkpoint has some. A head is missed
/// where config.json says that it is not tied, or a family that names knows does not tie it unless
/// told, and the model predicts tokens.
std::vector<std::string> missing_parts(const checkpoint::Checkpoint& checkpoint,
                                       const ModelConfig& config,
                                       const std::vector<std::string>& expert_patterns);

}  // namespace moesweep::source
