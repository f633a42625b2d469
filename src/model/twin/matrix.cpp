#include "matrix.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>

#include <fmt/format.h>

#include <moesweep/core/base/hash.hpp>

namespace moesweep::twin {
namespace {

constexpr std::int64_t smallest_side = 32;

bool is_stack(const std::string& name, const std::vector<std::int64_t>& shape) {
  return shape.size() == 3 && std::min(shape[1], shape[2]) >= smallest_side &&
         ("." + name + ".").find(".experts.") != std::string::npos;
}

}  // namespace

MatrixShape matrix_shape(const std::string& name, const std::vector<std::int64_t>& shape) {
  if (shape.size() <= 1) return {1, 1, shape.empty() ? 1 : shape[0]};
  if (is_stack(name, shape)) return {shape[0], shape[1], shape[2]};
  return {1, shape[0],
          std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>())};
}

std::vector<std::int64_t> scaled_shape(const std::string& name,
                                       const std::vector<std::int64_t>& shape, std::int64_t scale) {
  auto scaled = shape;
  for (auto& side : scaled) {
    if (side > smallest_side) side = std::max(smallest_side, side / scale);
  }
  if (is_stack(name, shape)) scaled[0] = shape[0];
  return scaled;
}

PhiloxKey key_of(std::uint64_t seed, const std::string& name) {
  const auto hash = hash64(fmt::format("{}/{}", seed, name));
  return {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32U)};
}

}  // namespace moesweep::twin
