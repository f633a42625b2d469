#pragma once
// Which of a folder's safetensors files are the model, from their names alone.

#include <string>
#include <string_view>
#include <vector>

namespace moesweep::checkpoint {

inline constexpr std::string_view incomplete_remedy =
    "the checkpoint is incomplete: download or copy what is missing, or set "
    "checkpoint.allow_incomplete = true to take what is there";

struct ModelFiles {
  std::vector<std::string> model;    ///< in the given order
  std::vector<std::string> ignored;  ///< "adapter_model.safetensors (an adapter)"
};

/// Sorts out adapters, optimizer states, Apple's resource forks and, where other weights are there,
/// `consolidated*`: the same weights once more under the names of the original release.
ModelFiles model_files(const std::vector<std::string>& names);

/// The files that `model-00001-of-00003.safetensors` and the like promise and `names` (sorted)
/// lacks. Shards count from 1, or from 0 where a shard 0 is there.
std::vector<std::string> missing_shards(const std::vector<std::string>& names);

}  // namespace moesweep::checkpoint
