#include <algorithm>
#include <cmath>

#include <boost/math/special_functions/beta.hpp>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/proportions.hpp>

#include "tails.hpp"

namespace moesweep::stats {
namespace {

void expect_count_and_level(std::int64_t k, std::int64_t n, double alpha) {
  expect(0 <= k && k <= n, "a count outside of its total");
  expect(0.0 < alpha && alpha < 1.0, "a level outside of (0, 1)");
}

}  // namespace

double clopper_pearson_upper(std::int64_t k, std::int64_t n, double alpha) {
  expect_count_and_level(k, n, alpha);
  if (k == n) return 1.0;
  const auto successes = static_cast<double>(k);
  const auto failures = static_cast<double>(n - k);
  if (k == 0) return -std::expm1(std::log(alpha) / failures);
  return boost::math::ibetac_inv(successes + 1.0, failures, alpha);
}

double clopper_pearson_lower(std::int64_t k, std::int64_t n, double alpha) {
  expect_count_and_level(k, n, alpha);
  if (k == 0) return 0.0;
  const auto successes = static_cast<double>(k);
  const auto failures = static_cast<double>(n - k);
  if (k == n) return std::exp(std::log(alpha) / successes);
  return boost::math::ibeta_inv(successes, failures + 1.0, alpha);
}

Interval clopper_pearson_interval(std::int64_t k, std::int64_t n, double alpha) {
  return {clopper_pearson_lower(k, n, alpha / 2.0), clopper_pearson_upper(k, n, alpha / 2.0)};
}

Interval wilson_interval(std::int64_t k, std::int64_t n, double alpha) {
  expect_count_and_level(k, n, alpha);
  if (n == 0) return {0.0, 1.0};
  const double z = normal_critical(alpha / 2.0);
  const auto total = static_cast<double>(n);
  const auto successes = static_cast<double>(k);
  const double center = successes + z * z / 2.0;
  const double half_width = z * std::sqrt(successes * (total - successes) / total + z * z / 4.0);
  return {k == 0 ? 0.0 : (center - half_width) / (total + z * z),
          k == n ? 1.0 : (center + half_width) / (total + z * z)};
}

double cohens_h(double p, double q) {
  expect(0.0 <= p && p <= 1.0 && 0.0 <= q && q <= 1.0, "a proportion outside of [0, 1]");
  return 2.0 * (std::asin(std::sqrt(p)) - std::asin(std::sqrt(q)));
}

}  // namespace moesweep::stats
