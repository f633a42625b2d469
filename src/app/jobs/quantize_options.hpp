#pragma once
// Options of jobs that write a quantized checkpoint.

#include <vector>

#include <moesweep/core/config/option.hpp>

namespace moesweep::config {

std::vector<Option> quantize_options();

}  // namespace moesweep::config
