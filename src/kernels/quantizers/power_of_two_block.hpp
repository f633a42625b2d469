#pragma once
// MXFP4 once the exponent is chosen.

#include <cmath>
#include <span>

#include "quantizers/small_floats.hpp"

namespace moesweep::kernels {

/// E2M1 of each weight over 2^exponent (to nearest even, saturating, signed zeros), scaled back.
/// exponent in [-127, 127].
inline void round_trip_with_exponent(std::span<const float> in, int exponent,
                                     std::span<float> out) {
  const float inverse = std::ldexp(1.0F, -exponent);
  const float scale = std::ldexp(1.0F, exponent);
  for (std::size_t i = 0; i < in.size(); ++i) {
    out[i] = std::copysign(round_to_e2m1(std::fabs(in[i] * inverse)), in[i]) * scale;
  }
}

}  // namespace moesweep::kernels
