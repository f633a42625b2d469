#pragma once
// compressed-tensors, symmetric integers by group (calculate_qparams in quantization/utils/
// helpers.py at commit 04a58ff4e00c, and its Triton kernel _quantize_kernel at 027d00c87ca6, which
// divides in binary32):
//   s = T(absmax/((2^b - 1)/2)), T = the weight's dtype; epsilon of T where that is 0
//   q = rint(clamp(w/s, -2^(b-1), 2^(b-1) - 1));  w' = q s

#include <algorithm>
#include <cmath>
#include <span>

#include <moesweep/model/kernels/quantizer_registry.hpp>

#include "round_trip_steps.hpp"

namespace moesweep::kernels {

inline float epsilon_of(StoredAs stored) {
  switch (stored) {
    case StoredAs::bf16:
      return 0x1p-7F;
    case StoredAs::f16:
      return 0x1p-10F;
    case StoredAs::f32:
      break;
  }
  return 0x1p-23F;
}

template <int bits>
void round_trip_symmetric(std::span<const float> in, const BlockContext& context,
                          std::span<float> out) {
  constexpr auto codes = static_cast<float>(1 << bits);
  const auto stored = stored_as(context.weight_dtype);
  const float absmax = largest_magnitude(in, 0.0F);
  float scale = round_to_stored(stored, absmax / ((codes - 1.0F) / 2.0F));
  if (scale == 0.0F) scale = epsilon_of(stored);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const float clamped = std::clamp(in[i] / scale, -codes / 2.0F, codes / 2.0F - 1.0F);
    out[i] = (std::nearbyint(clamped) + 0.0F) * scale;  // a code of -0 is the integer 0
  }
}

}  // namespace moesweep::kernels
