#pragma once
// A straight line through points by ordinary least squares.

#include <cstdint>
#include <span>

namespace moesweep::stats {

/// All NaN beside the count with fewer than two pairs or a constant x. A constant y has slope 0
/// with error 0 and p = 1, and no r2 (NaN): there is nothing to explain. Two pairs are met exactly
/// and leave errors and p NaN. An exact fit of more has t = +-infinity and p = 0.
struct Regression {
  std::int64_t count = 0;  ///< pairs without NaN; others are left out
  double slope = 0.0;
  double intercept = 0.0;
  double r2 = 0.0;
  double slope_error = 0.0;      ///< standard error, residual variance with divisor count - 2
  double intercept_error = 0.0;  ///< standard error
  double slope_t = 0.0;
  double slope_p = 0.0;  ///< two-sided, Student's t with count - 2 degrees of freedom
};

/// y = intercept + slope x; x.size() == y.size().
Regression regress(std::span<const double> x, std::span<const double> y);

}  // namespace moesweep::stats
