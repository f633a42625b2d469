#include <algorithm>
#include <cmath>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/kernels/moments.hpp>

#include "moments_kernel.hpp"

namespace moesweep::kernels {
namespace {

// 16 KiB of values: a second pass over a stretch reads from the first-level cache. An outlier costs
// digits only in its own stretch. Part of the definition of the result: changing it changes bits.
constexpr std::size_t stretch_length = 4096;

// Sums about the pivot to sums about the mean.
Moments central(const PowerSums& sums, std::size_t count) {
  const auto n = static_cast<double>(count);
  const double shift = sums.s1 / n;
  const double shift2 = shift * shift;
  Moments moments;
  moments.count = checked_cast<std::int64_t>(count);
  moments.mean = sums.pivot + shift;
  moments.m2 = std::max(0.0, sums.s2 - n * shift2);
  moments.m3 = sums.s3 - 3.0 * shift * sums.s2 + 2.0 * n * shift2 * shift;
  moments.m4 = std::max(
      0.0, sums.s4 - 4.0 * shift * sums.s3 + 6.0 * shift2 * sums.s2 - 3.0 * n * shift2 * shift2);
  moments.sum_squares = sums.sum_squares;
  moments.minimum = sums.minimum;
  moments.maximum = sums.maximum;
  return moments;
}

}  // namespace

Moments moments_of(std::span<const float> values) {
  Moments total;
  for (std::size_t begin = 0; begin < values.size(); begin += stretch_length) {
    const std::size_t count = std::min(stretch_length, values.size() - begin);
    total = merge(total, central(power_sums(values.data() + begin, count), count));
  }
  return total;
}

Moments merge(const Moments& a, const Moments& b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  const auto na = static_cast<double>(a.count);
  const auto nb = static_cast<double>(b.count);
  const double n = na + nb;
  const double delta = b.mean - a.mean;
  const double step = delta / n;  // products with it keep n^3 and n^4 away
  const double between = delta * step * na * nb;
  Moments sum;
  sum.count = a.count + b.count;
  sum.mean = a.mean + step * nb;
  sum.m2 = a.m2 + b.m2 + between;
  sum.m3 = a.m3 + b.m3 + between * step * (na - nb) + 3.0 * step * (na * b.m2 - nb * a.m2);
  sum.m4 = a.m4 + b.m4 + between * step * step * (na * na - na * nb + nb * nb) +
           6.0 * step * step * (na * na * b.m2 + nb * nb * a.m2) +
           4.0 * step * (na * b.m3 - nb * a.m3);
  sum.sum_squares = a.sum_squares + b.sum_squares;
  sum.minimum = std::min(a.minimum, b.minimum);
  sum.maximum = std::max(a.maximum, b.maximum);
  return sum;
}

double variance(const Moments& moments) {
  return moments.count == 0 ? 0.0 : moments.m2 / static_cast<double>(moments.count);
}

double excess_kurtosis(const Moments& moments) {
  const double spread = variance(moments);
  if (spread == 0.0) return 0.0;
  // Divided twice: the square of a variance near 1e-200 would be 0.
  return moments.m4 / static_cast<double>(moments.count) / spread / spread - 3.0;
}

double noise_amplification(const Moments& moments) {
  if (moments.count == 0 || moments.sum_squares == 0.0) return 0.0;
  const double rms = std::sqrt(moments.sum_squares / static_cast<double>(moments.count));
  return (moments.maximum - moments.minimum) / (16.0 * std::sqrt(12.0) * rms);
}

}  // namespace moesweep::kernels
