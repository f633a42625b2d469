#pragma once
// What the GGUF formats share. Their definition is llama.cpp's scalar reference quantizers without
// importance matrix (ggml/src/ggml-quants.c, functions quantize_row_<format>_ref and
// dequantize_row_<format>, at commit 01243c587fec), evaluated without fused multiply-add; the bytes
// are the structs block_<format> of ggml/src/ggml-common.h.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "round_trip_steps.hpp"

namespace moesweep::kernels::gguf {

inline constexpr std::size_t super_block = 256;
/// A scale below it counts as an all-zero sub-block.
inline constexpr float smallest_magnitude = 1e-15F;

/// To nearest even for |value| <= 2^22. Beyond that, and for what is no number, the definition
/// takes the low bits of the shifted value as they are, and so does this.
inline int nearest_integer(float value) {
  const float shifted = value + 0x1.8p23F;
  return static_cast<int>(std::bit_cast<std::uint32_t>(shifted) & 0x7FFFFFU) - 0x400000;
}

/// Keeps the low 8 bits, as storing into a byte does.
inline int low_byte(int value) {
  return static_cast<int>(static_cast<std::uint8_t>(value));
}

/// Codes of one super-block, before they are packed and after they are unpacked.
using Codes = std::array<std::uint8_t, super_block>;

/// Q2_K, Q3_K and the upper bits of Q6_K: in each half of the block, a byte has the two bits of
/// four weights that are 32 apart.
inline void pack_pairs(std::span<const std::uint8_t> pairs, std::byte* bytes) {
  for (std::size_t half = 0; half < super_block; half += 128, bytes += 32) {
    for (std::size_t i = 0; i < 32; ++i) {
      const auto at = half + i;
      bytes[i] = static_cast<std::byte>(pairs[at] | pairs[at + 32] << 2 | pairs[at + 64] << 4 |
                                        pairs[at + 96] << 6);
    }
  }
}
inline void unpack_pairs(const std::byte* bytes, std::span<std::uint8_t> pairs) {
  for (std::size_t half = 0; half < super_block; half += 128, bytes += 32) {
    for (std::size_t i = 0; i < 32; ++i) {
      const auto four = std::to_integer<unsigned>(bytes[i]);
      for (std::size_t j = 0; j < 4; ++j) {
        pairs[half + 32 * j + i] = static_cast<std::uint8_t>(four >> (2 * j) & 3U);
      }
    }
  }
}

}  // namespace moesweep::kernels::gguf
