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
using Full = hn::ScalableTag<float>;
using FullVec = hn::Vec<Full>;

HWY_INLINE void add_powers(double x, PowerSums& sums) {
  const double xx = x * x;
  sums.s1 += x;
  sums.s2 += xx;
  sums.s3 += xx * x;
  sums.s4 += xx * xx;
}

HWY_INLINE WideVec load_wide(const float* values) {
  return hn::PromoteTo(Wide(), hn::LoadU(Narrow(), values));
}

HWY_INLINE double reduce(WideVec a, WideVec b) {
  return hn::GetLane(hn::SumOfLanes(Wide(), hn::Add(a, b)));
}

// Two take vectors in turn, which hides the latency of additions; their order is the same for every
// call of a target.
struct PowerLanes {
  WideVec s1, s2, s3, s4;

  HWY_INLINE PowerLanes() : s1(hn::Zero(Wide())), s2(s1), s3(s1), s4(s1) {}

  HWY_INLINE void add(WideVec x) {
    const WideVec xx = hn::Mul(x, x);
    s1 = hn::Add(s1, x);
    s2 = hn::Add(s2, xx);
    s3 = hn::MulAdd(xx, x, s3);
    s4 = hn::MulAdd(xx, xx, s4);
  }
};

HWY_INLINE void reduce(const PowerLanes& a, const PowerLanes& b, PowerSums& sums) {
  sums.s1 = reduce(a.s1, b.s1);
  sums.s2 = reduce(a.s2, b.s2);
  sums.s3 = reduce(a.s3, b.s3);
  sums.s4 = reduce(a.s4, b.s4);
}

// Fills all but sum_squares, about a pivot of 0.
inline void range_and_powers(const float* values, std::size_t count, PowerSums& sums) {
  const Wide d;
  const Full full;
  const std::size_t lanes = hn::Lanes(d);
  PowerLanes a, b;
  FullVec low = hn::Set(full, values[0]), high = low;
  std::size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    for (std::size_t j = 0; j < 2 * lanes; j += hn::Lanes(full)) {
      const FullVec both = hn::LoadU(full, values + i + j);
      low = hn::Min(low, both);
      high = hn::Max(high, both);
    }
    a.add(load_wide(values + i));
    b.add(load_wide(values + i + lanes));
  }
  reduce(a, b, sums);
  float lowest = hn::GetLane(hn::MinOfLanes(full, low));
  float highest = hn::GetLane(hn::MaxOfLanes(full, high));
  for (; i < count; ++i) {
    add_powers(static_cast<double>(values[i]), sums);
    lowest = HWY_MIN(lowest, values[i]);
    highest = HWY_MAX(highest, values[i]);
  }
  sums.minimum = static_cast<double>(lowest);
  sums.maximum = static_cast<double>(highest);
}

inline void powers_about_pivot(const float* values, std::size_t count, PowerSums& sums) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  const WideVec pivot = hn::Set(d, sums.pivot);
  PowerLanes a, b;
  std::size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    a.add(hn::Sub(load_wide(values + i), pivot));
    b.add(hn::Sub(load_wide(values + i + lanes), pivot));
  }
  reduce(a, b, sums);
  for (; i < count; ++i) add_powers(static_cast<double>(values[i]) - sums.pivot, sums);
}

inline PowerSums sum_powers(const float* values, std::size_t count) {
  PowerSums sums;
  range_and_powers(values, count, sums);
  sums.sum_squares = sums.s2;
  const auto n = static_cast<double>(count);
  const double mean = sums.s1 / n;
  const double spread = sums.s2 / n - mean * mean;
  if (mean * mean > spread) {
    sums.pivot = mean;
    powers_about_pivot(values, count, sums);
  }
  return sums;
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif
