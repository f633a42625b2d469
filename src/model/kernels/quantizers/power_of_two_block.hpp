#pragma once
// MXFP4 but for the rule that chooses a block's exponent.

#include <cmath>
#include <span>
#include <string_view>

#include "quantizers/formats.hpp"
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

/// `exponent_for` takes the block's largest magnitude and gives an exponent in [-127, 127].
template <int (*exponent_for)(float amax)>
BlockFormat mxfp4_format(std::string_view name) {
  return {.name = name,
          .bits = 4,
          .block_length = 32,
          .metadata_bits = 8,
          .relative_cost = 26,
          .round_trip = [](std::span<const float> in, const BlockContext&, std::span<float> out) {
            round_trip_with_exponent(in, exponent_for(largest_magnitude(in, 0.0F)), out);
          }};
}

}  // namespace moesweep::kernels
