#pragma once
// The checkpoint that a job names: files, or a twin that is made when it is read.

#include <vector>

#include <moesweep/checkpoint/checkpoint.hpp>
#include <moesweep/config/settings.hpp>

namespace moesweep::pipeline {

checkpoint::Checkpoint open_swept_checkpoint(const config::Settings& settings);

/// Of each shard, header and size.
std::vector<config::InputHash> header_hashes(const checkpoint::Checkpoint& checkpoint);

}  // namespace moesweep::pipeline
