// GGUF Q3_K: 16 sub-blocks of 16 codes in [-4, 3], each with a signed 6-bit multiple of one
// binary16 scale, 110 bytes.

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
constexpr int half = 4;

void round_trip(std::span<const float> in, const BlockContext&, std::span<float> out) {
  std::array<int, gguf::super_block> codes{};
  std::array<float, count> scales{};
  float largest = 0.0F;  // by magnitude, with its sign
  for (std::size_t j = 0; j < count; ++j) {
    scales[j] = gguf::fit_by_descent(in.subspan(j * length, length), half,
                                     std::span(codes).subspan(j * length, length));
    if (std::fabs(scales[j]) > std::fabs(largest)) largest = scales[j];
  }
  const bool any = largest != 0.0F;
  const float inverse = any ? -32.0F / largest : 0.0F;
  const float d = any ? round_to_f16(1.0F / inverse) : 0.0F;
  for (std::size_t j = 0; j < count; ++j) {
    // Without a scale the stored multiples are 0, which stand for -32.
    const auto byte = static_cast<std::int8_t>(gguf::nearest_integer(inverse * scales[j]));
    const int multiple = any ? std::clamp(int{byte}, -32, 31) : -32;
    const float scale = d * static_cast<float>(multiple);
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      if (scale != 0.0F) {
        codes[i] = half + std::clamp(gguf::nearest_integer(in[i] / scale), -half, half - 1);
      }
      out[i] = scale * static_cast<float>(codes[i] - half);
    }
  }
}

}  // namespace

BlockFormat q3_k_format() {
  return {.name = "q3_k",
          .bits = 3,
          .block_length = 256,
          .metadata_bits = 112,
          .relative_cost = 66,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
