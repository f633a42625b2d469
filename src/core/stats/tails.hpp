#pragma once

#include <cmath>
#include <limits>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace moesweep::stats {

inline double normal_cdf(double z) {
  return boost::math::cdf(boost::math::normal(), z);
}

/// The z that is exceeded with probability `upper_tail`, in (0, 1).
inline double normal_critical(double upper_tail) {
  return boost::math::quantile(boost::math::complement(boost::math::normal(), upper_tail));
}

/// P(T >= t) of Student's t; t may be infinite or NaN.
inline double student_upper_tail(double t, double freedom) {
  if (std::isnan(t)) return t;
  if (t == std::numeric_limits<double>::infinity()) return 0.0;
  if (t == -std::numeric_limits<double>::infinity()) return 1.0;
  return boost::math::cdf(boost::math::complement(boost::math::students_t(freedom), t));
}

inline double student_two_sided(double t, double freedom) {
  return 2.0 * student_upper_tail(std::fabs(t), freedom);  // the tail from 0 is exactly 1/2
}

}  // namespace moesweep::stats
