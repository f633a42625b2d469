#include <algorithm>
#include <cmath>
#include <numeric>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/proportions.hpp>

#include "tails.hpp"

namespace moesweep::stats {
namespace {

/// Maximum-likelihood P(only second) when the difference is `d`: the larger root of
/// 2n q^2 + B q - c d (1 - d), in the form that does not cancel.
double only_second(const Discordant& pairs, double d) {
  const double linear = d * (2.0 * pairs.n - pairs.b + pairs.c) - pairs.b - pairs.c;
  const double constant = -pairs.c * d * (1.0 - d);
  const double root = std::sqrt(std::max(0.0, linear * linear - 8.0 * pairs.n * constant));
  if (linear > 0.0) return -2.0 * constant / (linear + root);
  return (root - linear) / (4.0 * pairs.n);
}

/// Is the estimate so far below `d` that the score test at critical value z refuses `d`?
bool refuses(const Discordant& pairs, double d, double z) {
  const double shortfall = pairs.n * d - (pairs.b - pairs.c);
  const double variance = pairs.n * (2.0 * only_second(pairs, d) + d * (1.0 - d));
  return shortfall > z * std::sqrt(std::max(0.0, variance));
}

}  // namespace

double tango_upper(const Discordant& pairs, double alpha) {
  expect(pairs.b >= 0.0 && pairs.c >= 0.0 && pairs.b + pairs.c <= pairs.n,
         "more discordant pairs than pairs");
  expect(0.0 < alpha && alpha < 0.5, "a one-sided level outside of (0, 1/2)");
  if (pairs.n == 0.0) return 1.0;
  const double z = normal_critical(alpha);
  double kept = (pairs.b - pairs.c) / pairs.n;
  double refused = 1.0;
  if (!refuses(pairs, refused, z)) return 1.0;
  // Bisection to neighbouring numbers: the score falls in d, but is flat near the ends, where
  // faster methods stall.
  for (double middle = std::midpoint(kept, refused); kept < middle && middle < refused;
       middle = std::midpoint(kept, refused)) {
    (refuses(pairs, middle, z) ? refused : kept) = middle;
  }
  return kept;
}

double tango_lower(const Discordant& pairs, double alpha) {
  return -tango_upper({pairs.c, pairs.b, pairs.n}, alpha);
}

Interval tango_interval(const Discordant& pairs, double alpha) {
  return {tango_lower(pairs, alpha / 2.0), tango_upper(pairs, alpha / 2.0)};
}

}  // namespace moesweep::stats
