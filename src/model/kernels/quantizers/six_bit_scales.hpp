#pragma once
// What Q4_K and Q5_K share: 8 sub-blocks of 32 weights, their scales and minima as 6-bit multiples
// of two binary16 numbers. A block begins with the two numbers and the multiples.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quantizers/gguf_steps.hpp"
#include "quantizers/offset_fit.hpp"

namespace moesweep::kernels::gguf {

/// Where the codes begin.
inline constexpr std::size_t six_bit_scales_bytes = 16;

/// Codes in [0, levels], which the format packs in its way; writes the block's first bytes.
void encode_six_bit_scales(std::span<const float> in, int levels, const ScaleGrid& grid,
                           std::byte* bytes, Codes& codes);

void decode_six_bit_scales(const std::byte* bytes, const Codes& codes, std::span<float> out);

}  // namespace moesweep::kernels::gguf
