#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

namespace moesweep::stats {

inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// NaN of none.
inline double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

inline double squares_about(std::span<const double> values, double mean) {
  return std::accumulate(values.begin(), values.end(), 0.0, [&](double sum, double value) {
    return sum + (value - mean) * (value - mean);
  });
}

/// Asked of the values themselves: rounding of their mean may leave a variance that is not 0.
inline bool is_constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values.front(); });
}

}  // namespace moesweep::stats
