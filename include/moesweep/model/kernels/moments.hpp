#pragma once
// Power sums of weights in float64.

#include <cstdint>
#include <span>

namespace moesweep::kernels {

/// Central sums of `count` values: m2 = sum (x-mean)^2, and so on up to the fourth power.
struct Moments {
  std::int64_t count = 0;
  double mean = 0.0;
  double m2 = 0.0;
  double m3 = 0.0;
  double m4 = 0.0;
  double sum_squares = 0.0;  ///< sum x^2, about zero
  double minimum = 0.0;      ///< undefined while count is 0
  double maximum = 0.0;
};

/// Moments of one block of finite values: power sums of short fixed stretches of it, about 0 or,
/// where that would cost digits, about their means, merged in order. Equal values give m2, m3 and
/// m4 of exactly 0. The order of additions depends on the instruction set and the length only,
/// never on alignment or threads.
Moments moments_of(std::span<const float> values);

/// Moments of the union (Pebay, SAND2008-6212). Not associative in the last bit: merge in a fixed
/// order.
Moments merge(const Moments& a, const Moments& b);

/// Population variance m2/n; 0 for no values.
double variance(const Moments& moments);
/// m4/m2^2 * n - 3, population; 0 when the variance is 0.
double excess_kurtosis(const Moments& moments);
/// delta = (max-min)/(16 sqrt(12) rms), with rms = sqrt(sum_squares/n): the amplification of
/// uniform noise of width range/16 by isotropic probes (SWAN's output metric in closed form). 0
/// when rms is 0.
double noise_amplification(const Moments& moments);

}  // namespace moesweep::kernels
