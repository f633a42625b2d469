#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/two_proportions.hpp>
#include <moesweep/core/stats/two_proportions_power.hpp>

#include "tails.hpp"

namespace moesweep::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double most_samples = 1e15;

void expect_shares(double p, double q) {
  expect(0.0 <= p && p <= 1.0 && 0.0 <= q && q <= 1.0, "a proportion outside of [0, 1]");
}

std::size_t place(std::int64_t k) {
  return static_cast<std::size_t>(k);
}

/// P(X = k) of n samples, k = 0 .. n: ratios outwards from the mode, made to add up to 1.
std::vector<double> binomial(std::int64_t n, double p) {
  std::vector<double> weights(place(n) + 1, 0.0);
  const auto total = static_cast<double>(n);
  const auto mode = std::min(n, static_cast<std::int64_t>((total + 1.0) * p));
  weights[place(mode)] = 1.0;
  const auto odds = [&](std::int64_t k) {  // P(k + 1) / P(k)
    const auto yes = static_cast<double>(k);
    return (total - yes) / (yes + 1.0) * (p / (1.0 - p));
  };
  for (auto k = mode; k < n; ++k) weights[place(k + 1)] = weights[place(k)] * odds(k);
  for (auto k = mode; k > 0 && p > 0.0; --k) {
    weights[place(k - 1)] = p == 1.0 ? 0.0 : weights[place(k)] / odds(k - 1);
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (auto& weight : weights) weight /= sum;
  return weights;
}

/// Element k is P(X >= k), k = 0 .. n + 1.
std::vector<double> tails_of(const std::vector<double>& weights) {
  std::vector<double> tails(weights.size() + 1, 0.0);
  for (auto k = weights.size(); k-- > 0;) tails[k] = tails[k + 1] + weights[k];
  return tails;
}

/// Of i yes in one arm, the fewest in the other that differ upwards (n + 1: none do). Rises with i:
/// with equal arms the two-sided test is twice the one-sided one.
std::vector<std::int64_t> least_that_differs(std::int64_t n, double alpha) {
  std::vector<std::int64_t> least;
  std::int64_t other = 0;
  for (std::int64_t i = 0; i <= n; ++i) {
    other = std::max(other, i + 1);
    while (other <= n && !(fisher_exact({i, n}, {other, n}) < alpha)) ++other;
    least.push_back(other);
  }
  return least;
}

double power_beyond(const std::vector<std::int64_t>& least, double p, double q) {
  const auto n = static_cast<std::int64_t>(least.size()) - 1;
  const auto of_p = binomial(n, p);
  const auto of_q = binomial(n, q);
  const auto above_p = tails_of(of_p);
  const auto above_q = tails_of(of_q);
  double power = 0.0;
  for (std::size_t i = 0; i < least.size(); ++i) {
    power += of_p[i] * above_q[place(least[i])] + of_q[i] * above_p[place(least[i])];
  }
  return std::min(1.0, power);
}

/// Of i yes in the first arm, the most in the second that leave the difference above -margin (-1:
/// none do). Rises with i.
std::vector<std::int64_t> most_within(std::int64_t n, double margin, double alpha) {
  std::vector<std::int64_t> most;
  std::int64_t other = -1;
  for (std::int64_t i = 0; i <= n; ++i) {
    while (other < n && score_tost({i, n}, {other + 1, n}, margin).p_lower < alpha) ++other;
    most.push_back(other);
  }
  return most;
}

double whole(double samples) {
  return std::max(1.0, std::ceil(samples));
}

/// The smallest n up to most_exact_n with enough power, where the approximation leaves a chance.
template <typename Power>
double exact_or(double approximate, double power, const Power& power_at) {
  const auto limit = static_cast<double>(most_exact_n);
  if (approximate > 2.0 * limit) return approximate;
  for (std::int64_t n = 1; n <= most_exact_n; ++n) {
    if (power_at(n) >= power) return static_cast<double>(n);
  }
  return std::max(limit + 1.0, approximate);
}

double approximate_fisher_size(double p, double q, double alpha, double power) {
  const double d = std::fabs(p - q);
  const double mean = (p + q) / 2.0;
  const double under_null = normal_critical(alpha / 2.0) * std::sqrt(2.0 * mean * (1.0 - mean));
  const double under_truth =
      normal_critical(1.0 - power) * std::sqrt(p * (1.0 - p) + q * (1.0 - q));
  const double m = std::pow((under_null + under_truth) / d, 2);
  return whole(m / 4.0 * std::pow(1.0 + std::sqrt(1.0 + 4.0 / (m * d)), 2));
}

class ScoreApproximation {
 public:
  ScoreApproximation(double p, double q, double margin, double alpha)
      : above_((margin - (p - q))),
        below_((margin + (p - q))),
        spread_(std::sqrt(p * (1.0 - p) + q * (1.0 - q))) {
    const double z = normal_critical(alpha);
    needed_above_ = z * std::sqrt(constrained_variance(p, 1.0, q, 1.0, margin));
    needed_below_ = z * std::sqrt(constrained_variance(p, 1.0, q, 1.0, -margin));
  }

  double power(double n) const {
    const double above = std::sqrt(n) * above_ - needed_above_;
    const double below = std::sqrt(n) * below_ - needed_below_;
    if (spread_ == 0.0) return above > 0.0 && below > 0.0 ? 1.0 : 0.0;
    return normal_cdf(above / spread_) + normal_cdf(below / spread_) - 1.0;
  }

 private:
  double above_, below_, spread_;
  double needed_above_ = 0.0;
  double needed_below_ = 0.0;
};

double approximate_score_size(const ScoreApproximation& at, double power) {
  double enough = 1.0;
  while (at.power(enough) < power) {
    enough *= 2.0;
    if (enough > most_samples) return infinity;
  }
  double too_few = std::floor(enough / 2.0);
  while (enough - too_few > 1.0) {
    const double middle = std::floor(std::midpoint(too_few, enough));
    (at.power(middle) >= power ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace

double fisher_power(double p, double q, std::int64_t n, double alpha) {
  expect_shares(p, q);
  expect(1 <= n && n <= most_exact_n, "a number of samples beyond the exact power");
  return power_beyond(least_that_differs(n, alpha), p, q);
}

double score_tost_power(double p, double q, std::int64_t n, double margin, double alpha) {
  expect_shares(p, q);
  expect(1 <= n && n <= most_exact_n, "a number of samples beyond the exact power");
  expect(0.0 < margin && margin < 1.0, "a margin of shares outside of (0, 1)");
  const auto most = most_within(n, margin, alpha);
  const auto of_p = binomial(n, p);
  const auto above_q = tails_of(binomial(n, q));
  double power = 0.0;
  std::int64_t least = 0;  // the upper test of (i, j) is the lower one of (j, i)
  for (std::int64_t i = 0; i <= n; ++i) {
    while (least <= n && most[place(least)] < i) ++least;
    if (least > most[place(i)]) continue;
    power += of_p[place(i)] * (above_q[place(least)] - above_q[place(most[place(i)] + 1)]);
  }
  return std::min(1.0, power);
}

double fisher_sample_size(double p, double q, double alpha, double power) {
  expect_shares(p, q);
  if (p == q) return infinity;
  return exact_or(approximate_fisher_size(p, q, alpha, power), power,
                  [&](std::int64_t n) { return fisher_power(p, q, n, alpha); });
}

double fisher_detectable(std::int64_t n, double alpha, double power) {
  expect(n >= 1, "a difference that no samples find");
  const bool is_exact = n <= most_exact_n;
  const auto least = is_exact ? least_that_differs(n, alpha) : std::vector<std::int64_t>{};
  const auto found = [&](double d) {
    const double p = (1.0 - d) / 2.0;
    if (is_exact) return power_beyond(least, p, 1.0 - p) >= power;
    return approximate_fisher_size(p, 1.0 - p, alpha, power) <= static_cast<double>(n);
  };
  if (!found(1.0)) return infinity;
  double enough = 1.0;
  double too_little = 0.0;
  for (double middle = 0.5; too_little < middle && middle < enough;
       middle = std::midpoint(too_little, enough)) {
    (found(middle) ? enough : too_little) = middle;
  }
  return enough;
}

double score_tost_sample_size(double p, double q, double margin, double alpha, double power) {
  expect_shares(p, q);
  expect(0.0 < margin && margin < 1.0, "a margin of shares outside of (0, 1)");
  expect(0.0 < alpha && alpha < 0.5, "a one-sided level outside of (0, 1/2)");
  if (std::fabs(p - q) >= margin) return infinity;
  return exact_or(approximate_score_size({p, q, margin, alpha}, power), power,
                  [&](std::int64_t n) { return score_tost_power(p, q, n, margin, alpha); });
}

}  // namespace moesweep::stats
