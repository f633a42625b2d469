#pragma once
// A straight line through points by ordinary least squares.

#include <cstdint>
#include <span>

#include <moesweep/core/stats/undefined.hpp>

namespace moesweep::stats {

/// All NaN beside the count with fewer than two pairs or a constant x. A constant y has slope 0 and
/// no r2 (NaN): there is nothing to explain. Without scatter about the line (a constant y, two
/// pairs, points on a line to rounding) errors, t and p are NaN, and r2 of two pairs is.
struct Regression {
  std::int64_t count = 0;  ///< pairs without NaN; others are left out
  double slope = undefined;
  double intercept = undefined;
  double r2 = undefined;
  double slope_error = undefined;      ///< standard error, residual variance with divisor count - 2
  double intercept_error = undefined;  ///< standard error
  double slope_t = undefined;
  double slope_p = undefined;  ///< two-sided, Student's t with count - 2 degrees of freedom
};

/// y = intercept + slope x; x.size() == y.size().
Regression regress(std::span<const double> x, std::span<const double> y);

}  // namespace moesweep::stats
