#pragma once
// Keys of the quality-safety analysis.

#include <vector>

#include <moesweep/core/config/option.hpp>

namespace moesweep::config {

std::vector<Option> quality_options();

}  // namespace moesweep::config
