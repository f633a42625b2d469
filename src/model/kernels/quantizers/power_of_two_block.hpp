#pragma once
// MXFP4 of the OCP specification but for the rule that chooses a block's exponent: codes two in a
// byte, the earlier weight in the low half, and one E8M0 byte in a tensor of its own.

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include "quantizers/formats.hpp"
#include "quantizers/small_floats.hpp"

namespace moesweep::kernels {

inline constexpr std::size_t mxfp4_length = 32;

/// E2M1 of a weight over the scale, to nearest even, saturating; -0 keeps its sign.
inline unsigned signed_e2m1_code(float weight, float inverse_scale) {
  const unsigned sign = std::signbit(weight) ? e2m1_sign : 0U;
  return e2m1_code(std::fabs(weight * inverse_scale)) | sign;
}

/// exponent in [-127, 127].
inline void encode_with_exponent(std::span<const float> in, int exponent, const PartsOut& out) {
  const float inverse = std::ldexp(1.0F, -exponent);
  std::array<std::uint8_t, mxfp4_length> codes;
  for (std::size_t i = 0; i < mxfp4_length; ++i) {
    codes[i] = static_cast<std::uint8_t>(signed_e2m1_code(in[i], inverse));
  }
  pack_neighbours(codes, out.codes.data());
  out.scales[0] = static_cast<std::byte>(exponent + 127);
}

inline void decode_power_of_two_block(const PartsIn& in, const BlockContext&,
                                      std::span<float> out) {
  const float scale = float_of_e8m0(std::to_integer<std::uint8_t>(in.scales[0]));
  for (std::size_t i = 0; i < out.size(); i += 2) {
    const auto pair = std::to_integer<unsigned>(in.codes[i / 2]);
    out[i] = e2m1_values[pair & 15U] * scale;
    out[i + 1] = e2m1_values[pair >> 4] * scale;
  }
}

/// `exponent_for` takes the block's largest magnitude and gives an exponent in [-127, 127].
template <int (*exponent_for)(float amax)>
BlockFormat mxfp4_format(std::string_view name) {
  return {.entry = &formats::format_named(name),
          .encode =
              [](std::span<const float> in, const BlockContext&, const PartsOut& out) {
                encode_with_exponent(in, exponent_for(largest_magnitude(in, 0.0F)), out);
              },
          .decode = decode_power_of_two_block};
}

}  // namespace moesweep::kernels
