#include <moesweep/model/kernels/noise.hpp>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "noise.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first.
#include <hwy/highway.h>

#include "noise-inl.h"

#if HWY_ONCE

#include <moesweep/core/base/error.hpp>

namespace moesweep::kernels {
namespace {

HWY_EXPORT(counter_noise_blocks);
HWY_EXPORT(spiked_row);

}  // namespace

void counter_noise(const NoiseAddress& from, std::span<float> out) {
  expect(out.size() % noise_block == 0, "counter_noise: not whole blocks");
  HWY_DYNAMIC_DISPATCH(counter_noise_blocks)(from, out.data(), out.size() / noise_block);
}

void spiked_row_bf16(std::span<const float> noise, float noise_scale,
                     std::span<const float> direction, float row_factor,
                     std::span<std::uint16_t> out) {
  expect(noise.size() == out.size() && direction.size() == out.size(),
         "spiked_row_bf16: sizes differ");
  HWY_DYNAMIC_DISPATCH(spiked_row)
  (noise.data(), noise_scale, direction.data(), row_factor, out.data(), out.size());
}

}  // namespace moesweep::kernels

#endif  // HWY_ONCE
