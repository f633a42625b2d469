#pragma once
// The checkpoint that a job names: files, or a twin made from an inventory.

#include <string>
#include <vector>

#include <moesweep/core/config/settings.hpp>
#include <moesweep/model/source/model.hpp>

namespace moesweep::jobs {

inline constexpr auto expert_patterns_key = "checkpoint.expert_patterns";

/// checkpoint.path, or the twin of checkpoint.twin.inventory. Error(bad_input) for what
/// source::open_model refuses; codes are not refused yet.
source::Model open_swept_model(const config::Settings& settings);
/// With other name components of expert stacks than checkpoint.expert_patterns.
source::Model open_swept_model(const config::Settings& settings,
                               const std::vector<std::string>& expert_patterns);

/// One a shard: its header and size.
std::vector<config::InputHash> header_hashes(const checkpoint::Checkpoint& checkpoint);

}  // namespace moesweep::jobs
