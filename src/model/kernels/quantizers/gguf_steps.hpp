#pragma once
// What the GGUF formats share. Their definition is llama.cpp's scalar reference quantizers without
// importance matrix (ggml/src/ggml-quants.c, functions quantize_row_<format>_ref followed by
// dequantize_row_<format>, at commit 01243c587fec), evaluated without fused multiply-add.

#include <array>
#include <bit>
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

}  // namespace moesweep::kernels::gguf
