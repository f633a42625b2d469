#include "moments_kernel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "moments_kernel.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first.
#include <hwy/highway.h>

#include "moments-inl.h"

#if HWY_ONCE

namespace moesweep::kernels {

HWY_EXPORT(sum_powers);

PowerSums power_sums(const float* values, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(sum_powers)(values, count);
}

}  // namespace moesweep::kernels

#endif  // HWY_ONCE
