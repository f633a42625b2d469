#pragma once
// Power sums of one short stretch of values on the active target.

#include <cstddef>

namespace moesweep::kernels {

/// Sums over a stretch, about `pivot` but for sum_squares (about zero).
struct PowerSums {
  double pivot = 0.0;
  double s1 = 0.0;
  double s2 = 0.0;
  double s3 = 0.0;
  double s4 = 0.0;
  double sum_squares = 0.0;
  double minimum = 0.0;
  double maximum = 0.0;
};

/// Of `count` >= 1 values, about 0. Where the mean is larger than the deviation, s2 to s4 would
/// lose digits when they are moved to it: then a second pass sums about the mean; the values should
/// stay in the first-level cache in between. The sum of up to 2^29 equal binary32 values and its
/// quotient by the count are exact in float64, so equal values have s1 = s2 = s3 = s4 = 0 about
/// their mean.
PowerSums power_sums(const float* values, std::size_t count);

}  // namespace moesweep::kernels
