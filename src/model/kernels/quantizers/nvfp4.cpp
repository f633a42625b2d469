// NVFP4 as NVIDIA's Model-Optimizer computes it for weights (modelopt/torch/quantization/qtensor/
// nvfp4_tensor.py at commit 211c6b3413c5, the dynamic path in binary32 on a CPU):
//   g = amax(matrix)/2688;  s = E4M3(max(amax(block)/(6 g), 2^-9)), 1 for a block of zeros
//   q = E2M1(|w|/(s g)) with the sign of w;  w' = q (s g)
// Departures where it yields NaN: s is at most 448 and a matrix of zeros stays zero.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "quantizers/formats.hpp"
#include "quantizers/small_floats.hpp"

namespace moesweep::kernels {
namespace {

constexpr std::size_t length = 16;

float global_scale(const BlockContext& context) {
  return context.matrix_amax / 2688.0F;
}

unsigned code_of_weight(float weight, float scale) {
  const float scaled = weight / scale;
  return e2m1_code(std::fabs(scaled)) | (scaled < 0.0F ? e2m1_sign : 0U);
}

// Two codes in a byte, the earlier weight in the low half; the E4M3 byte is in a tensor of its own.
void encode(std::span<const float> in, const BlockContext& context, const PartsOut& out) {
  const float amax = largest_magnitude(in, 0.0F);
  const float global = global_scale(context);
  const float wanted = amax == 0.0F ? 1.0F : amax / (6.0F * global);
  const float not_zero = wanted == 0.0F ? 1.0F : wanted;  // amax underflowed
  const auto stored = e4m3_of(std::clamp(not_zero, 0x1p-9F, 448.0F));
  out.scales[0] = std::byte{stored};
  const float scale = float_of_e4m3(stored) * global;
  if (scale == 0.0F) {
    std::ranges::fill(out.codes, std::byte{0});
    return;
  }
  std::array<std::uint8_t, length> codes;
  for (std::size_t i = 0; i < length; ++i) {
    codes[i] = static_cast<std::uint8_t>(code_of_weight(in[i], scale));
  }
  pack_neighbours(codes, out.codes.data());
}

float value_of(unsigned code, float scale) {
  return (e2m1_values[code] + 0.0F) * scale;  // both zeros are +0
}

void decode(const PartsIn& in, const BlockContext& context, std::span<float> out) {
  const float scale =
      float_of_e4m3(std::to_integer<std::uint8_t>(in.scales[0])) * global_scale(context);
  for (std::size_t i = 0; i < out.size(); i += 2) {
    const auto pair = std::to_integer<unsigned>(in.codes[i / 2]);
    out[i] = value_of(pair & 15U, scale);
    out[i + 1] = value_of(pair >> 4, scale);
  }
}

}  // namespace

BlockFormat nvfp4_format() {
  return {.entry = &formats::format_named("nvfp4"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
