#pragma once
// Two independent yes/no samples: do their shares differ, and are they equivalent? Both hold where
// a share is 0 or 1 and a standard error, with it Welch's test, would be 0.

#include <cstdint>

#include <moesweep/core/stats/undefined.hpp>

namespace moesweep::stats {

/// `k` of `n` samples are yes; 0 <= k <= n.
struct Count {
  std::int64_t k = 0;
  std::int64_t n = 0;
};

/// Fisher's exact test (Fisher, Statistical Methods for Research Workers, 5th ed. 1934, section
/// 21.02), two-sided: the probability, given both margins, of all tables that are no more probable
/// than the one observed (probabilities within 1e-7 of each other count as equal, as in R's
/// fisher.test). 1 when both are all yes or all no: one table is possible. NaN with an empty
/// sample. Never 0: below the smallest normal double (2.2e-308) that number is returned.
double fisher_exact(const Count& a, const Count& b);

/// All NaN with an empty sample or a margin of 1 and more, which every difference is within.
struct ScoreTost {
  double difference = undefined;  ///< share of `a` less share of `b`
  double z_lower = undefined;     ///< of "the difference is -margin or below"
  double p_lower = undefined;     ///< P(Z >= z_lower)
  double z_upper = undefined;     ///< of "the difference is +margin or above"
  double p_upper = undefined;     ///< P(Z <= z_upper)
  double p = undefined;           ///< the larger of the two; equivalent at level alpha when below
};

/// Equivalence by two one-sided score tests (Farrington and Manning, Statistics in Medicine 9,
/// 1990): z = (difference -+ margin) / sqrt(p_a (1 - p_a)/n_a + p_b (1 - p_b)/n_b), p_a and p_b the
/// maximum-likelihood shares under p_a - p_b = -+margin. Their variance is positive whatever the
/// counts: n of n twice leaves margin (1 - margin)/n. It is without the factor N/(N - 1) of
/// Miettinen and Nurminen (Statistics in Medicine 4, 1985), which statsmodels applies by default
/// (`correction=True`). margin > 0.
ScoreTost score_tost(const Count& a, const Count& b, double margin);

/// The variance of one of these tests for real counts: the shares p and q of samples of n_p and n_q
/// under p - q = `difference`, 0 < |difference| < 1.
double constrained_variance(double p, double n_p, double q, double n_q, double difference);

}  // namespace moesweep::stats
