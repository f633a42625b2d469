// MXFP4 as GGUF files have it (quantize_row_mxfp4_ref and dequantize_row_mxfp4 of llama.cpp's
// ggml/src/ggml-quants.c, commit 01243c587fec): the exponent floor(log2f(amax)) - 2, in which the
// binary32 logarithm rounds up just below powers of two, and the nearest code with ties towards
// zero.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "quantizers/formats.hpp"
#include "quantizers/small_floats.hpp"

namespace moesweep::kernels {
namespace {

/// Twice the E2M1 values, which are then integers; the scale is halved instead.
constexpr std::array<float, 16> doubled = {0.0F, 1.0F,  2.0F,  3.0F,  4.0F,  6.0F,  8.0F,  12.0F,
                                           0.0F, -1.0F, -2.0F, -3.0F, -4.0F, -6.0F, -8.0F, -12.0F};
constexpr std::size_t half_block = 16;

using Levels = std::array<float, doubled.size()>;

Levels levels_of(float half_scale) {
  Levels levels{};
  for (std::size_t i = 0; i < levels.size(); ++i) levels[i] = doubled[i] * half_scale;
  return levels;
}

/// The first of those that are nearest.
unsigned nearest(float value, const Levels& levels) {
  unsigned best = 0;
  float least = std::fabs(levels[0] - value);
  for (unsigned i = 1; i < levels.size(); ++i) {
    const float error = std::fabs(levels[i] - value);
    best = error < least ? i : best;
    least = error < least ? error : least;
  }
  return best;
}

// block_mxfp4: the E8M0 byte, then codes of the first half of the block in the low halves.
void encode(std::span<const float> in, const BlockContext&, const PartsOut& out) {
  const float amax = largest_magnitude(in, 0.0F);
  const float exponent = amax > 0.0F ? std::floor(std::log2(amax)) - 2.0F : -127.0F;
  // The stored byte cannot go below 0; ggml's wraps around for blocks below 2^-125.
  const auto stored = static_cast<std::uint8_t>(std::clamp(exponent, -127.0F, 127.0F) + 127.0F);
  const auto levels = levels_of(half_of_e8m0(stored));
  out.codes[0] = std::byte{stored};
  for (std::size_t i = 0; i < half_block; ++i) {
    out.codes[1 + i] =
        static_cast<std::byte>(nearest(in[i], levels) | nearest(in[i + half_block], levels) << 4);
  }
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  const auto levels = levels_of(half_of_e8m0(std::to_integer<std::uint8_t>(in.codes[0])));
  for (std::size_t i = 0; i < half_block; ++i) {
    const auto pair = std::to_integer<unsigned>(in.codes[1 + i]);
    out[i] = levels[pair & 15U];
    out[i + half_block] = levels[pair >> 4];
  }
}

}  // namespace

BlockFormat mxfp4_ggml_format() {
  return {.entry = &formats::format_named("mxfp4_ggml"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
