#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/shape.hpp>

namespace moesweep {

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace moesweep
