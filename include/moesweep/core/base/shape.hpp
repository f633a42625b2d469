#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace moesweep {

/// "512x2048x4096": sizes, outermost first. Empty for a scalar.
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace moesweep
