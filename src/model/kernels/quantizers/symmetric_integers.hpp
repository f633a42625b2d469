#pragma once
// compressed-tensors, symmetric integers by group (calculate_qparams in quantization/utils/
// helpers.py at commit 04a58ff4e00c, and its Triton kernel _quantize_kernel at 027d00c87ca6, which
// divides in binary32):
//   s = T(absmax/((2^b - 1)/2)), T = the weight's dtype; epsilon of T where that is 0
//   q = rint(clamp(w/s, -2^(b-1), 2^(b-1) - 1));  w' = q s
// Stored are q + 2^(b-1), without gaps from the lowest bits on (pack_to_int32 in compressors/
// quantized_compressors/pack_quantized.py), and s in a tensor of its own.

#include <algorithm>
#include <array>
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

/// Weights that are converted at once: loops of a fixed length are vectorized.
inline constexpr std::size_t codes_at_once = 32;

/// q + 2^(bits-1) of each weight. Rounding is to nearest even: adding 1.5 * 2^23 leaves units in
/// the lowest bits of the mantissa.
template <int bits>
void codes_of(const float* weights, std::size_t count, float scale, std::uint8_t* codes) {
  constexpr auto half = static_cast<float>(1 << (bits - 1));
  constexpr auto offset = 0x4B400000U - (1U << (bits - 1));  // the bits of 1.5 * 2^23
  for (std::size_t i = 0; i < count; ++i) {
    const float clamped = std::min(std::max(weights[i] / scale, -half), half - 1.0F);
    codes[i] =
        static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(clamped + 0x1.8p23F) - offset);
  }
}

template <int bits>
void encode_symmetric(std::span<const float> in, const BlockContext& context, const PartsOut& out) {
  constexpr auto steps = static_cast<float>(1 << bits);
  constexpr std::size_t codes_a_byte = 8 / bits;
  const auto stored = stored_as(context.weight_dtype);
  const float absmax = largest_magnitude(in, 0.0F);
  float scale = round_to_stored(stored, absmax / ((steps - 1.0F) / 2.0F));
  if (scale == 0.0F) scale = epsilon_of(stored);
  std::array<std::uint8_t, codes_at_once> codes{};
  for (std::size_t begin = 0; begin < in.size(); begin += codes_at_once) {
    const auto count = std::min(codes_at_once, in.size() - begin);
    if (count == codes_at_once) {
      codes_of<bits>(&in[begin], codes_at_once, scale, codes.data());
    } else {
      codes.fill(0);  // what a last byte has no weight for
      codes_of<bits>(&in[begin], count, scale, codes.data());
    }
    auto* const bytes = &out.codes[begin / codes_a_byte];
    for (std::size_t i = 0; i < count; i += codes_a_byte) {
      unsigned byte = codes[i];
      if constexpr (codes_a_byte == 2) byte |= unsigned{codes[i + 1]} << bits;
      bytes[i / codes_a_byte] = static_cast<std::byte>(byte);
    }
  }
  put_scale(stored, scale, out.scales.data());
}

template <int bits>
void decode_symmetric(const PartsIn& in, const BlockContext& context, std::span<float> out) {
  constexpr int half = 1 << (bits - 1);
  const float scale = get_scale(stored_as(context.weight_dtype), in.scales.data());
  if constexpr (bits == 8) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<float>(std::to_integer<int>(in.codes[i]) - half) * scale;
    }
    return;
  }
  std::array<float, std::size_t{1} << bits> values{};
  for (std::size_t code = 0; code < values.size(); ++code) {
    values[code] = static_cast<float>(static_cast<int>(code) - half) * scale;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(in.codes[i / 2]);
    out[i] = values[i % 2 == 0 ? byte & 0xFU : byte >> 4U];
  }
}

}  // namespace moesweep::kernels
