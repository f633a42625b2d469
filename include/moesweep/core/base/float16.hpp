#pragma once
// IEEE 754 binary16 as bits. For whole weights use model/kernels/decode.hpp, which has SIMD.

#include <bit>
#include <cstdint>
#include <optional>

namespace moesweep {

/// Exact for every bit pattern.
constexpr float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) {  // infinities and NaN
    return std::bit_cast<float>(sign | 0x7f800000 | ((magnitude & 0x3ff) << 13));
  }
  if (magnitude < 0x400) {  // subnormal: multiples of 2^-24
    const float value = static_cast<float>(magnitude) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
  }
  constexpr std::uint32_t bias_difference = 127 - 15;
  return std::bit_cast<float>(sign | ((magnitude << 13) + (bias_difference << 23)));
}

/// The half that is exactly `value`; nothing when there is none, and for NaN.
constexpr std::optional<std::uint16_t> exact_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const std::uint32_t exponent = (bits >> 23) & 0xff;
  std::uint32_t magnitude = 0;
  if (exponent == 0xff) {
    magnitude = 0x7c00;
  } else if (exponent >= 113) {
    magnitude = ((bits & 0x7fffffff) - ((127U - 15U) << 23)) >> 13;
    if (magnitude >= 0x7c00) return std::nullopt;
  } else if (exponent >= 103) {
    const std::uint32_t significand = (bits & 0x7fffff) | 0x800000;
    magnitude = significand >> (126 - exponent);
  }
  const auto half = static_cast<std::uint16_t>(sign | magnitude);
  if (std::bit_cast<std::uint32_t>(float_of_half(half)) != bits) return std::nullopt;
  return half;
}

}  // namespace moesweep
