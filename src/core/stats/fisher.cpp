#include <algorithm>
#include <limits>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/two_proportions.hpp>

namespace moesweep::stats {
namespace {

constexpr double tie = 1e-7;
constexpr double smallest = std::numeric_limits<double>::min();

/// The hypergeometric distribution of the yes answers of `a` given both margins, in doubles: the
/// products of its ratios are exact to some 2^-52 a step and cannot cancel.
struct Tables {
  double n_a, n_b, yes;

  Tables(const Count& a, const Count& b)
      : n_a(static_cast<double>(a.n)),
        n_b(static_cast<double>(b.n)),
        yes(static_cast<double>(a.k + b.k)) {}

  double first() const { return std::max(0.0, yes - n_b); }
  double last() const { return std::min(n_a, yes); }
  double mode() const {
    const double place = static_cast<double>(
        static_cast<std::int64_t>((n_a + 1.0) * ((yes + 1.0) / (n_a + n_b + 2.0))));
    return std::clamp(place, first(), last());
  }
  /// P(x + 1) / P(x)
  double ratio(double x) const {
    return ((yes - x) / (x + 1.0)) * ((n_a - x) / (n_b - yes + x + 1.0));
  }
};

struct Sums {
  double all = 1.0;  ///< of the probabilities over that of the mode
  double tail = 0.0;
};

}  // namespace

double fisher_exact(const Count& a, const Count& b) {
  expect(0 <= a.k && a.k <= a.n && 0 <= b.k && b.k <= b.n, "a count outside of its total");
  if (a.n == 0 || b.n == 0) return undefined;
  const Tables tables(a, b);
  const double mode = tables.mode();
  const auto seen = static_cast<double>(a.k);
  double observed = 1.0;
  for (double x = mode; x < seen && observed > 0.0; ++x) observed *= tables.ratio(x);
  for (double x = mode; x > seen && observed > 0.0; --x) observed /= tables.ratio(x - 1.0);
  const double most = observed * (1.0 + tie);
  Sums sums;
  if (most >= 1.0) return 1.0;
  const auto add = [&](double weight) {
    sums.all += weight;
    if (weight <= most) sums.tail += weight;
  };
  // Outwards from the mode; what falls below the smallest double adds nothing.
  double weight = 1.0;
  for (double x = mode; x < tables.last() && weight > 0.0; ++x) add(weight *= tables.ratio(x));
  weight = 1.0;
  for (double x = mode; x > tables.first() && weight > 0.0; --x) {
    add(weight /= tables.ratio(x - 1.0));
  }
  return std::clamp(sums.tail / sums.all, smallest, 1.0);
}

}  // namespace moesweep::stats
