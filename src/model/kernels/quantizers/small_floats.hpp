#pragma once
// The element and scale types of the OCP Microscaling formats as bits; rounding is to nearest even.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace moesweep::kernels {

/// E2M1: a sign bit, then the magnitudes in order.
inline constexpr std::array<float, 16> e2m1_values = {0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,
                                                      4.0F,  6.0F,  -0.0F, -0.5F, -1.0F, -1.5F,
                                                      -2.0F, -3.0F, -4.0F, -6.0F};
inline constexpr unsigned e2m1_sign = 8;

/// A tie goes to the even mantissa, what is beyond 6 to 6. magnitude >= 0.
inline unsigned e2m1_code(float magnitude) {
  // Sums of comparisons have no branch that weights would make unpredictable.
  return static_cast<unsigned>(magnitude > 0.25F) + static_cast<unsigned>(magnitude >= 0.75F) +
         static_cast<unsigned>(magnitude > 1.25F) + static_cast<unsigned>(magnitude >= 1.75F) +
         static_cast<unsigned>(magnitude > 2.5F) + static_cast<unsigned>(magnitude >= 3.5F) +
         static_cast<unsigned>(magnitude > 5.0F);
}

/// Two codes in a byte, the earlier weight in the low half. A loop of its own: then that which
/// makes the codes is vectorized.
template <std::size_t length>
void pack_neighbours(const std::array<std::uint8_t, length>& codes, std::byte* bytes) {
  for (std::size_t i = 0; i < length; i += 2) {
    bytes[i / 2] = static_cast<std::byte>(codes[i] | codes[i + 1] << 4);
  }
}

/// E4M3: three mantissa bits, multiples of 2^-9 below 2^-6. 0 <= value <= 448.
inline std::uint8_t e4m3_of(float value) {
  if (value < 0x1p-6F) return static_cast<std::uint8_t>(((value + 0x1p14F) - 0x1p14F) * 0x1p9F);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto rounded = (bits + 0x7FFFFU + ((bits >> 20) & 1U)) >> 20;
  return static_cast<std::uint8_t>(rounded - ((127U - 7U) << 3));
}
inline float float_of_e4m3(std::uint8_t code) {
  if (code < 8) return static_cast<float>(code) * 0x1p-9F;
  return std::bit_cast<float>((code + ((127U - 7U) << 3)) << 20);
}

/// E8M0: 2^(code-127), code < 255.
inline float float_of_e8m0(std::uint8_t code) {
  return std::bit_cast<float>(code == 0 ? 0x00400000U : std::uint32_t{code} << 23);
}
/// Half of that.
inline float half_of_e8m0(std::uint8_t code) {
  if (code < 2) return std::bit_cast<float>(0x00200000U << code);
  return std::bit_cast<float>((std::uint32_t{code} - 1U) << 23);
}

}  // namespace moesweep::kernels
