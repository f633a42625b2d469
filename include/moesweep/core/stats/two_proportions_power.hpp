#pragma once
// What the tests of two_proportions.hpp can see with `n` samples in each of two arms whose true
// shares of yes are p and q: by adding up the binomial probabilities of all outcomes that the test
// rejects for up to `most_exact_n` samples, by the tests' own approximations beyond. Where a share
// is 0 or 1 the answer is the number with which such counts pass the test, never 1 for want of
// variance. Sample sizes are whole numbers, infinity where no number suffices.

#include <cstdint>

namespace moesweep::stats {

inline constexpr std::int64_t most_exact_n = 256;

/// Exact power of fisher_exact at level `alpha`; 1 <= n <= most_exact_n.
double fisher_power(double p, double q, std::int64_t n, double alpha);

/// Exact power of score_tost at level `alpha` < 1/2; 1 <= n <= most_exact_n, 0 < margin < 1.
double score_tost_power(double p, double q, std::int64_t n, double margin, double alpha);

/// Samples an arm for fisher_exact to find the difference of p and q with `power`. Approximation
/// (Casagrande, Pike and Smith, Biometrics 34, 1978, as simplified by Fleiss, Tytun and Ury,
/// Biometrics 36, 1980): with d = |p - q|, r = (p + q)/2 and
///   m = (z(alpha/2) sqrt(2 r (1 - r)) + z(1 - power) sqrt(p (1 - p) + q (1 - q)))^2 / d^2
/// it is m/4 (1 + sqrt(1 + 4 / (m d)))^2, rounded up. Where that is at most 2 most_exact_n, the
/// smallest n <= most_exact_n with fisher_power >= power takes its place if there is one, else
/// most_exact_n + 1 if that is larger. Exact power is a sawtooth in n: a few more samples may have
/// a little less.
double fisher_sample_size(double p, double q, double alpha, double power);

/// Smallest d such that the shares (1 - d)/2 and (1 + d)/2 are found with `power` by `n` samples an
/// arm; infinity when not even 0 against 1 is. By bisection of fisher_power, or of the
/// approximation above for n > most_exact_n; n >= 1.
double fisher_detectable(std::int64_t n, double alpha, double power);

/// Samples an arm for score_tost to show with `power` that p and q are within `margin` of each
/// other. Approximation (Farrington and Manning 1990, for both tests together): the smallest n with
///   Phi((sqrt(n) (margin - d) - z(alpha) s_upper) / s) +
///   Phi((sqrt(n) (margin + d) - z(alpha) s_lower) / s) - 1 >= power,
/// d = p - q, s^2 = p (1 - p) + q (1 - q), s_upper^2 and s_lower^2 the constrained_variance of one
/// sample an arm at +margin and -margin; with s = 0 where both arguments are positive. Exact power
/// takes its place as above. Infinity for |d| >= margin; 0 < margin < 1, alpha < 1/2.
double score_tost_sample_size(double p, double q, double margin, double alpha, double power);

}  // namespace moesweep::stats
