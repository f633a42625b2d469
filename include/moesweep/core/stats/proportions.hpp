#pragma once
// Intervals of one proportion k/n, and effect size and upper bound of the difference of two.
// Counts obey 0 <= k <= n; 0 < alpha < 1. Without samples (n = 0) nothing is excluded: a bound is
// the end of the scale and an interval all of it.

#include <cstdint>

#include <moesweep/core/stats/interval.hpp>

namespace moesweep::stats {

/// One-sided exact bounds (Clopper and Pearson, Biometrika 26, 1934): the largest p with
/// P(X <= k | n, p) >= alpha, and the smallest with P(X >= k | n, p) >= alpha. k = 0 gives the
/// upper bound 1 - alpha^(1/n), 1.98 % for 0 of 150 at alpha = 0.05; k = n gives 1; k = 0 has the
/// lower bound 0.
double clopper_pearson_upper(std::int64_t k, std::int64_t n, double alpha);
double clopper_pearson_lower(std::int64_t k, std::int64_t n, double alpha);

/// Two-sided: both bounds at alpha/2.
Interval clopper_pearson_interval(std::int64_t k, std::int64_t n, double alpha);

/// Two-sided score interval without continuity correction (Wilson, JASA 22, 1927). Its lower end
/// is exactly 0 for k = 0, its upper exactly 1 for k = n.
Interval wilson_interval(std::int64_t k, std::int64_t n, double alpha);

/// Cohen's h = 2 asin(sqrt(p)) - 2 asin(sqrt(q)), p and q in [0, 1] (Cohen, Statistical Power
/// Analysis, 2nd ed. 1988, chapter 6): signed, in [-pi, pi]; 0.2 small, 0.5 medium, 0.8 large.
double cohens_h(double p, double q);

/// Pairs of yes/no outcomes that differ: `b` only the first is yes, `c` only the second, of `n`
/// pairs in all; b, c >= 0, b + c <= n. Real numbers, so that a count can be scaled to the n that
/// is asked about.
struct Discordant {
  double b = 0.0;
  double c = 0.0;
  double n = 0.0;
};

/// Score bounds of the difference P(first) - P(second) of paired proportions, estimated by
/// (b - c)/n (Tango, Statistics in Medicine 17, 891-908, 1998): the differences d at which
/// (b - c - n d) / sqrt(n (2 q + d (1 - d))) is minus or plus the normal quantile of 1 - alpha, q
/// the maximum-likelihood P(only second) given d. Each is one-sided at level alpha, 0 < alpha <
/// 0.5. With no discordant pair the upper bound is z^2 / (n + z^2). n = 0 gives 1 and -1.
double tango_upper(const Discordant& pairs, double alpha);
double tango_lower(const Discordant& pairs, double alpha);

/// Two-sided: both bounds at alpha/2, 0 < alpha < 1.
Interval tango_interval(const Discordant& pairs, double alpha);

}  // namespace moesweep::stats
