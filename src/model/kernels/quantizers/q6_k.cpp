// GGUF Q6_K: 16 sub-blocks of 16 codes in [-32, 31], each with an 8-bit multiple of one binary16
// scale, 210 bytes.

#include <algorithm>
#include <array>
#include <cmath>

#include "quantizers/formats.hpp"
#include "quantizers/gguf_steps.hpp"
#include "quantizers/signed_fit.hpp"

namespace moesweep::kernels {
namespace {

constexpr std::size_t length = 16;
constexpr std::size_t count = gguf::super_block / length;
constexpr int half = 32;

void round_trip(std::span<const float> in, const BlockContext&, std::span<float> out) {
  std::array<int, gguf::super_block> codes{};
  std::array<float, count> scales{};
  float largest = 0.0F;  // by magnitude, with its sign
  for (std::size_t j = 0; j < count; ++j) {
    scales[j] = gguf::fit_by_grid(in.subspan(j * length, length), half,
                                  std::span(codes).subspan(j * length, length));
    if (std::fabs(scales[j]) > std::fabs(largest)) largest = scales[j];
  }
  if (std::fabs(largest) < gguf::smallest_magnitude) {
    std::fill(out.begin(), out.end(), -0.0F);  // scale 0 times code -32
    return;
  }
  const float inverse = -128.0F / largest;
  const float d = round_to_f16(1.0F / inverse);
  for (std::size_t j = 0; j < count; ++j) {
    const int multiple = std::min(127, gguf::nearest_integer(inverse * scales[j]));
    const float scale = d * static_cast<float>(static_cast<std::int8_t>(multiple));
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      if (scale != 0.0F) {
        codes[i] = half + std::clamp(gguf::nearest_integer(in[i] / scale), -half, half - 1);
      }
      out[i] = scale * static_cast<float>(codes[i] - half);
    }
  }
}

}  // namespace

BlockFormat q6_k_format() {
  return {.name = "q6_k",
          .bits = 6,
          .block_length = 256,
          .metadata_bits = 144,
          .relative_cost = 220,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
