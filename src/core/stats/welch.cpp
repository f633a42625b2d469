#include <cmath>

#include <moesweep/core/stats/welch.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {

Welch welch_t(const Summary& a, const Summary& b) {
  const double difference = a.mean - b.mean;
  if (a.count < 2 || b.count < 2) return {.difference = difference};
  const auto n_a = static_cast<double>(a.count);
  const auto n_b = static_cast<double>(b.count);
  const double share_a = a.variance / n_a;
  const double share_b = b.variance / n_b;
  const double variance = share_a + share_b;
  if (variance == 0.0) return {.difference = difference};
  const double standard_error = std::sqrt(variance);
  const double t = difference / standard_error;
  // Shares of the variance, as their squares may underflow.
  const double of_a = share_a / variance;
  const double of_b = share_b / variance;
  const double freedom = 1.0 / (of_a * of_a / (n_a - 1.0) + of_b * of_b / (n_b - 1.0));
  return {difference, standard_error, freedom, t, student_two_sided(t, freedom)};
}

double cohens_d(const Summary& a, const Summary& b) {
  if (a.count < 2 || b.count < 2) return undefined;
  const double weight_a = static_cast<double>(a.count) - 1.0;
  const double weight_b = static_cast<double>(b.count) - 1.0;
  const double pooled = (weight_a * a.variance + weight_b * b.variance) / (weight_a + weight_b);
  return pooled == 0.0 ? undefined : (a.mean - b.mean) / std::sqrt(pooled);
}

}  // namespace moesweep::stats
