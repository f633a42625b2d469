#pragma once
// Difference of the means of two independent samples.

#include <moesweep/core/stats/summary.hpp>

namespace moesweep::stats {

/// With fewer than two values in a sample, and without variance in both, all but the difference is
/// NaN: nothing tells how far such means may be off. For shares see two_proportions.hpp.
struct Welch {
  double difference = undefined;  ///< mean of `a` less mean of `b`
  double standard_error = undefined;
  double freedom = undefined;  ///< Welch-Satterthwaite degrees of freedom
  double t = undefined;
  double p = undefined;  ///< two-sided
};

/// Welch's t test (Biometrika 34, 1947): variances need not be equal.
Welch welch_t(const Summary& a, const Summary& b);

/// Cohen's d: the difference a - b over the pooled standard deviation (Cohen 1988, equation
/// 2.5.2), variances weighted by count - 1. NaN without variance in both, and with fewer than two
/// values in a sample.
double cohens_d(const Summary& a, const Summary& b);

}  // namespace moesweep::stats
