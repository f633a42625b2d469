#pragma once
// What the GGUF formats share. Their definition is llama.cpp's scalar reference quantizers without
// importance matrix (ggml/src/ggml-quants.c, functions quantize_row_<format>_ref and
// dequantize_row_<format>, at commit 01243c587fec), evaluated without fused multiply-add; the bytes
// are the structs block_<format> of ggml/src/ggml-common.h.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

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

// Bytes are packed and unpacked in arrays of our own: what is behind a pointer to bytes may be
// anything, and then loops aren't vectorized.

/// Q2_K, Q3_K and the upper bits of Q6_K: in each half of the block, a byte has the two bits of
/// four weights that are 32 apart.
inline void pack_pairs(const Codes& pairs, std::byte* bytes) {
  std::array<std::uint8_t, super_block / 4> packed;
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t i = 0; i < 32; ++i) {
      const auto at = 128 * half + i;
      packed[32 * half + i] = static_cast<std::uint8_t>(pairs[at] | pairs[at + 32] << 2 |
                                                        pairs[at + 64] << 4 | pairs[at + 96] << 6);
    }
  }
  std::memcpy(bytes, packed.data(), packed.size());
}
inline void unpack_pairs(const std::byte* bytes, Codes& pairs) {
  std::array<std::uint8_t, super_block / 4> packed;
  std::memcpy(packed.data(), bytes, packed.size());
  for (std::size_t half = 0; half < 2; ++half) {
    for (unsigned j = 0; j < 4; ++j) {
      for (std::size_t i = 0; i < 32; ++i) {
        pairs[128 * half + 32 * j + i] =
            static_cast<std::uint8_t>(packed[32 * half + i] >> (2 * j) & 3);
      }
    }
  }
}

/// The lower four bits of Q4_K and Q5_K (`apart` is 32) and of Q6_K (64): a byte has those of two
/// weights that are so far apart.
template <std::size_t apart>
void pack_lower_halves(const Codes& codes, std::byte* bytes) {
  std::array<std::uint8_t, super_block / 2> packed;
  for (std::size_t run = 0; run < super_block / 2; run += apart) {
    for (std::size_t i = 0; i < apart; ++i) {
      const auto at = 2 * run + i;
      packed[run + i] = static_cast<std::uint8_t>((codes[at] & 15) | (codes[at + apart] & 15) << 4);
    }
  }
  std::memcpy(bytes, packed.data(), packed.size());
}
template <std::size_t apart>
void unpack_lower_halves(const std::byte* bytes, Codes& codes) {
  std::array<std::uint8_t, super_block / 2> packed;
  std::memcpy(packed.data(), bytes, packed.size());
  for (std::size_t run = 0; run < super_block / 2; run += apart) {
    for (std::size_t i = 0; i < apart; ++i) {
      codes[2 * run + i] = packed[run + i] & 15;
      codes[2 * run + apart + i] = packed[run + i] >> 4;
    }
  }
}

/// The uppermost bit of Q3_K (`bit` is 2) and Q5_K (4): a byte has those of eight weights that are
/// 32 apart.
template <unsigned bit>
void pack_upper_bits(const Codes& codes, std::byte* bytes) {
  std::array<std::uint8_t, super_block / 8> packed{};
  for (unsigned plane = 0; plane < 8; ++plane) {
    for (std::size_t i = 0; i < packed.size(); ++i) {
      packed[i] = static_cast<std::uint8_t>(packed[i] | codes[32 * plane + i] >> bit << plane);
    }
  }
  std::memcpy(bytes, packed.data(), packed.size());
}
/// Adds them to what is in `codes`.
template <unsigned bit>
void unpack_upper_bits(const std::byte* bytes, Codes& codes) {
  std::array<std::uint8_t, super_block / 8> packed;
  std::memcpy(packed.data(), bytes, packed.size());
  for (unsigned plane = 0; plane < 8; ++plane) {
    for (std::size_t i = 0; i < packed.size(); ++i) {
      auto& code = codes[32 * plane + i];
      code = static_cast<std::uint8_t>(code | (packed[i] >> plane & 1) << bit);
    }
  }
}

}  // namespace moesweep::kernels::gguf
