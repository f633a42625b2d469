#pragma once
// Tests of the same samples measured twice. p values are two-sided unless the name says so.

#include <cstdint>
#include <span>

#include <moesweep/core/stats/undefined.hpp>

namespace moesweep::stats {

/// Without a difference all but the count is NaN; with a single one, or when all are equal (to 0 or
/// anything else), all but count and mean: there is no spread to measure the mean by.
struct PairedT {
  std::int64_t count = 0;
  double mean = undefined;
  double standard_error = undefined;  ///< sample sd (n - 1) / sqrt(n)
  double t = undefined;
  double p = undefined;  ///< Student's t with count - 1 degrees of freedom
};

/// Student's t test that the mean of the differences is 0. No NaN among them.
PairedT paired_t(std::span<const double> differences);

/// Exact McNemar test (binomial, chance 1/2) of `b` pairs where only the first is yes against `c`
/// where only the second is: twice the smaller tail, at most 1. 1 when b + c = 0, the only outcome.
double mcnemar_exact(std::int64_t b, std::int64_t c);

/// One-sided: P(X >= b | b + c, 1/2), small when b exceeds c. 1 when b = 0.
double mcnemar_exact_greater(std::int64_t b, std::int64_t c);

struct Wilcoxon {
  std::int64_t count = 0;        ///< differences that are not 0
  double statistic = undefined;  ///< the smaller of the sums of positive and of negative ranks
  double p = undefined;
  bool exact = false;  ///< p from the exact null distribution, else from the normal one
};

/// Wilcoxon signed-rank test (Biometrics 1, 1945) that the differences are symmetric about 0;
/// zeros are dropped (Wilcoxon's own rule). With at most 50 others p is exact given their ranks,
/// mid-ranks where sizes are equal; beyond, from the normal approximation with the variance
/// corrected for ties, without continuity correction. scipy's wilcoxon(zero_method="wilcox",
/// correction=False) is the same with method "exact" where no sizes are equal, and with "approx".
/// p = 1 when all are 0, NaN when there are none. No NaN among them.
Wilcoxon wilcoxon_signed_rank(std::span<const double> differences);

}  // namespace moesweep::stats
