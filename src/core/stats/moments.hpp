#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <moesweep/core/stats/undefined.hpp>

namespace moesweep::stats {

/// Differences of numbers are not told from rounding below this share of their size.
inline constexpr double rounding = 1e-12;

/// NaN of none.
inline double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

inline double squares_about(std::span<const double> values, double mean) {
  return std::accumulate(values.begin(), values.end(), 0.0, [&](double sum, double value) {
    return sum + (value - mean) * (value - mean);
  });
}

inline double largest_size(std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

/// Asked of the values themselves: rounding of their mean may leave a variance that is not 0, and
/// so may rounding of the values where they come from a computation.
inline bool is_constant(std::span<const double> values) {
  if (values.empty()) return true;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  // An infinite value makes the share NaN, which is not small.
  return *most == *least || (*most - *least) / largest_size(values) <= rounding;
}

/// Are the distances of the points from their least-squares line of this slope no more than
/// rounding of the points leaves? Then there is no scatter by which to judge the line.
inline bool fits_exactly(std::span<const double> x, std::span<const double> y, double slope,
                         double squared_distances) {
  const double rounded = rounding * (largest_size(y) + std::fabs(slope) * largest_size(x));
  return squared_distances <= static_cast<double>(x.size()) * rounded * rounded;
}

}  // namespace moesweep::stats
