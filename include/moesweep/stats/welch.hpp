#pragma once
// Difference of the means of two independent samples.

#include <moesweep/stats/summary.hpp>

namespace moesweep::stats {

/// With fewer than two values in a sample all but the difference is NaN. Without variance in
/// either the standard error is 0 and the freedom NaN: equal means give t = 0 and p = 1, others
/// t = +-infinity and p = 0.
struct Welch {
  double difference = 0.0;  ///< mean of `a` less mean of `b`
  double standard_error = 0.0;
  double freedom = 0.0;  ///< Welch-Satterthwaite degrees of freedom
  double t = 0.0;
  double p = 0.0;  ///< two-sided
};

/// Welch's t test (Biometrika 34, 1947): variances need not be equal.
Welch welch_t(const Summary& a, const Summary& b);

/// Cohen's d: the difference a - b over the pooled standard deviation (Cohen 1988, equation
/// 2.5.2), variances weighted by count - 1. Without variance 0 for equal means, else +-infinity;
/// NaN with fewer than two values in a sample.
double cohens_d(const Summary& a, const Summary& b);

}  // namespace moesweep::stats
