#pragma once
// compressed-tensors, symmetric integers by group (calculate_qparams in quantization/utils/
// helpers.py at commit 04a58ff4e00c, and its Triton kernel _quantize_kernel at 027d00c87ca6, which
// divides in binary32):
//   s = T(absmax/((2^b - 1)/2)), T = the weight's dtype; epsilon of T where that is 0
//   q = rint(clamp(w/s, -2^(b-1), 2^(b-1) - 1));  w' = q s
// Stored are q + 2^(b-1), without gaps from the lowest bits on (pack_to_int32 in compressors/
// quantized_compressors/pack_quantized.py), and s in a tensor of its own.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "quantizers/formats.hpp"
#include "round_trip_steps.hpp"
#include "stored_bits.hpp"

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

inline void put_scale(StoredAs stored, float scale, std::byte* bytes) {
  switch (stored) {
    case StoredAs::bf16:
      return put_number(bf16_of(scale), bytes);
    case StoredAs::f16:
      return put_f16(scale, bytes);
    case StoredAs::f32:
      return put_number(scale, bytes);
  }
}

inline float get_scale(StoredAs stored, const std::byte* bytes) {
  switch (stored) {
    case StoredAs::bf16:
      return std::bit_cast<float>(std::uint32_t{get_number<std::uint16_t>(bytes)} << 16);
    case StoredAs::f16:
      return get_f16(bytes);
    case StoredAs::f32:
      break;
  }
  return get_number<float>(bytes);
}

/// To nearest even, |value| <= 2^22: the low bits of the mantissa count units then.
inline int nearest_even(float value) {
  return static_cast<int>(std::bit_cast<std::uint32_t>(value + 0x1.8p23F) & 0x7FFFFFU) - 0x400000;
}

template <int bits>
void encode_symmetric(std::span<const float> in, const BlockContext& context, const PartsOut& out) {
  constexpr auto codes = static_cast<float>(1 << bits);
  constexpr std::size_t codes_a_byte = 8 / bits;
  const auto stored = stored_as(context.weight_dtype);
  const float absmax = largest_magnitude(in, 0.0F);
  float scale = round_to_stored(stored, absmax / ((codes - 1.0F) / 2.0F));
  if (scale == 0.0F) scale = epsilon_of(stored);
  const auto code_of_weight = [&](float weight) {
    const float clamped = std::clamp(weight / scale, -codes / 2.0F, codes / 2.0F - 1.0F);
    return static_cast<unsigned>(nearest_even(clamped) + (1 << (bits - 1)));
  };
  const auto in_whole_bytes = in.size() - in.size() % codes_a_byte;
  for (std::size_t i = 0; i < in_whole_bytes; i += codes_a_byte) {
    unsigned byte = 0;
    for (std::size_t j = 0; j < codes_a_byte; ++j) byte |= code_of_weight(in[i + j]) << (bits * j);
    out.codes[i / codes_a_byte] = static_cast<std::byte>(byte);
  }
  if (in_whole_bytes < in.size()) {
    out.codes[in_whole_bytes / codes_a_byte] =
        static_cast<std::byte>(code_of_weight(in[in_whole_bytes]));
  }
  put_scale(stored, scale, out.scales.data());
}

template <int bits>
void decode_symmetric(const PartsIn& in, const BlockContext& context, std::span<float> out) {
  constexpr std::size_t codes_a_byte = 8 / bits;
  constexpr unsigned mask = (1U << bits) - 1U;
  const float scale = get_scale(stored_as(context.weight_dtype), in.scales.data());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(in.codes[i / codes_a_byte]);
    const auto code = static_cast<int>(byte >> (bits * (i % codes_a_byte)) & mask);
    out[i] = static_cast<float>(code - (1 << (bits - 1))) * scale;
  }
}

}  // namespace moesweep::kernels
