#pragma once
// Two one-sided t tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987):
// is a difference of means within -margin .. +margin? For shares see two_proportions.hpp.

#include <span>

#include <moesweep/core/stats/summary.hpp>

namespace moesweep::stats {

/// Equivalent at level alpha when `p` < alpha. NaN beside the difference where there are fewer
/// than two values or they have no variance: values that agree do not tell how far others would be.
struct Tost {
  double difference = undefined;
  double standard_error = undefined;
  double freedom = undefined;
  double t_lower = undefined;  ///< (difference + margin) / standard_error
  double p_lower = undefined;  ///< P(T >= t_lower): that the difference is not above -margin
  double t_upper = undefined;  ///< (difference - margin) / standard_error
  double p_upper = undefined;  ///< P(T <= t_upper): that the difference is not below +margin
  double p = undefined;        ///< the larger of the two
};

/// Independent samples, difference a - b, with Welch's error and freedom; margin > 0.
Tost tost(const Summary& a, const Summary& b, double margin);

/// Differences of pairs.
Tost tost_paired(std::span<const double> differences, double margin);

/// From numbers that are known already; standard_error > 0, else there is no test.
Tost tost_of(double difference, double standard_error, double freedom, double margin);

}  // namespace moesweep::stats
