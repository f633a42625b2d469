#pragma once
// The parts of the job file's table; each stands with what it is about.

#include <vector>

#include <moesweep/core/config/option.hpp>

namespace moesweep::jobs {

/// The checkpoint that sensitivity and quantize read.
std::vector<config::Option> checkpoint_options();
std::vector<config::Option> sensitivity_options();
/// heads, suppression, probes and pipeline: sweeps over cached hidden states.
std::vector<config::Option> hidden_options();
/// quality_safety, and the quality stage of a pipeline.
std::vector<config::Option> quality_options();
std::vector<config::Option> quantize_options();

}  // namespace moesweep::jobs
