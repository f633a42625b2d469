// GGUF Q2_K: 16 sub-blocks of 16 codes in [0, 3], each with a 4-bit scale and a 4-bit minimum as
// multiples of two binary16 numbers, 84 bytes.

#include <algorithm>
#include <array>
#include <cmath>

#include "quantizers/formats.hpp"
#include "quantizers/gguf_steps.hpp"
#include "quantizers/offset_fit.hpp"

namespace moesweep::kernels {
namespace {

constexpr std::size_t length = 16;
constexpr std::size_t count = gguf::super_block / length;
constexpr int levels = 3;
constexpr gguf::ScaleGrid grid = {.first = -0.5F, .step = 0.1F, .last = 15, .absolute_error = true};

gguf::OffsetFit fit(std::span<const float> x, std::span<int> codes) {
  std::array<float, length> weights{};
  for (std::size_t i = 0; i < length; ++i) weights[i] = std::fabs(x[i]);
  return gguf::fit_with_offset(x, weights, levels, grid, codes);
}

/// Scale in the low four bits, minimum in the high ones. A negative scale (a fit may have one)
/// spills into the high bits, as in the definition.
int packed(const gguf::OffsetFit& fitted, float to_scale, float to_minimum) {
  const int scale = gguf::nearest_integer(to_scale * fitted.scale);
  const int minimum = gguf::nearest_integer(to_minimum * fitted.minimum);
  return gguf::low_byte(gguf::low_byte(scale) | gguf::low_byte(minimum * 16));
}

void round_trip(std::span<const float> in, const BlockContext&, std::span<float> out) {
  std::array<int, gguf::super_block> codes{};
  std::array<gguf::OffsetFit, count> fits{};
  float largest_scale = 0.0F;
  float largest_minimum = 0.0F;
  for (std::size_t j = 0; j < count; ++j) {
    fits[j] = fit(in.subspan(j * length, length), std::span(codes).subspan(j * length, length));
    if (fits[j].scale > largest_scale) largest_scale = fits[j].scale;
    if (fits[j].minimum > largest_minimum) largest_minimum = fits[j].minimum;
  }
  const float to_scale = largest_scale > 0.0F ? 15.0F / largest_scale : 0.0F;
  const float to_minimum = largest_minimum > 0.0F ? 15.0F / largest_minimum : 0.0F;
  const float d = round_to_f16(largest_scale / 15.0F);
  const float d_minimum = round_to_f16(largest_minimum / 15.0F);
  for (std::size_t j = 0; j < count; ++j) {
    const int stored = packed(fits[j], to_scale, to_minimum);
    const float scale = d * static_cast<float>(stored & 15);
    const float minimum = d_minimum * static_cast<float>(stored >> 4);
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      if (scale != 0.0F) {
        codes[i] = std::clamp(gguf::nearest_integer((in[i] + minimum) / scale), 0, levels);
      }
      out[i] = scale * static_cast<float>(codes[i]) - minimum;
    }
  }
}

}  // namespace

BlockFormat q2_k_format() {
  return {.name = "q2_k",
          .bits = 2,
          .block_length = 256,
          .metadata_bits = 160,
          .relative_cost = 310,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
