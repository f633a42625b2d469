#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/two_proportions.hpp>

#include "tails.hpp"

namespace moesweep::stats {
namespace {

struct Arm {
  double yes, no;
  double n() const { return yes + no; }
};

/// count / share, where none of a kind adds nothing however small its share.
double term(double count, double share) {
  return count == 0.0 ? 0.0 : count / share;
}

/// The likelihood when `larger` has the share q + gap and `smaller` q.
struct Likelihood {
  Arm larger, smaller;
  double gap;

  double slope(double q) const {
    return term(larger.yes, q + gap) - term(larger.no, 1.0 - q - gap) + term(smaller.yes, q) -
           term(smaller.no, 1.0 - q);
  }
  double curvature(double q) const {
    const auto square = [](double count, double share) { return term(term(count, share), share); };
    return -square(larger.yes, q + gap) - square(larger.no, 1.0 - q - gap) -
           square(smaller.yes, q) - square(smaller.no, 1.0 - q);
  }

  /// Where the slope, which falls, is 0; an end of [0, 1 - gap] where it does not reach 0.
  double maximum() const {
    double below = 0.0;
    double above = 1.0 - gap;
    if (smaller.yes == 0.0 && slope(below) <= 0.0) return below;
    if (larger.no == 0.0 && slope(above) >= 0.0) return above;
    double q = std::midpoint(below, above);
    while (true) {
      const double now = slope(q);
      if (now == 0.0) return q;
      (now > 0.0 ? below : above) = q;
      double next = q - now / curvature(q);
      if (!(below < next && next < above)) next = std::midpoint(below, above);
      const bool is_near = std::fabs(next - q) <= std::numeric_limits<double>::epsilon() * next;
      if (is_near || next <= below || next >= above) return next;
      q = next;
    }
  }
};

double variance_of(double share, double n) {
  return share * (1.0 - share) / n;
}

double variance(Arm a, Arm b, double difference) {
  // The other answer where most are yes: small shares keep their digits.
  if (a.yes + b.yes > a.no + b.no) {
    std::swap(a.yes, a.no);
    std::swap(b.yes, b.no);
    difference = -difference;
  }
  if (difference < 0.0) std::swap(a, b);
  const Likelihood likelihood{a, b, std::fabs(difference)};
  const double q = likelihood.maximum();
  return variance_of(q + likelihood.gap, a.n()) + variance_of(q, b.n());
}

}  // namespace

double constrained_variance(double p, double n_p, double q, double n_q, double difference) {
  expect(0.0 <= p && p <= 1.0 && 0.0 <= q && q <= 1.0, "a proportion outside of [0, 1]");
  expect(n_p > 0.0 && n_q > 0.0, "shares of no samples");
  expect(0.0 < std::fabs(difference) && std::fabs(difference) < 1.0,
         "a difference of shares that is 0 or not below 1");
  return variance({n_p * p, n_p * (1.0 - p)}, {n_q * q, n_q * (1.0 - q)}, difference);
}

ScoreTost score_tost(const Count& a, const Count& b, double margin) {
  expect(0 <= a.k && a.k <= a.n && 0 <= b.k && b.k <= b.n, "a count outside of its total");
  expect(margin > 0.0, "a margin of equivalence that is not positive");
  if (a.n == 0 || b.n == 0 || margin >= 1.0) return {};
  const auto arm = [](const Count& count) {
    return Arm{static_cast<double>(count.k), static_cast<double>(count.n - count.k)};
  };
  const auto [left, right] = std::pair(arm(a), arm(b));
  ScoreTost tests;
  tests.difference = left.yes / left.n() - right.yes / right.n();
  tests.z_lower = (tests.difference + margin) / std::sqrt(variance(left, right, -margin));
  tests.p_lower = normal_cdf(-tests.z_lower);
  tests.z_upper = (tests.difference - margin) / std::sqrt(variance(left, right, margin));
  tests.p_upper = normal_cdf(tests.z_upper);
  tests.p = std::max(tests.p_lower, tests.p_upper);
  return tests;
}

}  // namespace moesweep::stats
