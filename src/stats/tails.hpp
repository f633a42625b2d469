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

/// P(T >= t) of Student's t; t may be infinite.
inline double student_upper_tail(double t, double freedom) {
  if (t == std::numeric_limits<double>::infinity()) return 0.0;
  if (t == -std::numeric_limits<double>::infinity()) return 1.0;
  return boost::math::cdf(boost::math::complement(boost::math::students_t(freedom), t));
}

inline double student_two_sided(double t, double freedom) {
  return std::fmin(1.0, 2.0 * student_upper_tail(std::fabs(t), freedom));
}

}  // namespace moesweep::stats
