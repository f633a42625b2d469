// MXFP4 as GGUF files have it (quantize_row_mxfp4_ref and dequantize_row_mxfp4 of llama.cpp's
// ggml/src/ggml-quants.c, commit 01243c587fec): the exponent floor(log2f(amax)) - 2, in which the
// binary32 logarithm rounds up just below powers of two, and the nearest code with ties towards
// zero.

#include <algorithm>
#include <array>
#include <cmath>

#include "quantizers/formats.hpp"

namespace moesweep::kernels {
namespace {

/// Twice the E2M1 values, which are then integers; the scale is halved instead.
constexpr std::array<float, 15> doubled = {0.0F,  1.0F,  2.0F,  3.0F,  4.0F,  6.0F,  8.0F,  12.0F,
                                           -1.0F, -2.0F, -3.0F, -4.0F, -6.0F, -8.0F, -12.0F};

float nearest(float value, float half_scale) {
  float best = 0.0F;
  float least = std::fabs(best * half_scale - value);
  for (const float candidate : doubled) {
    const float error = std::fabs(candidate * half_scale - value);
    if (error < least) {
      best = candidate;
      least = error;
    }
  }
  return best * half_scale;
}

void round_trip(std::span<const float> in, const BlockContext&, std::span<float> out) {
  const float amax = largest_magnitude(in, 0.0F);
  const float exponent = amax > 0.0F ? std::floor(std::log2(amax)) - 2.0F : -127.0F;
  // The stored byte cannot go below 0.
  const float half_scale = std::ldexp(0.5F, std::max(static_cast<int>(exponent), -127));
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = nearest(in[i], half_scale);
}

}  // namespace

BlockFormat mxfp4_ggml_format() {
  return {.name = "mxfp4_ggml",
          .bits = 4,
          .block_length = 32,
          .metadata_bits = 8,
          .relative_cost = 90,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
