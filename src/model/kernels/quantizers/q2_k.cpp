// GGUF Q2_K: 16 sub-blocks of 16 codes in [0, 3], each with a 4-bit scale and a 4-bit minimum as
// multiples of two binary16 numbers, 84 bytes.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "quantizers/formats.hpp"
#include "quantizers/gguf_steps.hpp"
#include "quantizers/offset_fit.hpp"
#include "stored_bits.hpp"

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

// block_q2_K.
constexpr std::size_t codes_at = count;
constexpr std::size_t scale_at = codes_at + gguf::super_block / 4;
constexpr std::size_t minimum_at = scale_at + sizeof(std::uint16_t);

struct Line {
  float scale = 0.0F;
  float minimum = 0.0F;
};
Line line_of(float d, float d_minimum, int stored) {
  return {d * static_cast<float>(stored & 15), d_minimum * static_cast<float>(stored >> 4)};
}

void encode(std::span<const float> in, const BlockContext&, const PartsOut& out) {
  std::array<int, gguf::super_block> found{};
  std::array<gguf::OffsetFit, count> fits{};
  float largest_scale = 0.0F;
  float largest_minimum = 0.0F;
  for (std::size_t j = 0; j < count; ++j) {
    fits[j] = fit(in.subspan(j * length, length), std::span(found).subspan(j * length, length));
    if (fits[j].scale > largest_scale) largest_scale = fits[j].scale;
    if (fits[j].minimum > largest_minimum) largest_minimum = fits[j].minimum;
  }
  const float to_scale = largest_scale > 0.0F ? 15.0F / largest_scale : 0.0F;
  const float to_minimum = largest_minimum > 0.0F ? 15.0F / largest_minimum : 0.0F;
  const float d = round_to_f16(largest_scale / 15.0F);
  const float d_minimum = round_to_f16(largest_minimum / 15.0F);
  gguf::Codes codes{};
  for (std::size_t j = 0; j < count; ++j) {
    const int stored = packed(fits[j], to_scale, to_minimum);
    const auto [scale, minimum] = line_of(d, d_minimum, stored);
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      // A scale of 0 keeps the codes of the search: they are stored, though nothing reads them.
      if (scale != 0.0F) {
        found[i] = std::clamp(gguf::nearest_integer((in[i] + minimum) / scale), 0, levels);
      }
      codes[i] = static_cast<std::uint8_t>(found[i]);
    }
    out.codes[j] = static_cast<std::byte>(stored);
  }
  gguf::pack_pairs(codes, &out.codes[codes_at]);
  put_f16(d, &out.codes[scale_at]);
  put_f16(d_minimum, &out.codes[minimum_at]);
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  gguf::Codes codes{};
  gguf::unpack_pairs(&in.codes[codes_at], codes);
  const float d = get_f16(&in.codes[scale_at]);
  const float d_minimum = get_f16(&in.codes[minimum_at]);
  for (std::size_t j = 0; j < count; ++j) {
    const auto [scale, minimum] = line_of(d, d_minimum, std::to_integer<int>(in.codes[j]));
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      out[i] = scale * static_cast<float>(codes[i]) - minimum;
    }
  }
}

}  // namespace

BlockFormat q2_k_format() {
  return {.entry = &formats::format_named("q2_k"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
