#pragma once

#include <string>

namespace moesweep::cli {

/// "moesweep 0.2.0 (GNU 12.2.0)"
std::string build_description();

}  // namespace moesweep::cli
