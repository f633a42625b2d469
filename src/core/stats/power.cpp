#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/power.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double most_pairs = 1e15;

double binary_variance(double p) {
  expect(0.0 <= p && p <= 1.0, "a proportion outside of [0, 1]");
  return p * (1.0 - p);
}

double per_sample(std::int64_t n) {
  return 1.0 / static_cast<double>(n);
}

double power_at(double difference, double standard_error, double alpha) {
  if (standard_error == 0.0) return undefined;
  const double distance = std::fabs(difference) / standard_error;
  const double critical = normal_critical(alpha / 2.0);
  return normal_cdf(distance - critical) + normal_cdf(-distance - critical);
}

double whole(double samples) {
  return std::max(1.0, std::ceil(samples));
}

/// Of two one-sided z tests; falls as the error grows.
double equivalence_power(double difference, double standard_error, double margin, double critical) {
  return std::max(0.0, normal_cdf((margin - difference) / standard_error - critical) +
                           normal_cdf((margin + difference) / standard_error - critical) - 1.0);
}

}  // namespace

double detection_factor(double alpha, double power) {
  return normal_critical(alpha / 2.0) - normal_critical(power);
}

double power_two_proportions(double p, double q, std::int64_t n_p, std::int64_t n_q, double alpha) {
  if (n_p < 1 || n_q < 1) return undefined;
  const double variance =
      binary_variance(p) * per_sample(n_p) + binary_variance(q) * per_sample(n_q);
  return power_at(p - q, std::sqrt(variance), alpha);
}

double power_two_means(double difference, double sd, std::int64_t n_a, std::int64_t n_b,
                       double alpha) {
  if (n_a < 1 || n_b < 1) return undefined;
  return power_at(difference, sd * std::sqrt(per_sample(n_a) + per_sample(n_b)), alpha);
}

double minimum_detectable_proportion(double p, std::int64_t n_a, std::int64_t n_b, double factor) {
  return minimum_detectable_mean(std::sqrt(binary_variance(p)), n_a, n_b, factor);
}

double minimum_detectable_mean(double sd, std::int64_t n_a, std::int64_t n_b, double factor) {
  if (sd == 0.0) return undefined;
  if (n_a < 1 || n_b < 1) return infinity;
  return factor * sd * std::sqrt(per_sample(n_a) + per_sample(n_b));
}

double sample_size_two_proportions(double p, double q, double factor) {
  const double sd = std::sqrt((binary_variance(p) + binary_variance(q)) / 2.0);
  return sample_size_two_means(p - q, sd, factor);
}

double sample_size_two_means(double difference, double sd, double factor) {
  if (sd == 0.0) return undefined;
  if (difference == 0.0) return infinity;
  const double errors = factor * sd / difference;
  return whole(2.0 * errors * errors);
}

double sample_size_equivalence(double difference, double sd, double margin, double alpha,
                               double power) {
  expect(margin > 0.0, "a margin of equivalence that is not positive");
  expect(0.0 < alpha && alpha < 0.5, "a one-sided level outside of (0, 1/2)");
  if (sd == 0.0) return undefined;
  if (std::fabs(difference) >= margin) return infinity;
  const double critical = normal_critical(alpha);
  double enough = 0.0;
  double too_large = 2.0 * margin / critical;  // both tests together then never reject
  for (double middle = std::midpoint(enough, too_large); enough < middle && middle < too_large;
       middle = std::midpoint(enough, too_large)) {
    const bool reached = equivalence_power(difference, middle, margin, critical) >= power;
    (reached ? enough : too_large) = middle;
  }
  return whole(2.0 * (sd / enough) * (sd / enough));
}

double sample_size_half_width(double p, double half_width, double alpha) {
  expect(half_width > 0.0, "an interval without width");
  const double z = normal_critical(alpha / 2.0);
  if (binary_variance(p) == 0.0) return undefined;
  return whole(binary_variance(p) * (z / half_width) * (z / half_width));
}

double pairs_for_margin(const Discordant& pairs, double margin, double alpha) {
  expect(pairs.n > 0.0, "shares of no pairs");
  if ((pairs.b - pairs.c) / pairs.n >= margin) return infinity;
  const auto resolved = [&](double n) {
    const double b = pairs.b / pairs.n * n;
    const double c = std::min(pairs.c / pairs.n * n, n - b);  // rounding must not exceed n
    return tango_upper({b, c, n}, alpha) <= margin;
  };
  double enough = 1.0;
  while (!resolved(enough)) {
    enough *= 2.0;
    if (enough > most_pairs) return infinity;
  }
  double too_few = std::floor(enough / 2.0);
  while (enough - too_few > 1.0) {
    const double middle = std::floor(std::midpoint(too_few, enough));
    (resolved(middle) ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace moesweep::stats
