#pragma once
// The checkpoint that a job names: files, or a twin made from an inventory.

#include <vector>

#include <moesweep/core/config/settings.hpp>
#include <moesweep/model/source/model.hpp>

namespace moesweep::jobs {

/// checkpoint.path, or the twin of checkpoint.twin.inventory. Error(bad_input) for what
/// source::open_model refuses; codes are not refused yet.
source::Model open_swept_model(const config::Settings& settings);

/// One a shard: its header and size.
std::vector<config::InputHash> header_hashes(const checkpoint::Checkpoint& checkpoint);

}  // namespace moesweep::jobs
