#pragma once
// How two columns of numbers go together: Pearson's r (linear) and Spearman's rho (any monotone
// relation; Pearson's r of the mid-ranks).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/stats/interval.hpp>

namespace moesweep::stats {

/// Places of the values in ascending order, 1 for the smallest; equal values share the mean of
/// their places. No NaN.
std::vector<double> mid_ranks(std::span<const double> values);

/// A p value is two-sided, from Student's t with count - 2 degrees of freedom: exact for Pearson
/// under normality, an approximation for Spearman (good above some 20 pairs). Coefficient and p
/// are NaN for fewer than 3 pairs and where a column is constant. Pairs on a straight line (to
/// rounding) have r = +-1 and no p: without scatter t is unbounded. A perfect order has the exact p
/// of the permutations: the share of all orders of y that are as perfect, 2/n! without ties.
struct Correlation {
  std::int64_t count = 0;  ///< pairs without NaN; others are left out
  double pearson = undefined;
  double pearson_p = undefined;
  double spearman = undefined;
  double spearman_p = undefined;
};

/// x.size() == y.size(). Sums are float64 about the means, in order.
Correlation correlate(std::span<const double> x, std::span<const double> y);

/// Interval of level 1 - alpha for Pearson's r of `count` pairs (Fisher, Metron 1, 1921): atanh(r)
/// has standard error 1/sqrt(count - 3). 3 pairs or fewer give all of [-1, 1]; r = +-1, where atanh
/// is infinite, gives NaN, as does a NaN r.
Interval fisher_interval(double r, std::int64_t count, double alpha);

/// The same for Spearman's rho with standard error sqrt((1 + rho^2/2) / (count - 3)) (Bonett and
/// Wright, Psychometrika 65, 2000).
Interval fisher_interval_spearman(double rho, std::int64_t count, double alpha);

struct NamedColumn {
  std::string name;
  std::vector<double> values;
};

}  // namespace moesweep::stats
