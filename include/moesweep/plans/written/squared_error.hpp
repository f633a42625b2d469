#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace moesweep::written {

/// Eight sums, so that additions do not wait for each other; always in this order.
double sum_of_squares(std::size_t count, auto value_at) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const double value = value_at(i + lane);
      sums[lane] += value * value;
    }
  }
  for (; i < count; ++i)
    sums[0] += static_cast<double>(value_at(i)) * static_cast<double>(value_at(i));
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Each difference is one binary32 step, squares and sums are float64.
inline double squared_error(std::span<const float> weights, std::span<const float> stored) {
  return sum_of_squares(weights.size(), [&](std::size_t i) { return weights[i] - stored[i]; });
}

}  // namespace moesweep::written
