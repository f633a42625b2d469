#pragma once
// The options of sweeps over cached hidden states.

#include <vector>

#include <moesweep/core/config/option.hpp>

namespace moesweep::config {

std::vector<Option> hidden_options();

}  // namespace moesweep::config
