#pragma once
// Rounding to the element and scale types of the OCP Microscaling formats, to nearest even.

#include <bit>
#include <cstdint>

namespace moesweep::kernels {

/// E2M1 has the magnitudes 0, 0.5, 1, 1.5, 2, 3, 4, 6. A tie goes to the even mantissa, what is
/// beyond 6 to 6. magnitude >= 0.
inline float round_to_e2m1(float magnitude) {
  if (magnitude <= 0.25F) return 0.0F;
  if (magnitude < 0.75F) return 0.5F;
  if (magnitude <= 1.25F) return 1.0F;
  if (magnitude < 1.75F) return 1.5F;
  if (magnitude <= 2.5F) return 2.0F;
  if (magnitude < 3.5F) return 3.0F;
  return magnitude <= 5.0F ? 4.0F : 6.0F;
}

/// E4M3: three mantissa bits, multiples of 2^-9 below 2^-6. 0 <= value <= 448.
inline float round_to_e4m3(float value) {
  if (value < 0x1p-6F) return (value + 0x1p14F) - 0x1p14F;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7FFFFU + ((bits >> 20) & 1U)) & 0xFFF00000U);
}

}  // namespace moesweep::kernels
