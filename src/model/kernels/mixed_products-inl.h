// Products of binary32 rows with binary64 vectors, two vectors at a time, one copy per target.
#if defined(MOESWEEP_KERNELS_MIXED_PRODUCTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_MIXED_PRODUCTS_INL_H
#undef MOESWEEP_KERNELS_MIXED_PRODUCTS_INL_H
#else
#define MOESWEEP_KERNELS_MIXED_PRODUCTS_INL_H
#endif

#include <cstddef>

#include <hwy/highway.h>

#include "mixed_products.hpp"

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using WideTag = hn::ScalableTag<double>;
using NarrowTag = hn::Rebind<float, WideTag>;

HWY_INLINE hn::Vec<WideTag> widened(const float* from) {
  return hn::PromoteTo(WideTag(), hn::LoadU(NarrowTag(), from));
}

Pair dot_pair(const float* HWY_RESTRICT row, std::size_t size, const double* HWY_RESTRICT first,
              const double* HWY_RESTRICT second) {
  const WideTag d;
  const std::size_t lanes = hn::Lanes(d);
  auto sum_first = hn::Zero(d);
  auto sum_second = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto values = widened(row + i);
    sum_first = hn::MulAdd(values, hn::LoadU(d, first + i), sum_first);
    sum_second = hn::MulAdd(values, hn::LoadU(d, second + i), sum_second);
  }
  Pair sums{hn::GetLane(hn::SumOfLanes(d, sum_first)), hn::GetLane(hn::SumOfLanes(d, sum_second))};
  for (; i < size; ++i) {
    sums.first += double{row[i]} * first[i];
    sums.second += double{row[i]} * second[i];
  }
  return sums;
}

void add_scaled_pair(const float* HWY_RESTRICT row, std::size_t size, Pair factors,
                     double* HWY_RESTRICT first, double* HWY_RESTRICT second) {
  const WideTag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor_first = hn::Set(d, factors.first);
  const auto factor_second = hn::Set(d, factors.second);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto values = widened(row + i);
    hn::StoreU(hn::MulAdd(values, factor_first, hn::LoadU(d, first + i)), d, first + i);
    hn::StoreU(hn::MulAdd(values, factor_second, hn::LoadU(d, second + i)), d, second + i);
  }
  for (; i < size; ++i) {
    first[i] += double{row[i]} * factors.first;
    second[i] += double{row[i]} * factors.second;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif  // MOESWEEP_KERNELS_MIXED_PRODUCTS_INL_H
