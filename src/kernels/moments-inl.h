// Power sums, one copy per target. No include guard of the usual kind: the file is compiled once
// for each target.
#if defined(MOESWEEP_KERNELS_MOMENTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_MOMENTS_INL_H
#undef MOESWEEP_KERNELS_MOMENTS_INL_H
#else
#define MOESWEEP_KERNELS_MOMENTS_INL_H
#endif

#include <cstddef>

#include <hwy/highway.h>

#include "moments_kernel.hpp"

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Wide = hn::ScalableTag<double>;
using Narrow = hn::Rebind<float, Wide>;
using WideVec = hn::Vec<Wide>;

// Unrolled by two: the chains of additions are then long enough to hide their latency, and the
// order of additions is the same for every call of a target.
HWY_INLINE WideVec load_wide(const float* values) {
  return hn::PromoteTo(Wide(), hn::LoadU(Narrow(), values));
}

HWY_INLINE double reduce(WideVec a, WideVec b) {
  return hn::GetLane(hn::SumOfLanes(Wide(), hn::Add(a, b)));
}

// Fills pivot (the mean), sum_squares, minimum and maximum.
inline void range_and_mean(const float* values, std::size_t count, PowerSums& sums) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  WideVec sum0 = hn::Zero(d), sum1 = hn::Zero(d), square0 = hn::Zero(d), square1 = hn::Zero(d);
  WideVec low = hn::Set(d, static_cast<double>(values[0])), high = low;
  std::size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const WideVec x0 = load_wide(values + i), x1 = load_wide(values + i + lanes);
    sum0 = hn::Add(sum0, x0);
    sum1 = hn::Add(sum1, x1);
    square0 = hn::MulAdd(x0, x0, square0);
    square1 = hn::MulAdd(x1, x1, square1);
    low = hn::Min(low, hn::Min(x0, x1));
    high = hn::Max(high, hn::Max(x0, x1));
  }
  double sum = reduce(sum0, sum1);
  sums.sum_squares = reduce(square0, square1);
  sums.minimum = hn::GetLane(hn::MinOfLanes(d, low));
  sums.maximum = hn::GetLane(hn::MaxOfLanes(d, high));
  for (; i < count; ++i) {
    const auto x = static_cast<double>(values[i]);
    sum += x;
    sums.sum_squares += x * x;
    sums.minimum = HWY_MIN(sums.minimum, x);
    sums.maximum = HWY_MAX(sums.maximum, x);
  }
  sums.pivot = sum / static_cast<double>(count);
}

inline void powers_about_pivot(const float* values, std::size_t count, PowerSums& sums) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  const WideVec pivot = hn::Set(d, sums.pivot);
  WideVec a1 = hn::Zero(d), a2 = a1, a3 = a1, a4 = a1, b1 = a1, b2 = a1, b3 = a1, b4 = a1;
  std::size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const WideVec x = hn::Sub(load_wide(values + i), pivot);
    const WideVec y = hn::Sub(load_wide(values + i + lanes), pivot);
    const WideVec xx = hn::Mul(x, x), yy = hn::Mul(y, y);
    a1 = hn::Add(a1, x);
    b1 = hn::Add(b1, y);
    a2 = hn::Add(a2, xx);
    b2 = hn::Add(b2, yy);
    a3 = hn::MulAdd(xx, x, a3);
    b3 = hn::MulAdd(yy, y, b3);
    a4 = hn::MulAdd(xx, xx, a4);
    b4 = hn::MulAdd(yy, yy, b4);
  }
  sums.s1 = reduce(a1, b1);
  sums.s2 = reduce(a2, b2);
  sums.s3 = reduce(a3, b3);
  sums.s4 = reduce(a4, b4);
  for (; i < count; ++i) {
    const double x = static_cast<double>(values[i]) - sums.pivot;
    sums.s1 += x;
    sums.s2 += x * x;
    sums.s3 += x * x * x;
    sums.s4 += (x * x) * (x * x);
  }
}

inline PowerSums sum_powers(const float* values, std::size_t count) {
  PowerSums sums;
  range_and_mean(values, count, sums);
  powers_about_pivot(values, count, sums);
  return sums;
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif
