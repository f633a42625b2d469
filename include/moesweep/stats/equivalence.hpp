#pragma once
// Two one-sided t tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987):
// is a difference of means within -margin .. +margin?

#include <span>

#include <moesweep/stats/summary.hpp>

namespace moesweep::stats {

/// Equivalent at level alpha when `p` < alpha. NaN beside the difference where there are fewer
/// than two values. Without variance a t is +-infinity (0 exactly on the margin) and its p 0 or 1
/// (1/2).
struct Tost {
  double difference = 0.0;
  double standard_error = 0.0;
  double freedom = 0.0;
  double t_lower = 0.0;  ///< (difference + margin) / standard_error
  double p_lower = 0.0;  ///< P(T >= t_lower): that the difference is not above -margin
  double t_upper = 0.0;  ///< (difference - margin) / standard_error
  double p_upper = 0.0;  ///< P(T <= t_upper): that the difference is not below +margin
  double p = 0.0;        ///< the larger of the two
};

/// Independent samples, difference a - b, with Welch's error and freedom; margin > 0.
Tost tost(const Summary& a, const Summary& b, double margin);

/// Differences of pairs.
Tost tost_paired(std::span<const double> differences, double margin);

/// From numbers that are known already; standard_error >= 0.
Tost tost_of(double difference, double standard_error, double freedom, double margin);

}  // namespace moesweep::stats
