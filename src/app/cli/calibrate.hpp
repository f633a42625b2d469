#pragma once

#include <string>

#include "command.hpp"

namespace moesweep::cli {

struct CalibrateOptions {
  std::string read_from;
  std::string out;  ///< empty: standard output
  int threads = 0;  ///< 0: all CPUs
};

/// Measures this node and writes its rates as a cluster profile.
void calibrate(const CalibrateOptions& options, const Context& context);

}  // namespace moesweep::cli
