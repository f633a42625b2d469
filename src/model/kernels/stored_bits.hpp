#pragma once
// Numbers as the bits that files store.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <moesweep/core/base/float16.hpp>

#include "round_trip_steps.hpp"

namespace moesweep::kernels {

/// To nearest even; NaN stays NaN.
inline std::uint16_t bf16_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(round_to_bf16(value)) >> 16);
}

inline std::uint16_t f16_of(float value) {
  if (std::isnan(value)) return std::signbit(value) ? 0xfe00 : 0x7e00;
  return exact_half(round_to_f16(value)).value();
}

template <typename Number>
void put_number(Number number, std::byte* bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(bytes, &number, sizeof number);
}

template <typename Number>
Number get_number(const std::byte* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

inline void put_f16(float value, std::byte* bytes) {
  put_number(f16_of(value), bytes);
}
inline float get_f16(const std::byte* bytes) {
  return float_of_half(get_number<std::uint16_t>(bytes));
}

}  // namespace moesweep::kernels
