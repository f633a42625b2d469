// GGUF Q6_K: 16 sub-blocks of 16 codes in [-32, 31], each with an 8-bit multiple of one binary16
// scale, 210 bytes.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "quantizers/formats.hpp"
#include "quantizers/gguf_steps.hpp"
#include "quantizers/signed_fit.hpp"
#include "stored_bits.hpp"

namespace moesweep::kernels {
namespace {

constexpr std::size_t length = 16;
constexpr std::size_t count = gguf::super_block / length;
constexpr int half = 32;

// block_q6_K: the codes' lower four bits, their upper two, the multiples, the scale.
constexpr std::size_t upper_at = gguf::super_block / 2;
constexpr std::size_t multiples_at = upper_at + gguf::super_block / 4;
constexpr std::size_t scale_at = multiples_at + count;

void put_codes(const gguf::Codes& codes, std::span<std::byte> bytes) {
  gguf::Codes upper{};
  for (std::size_t i = 0; i < codes.size(); ++i) upper[i] = codes[i] >> 4;
  gguf::pack_pairs(upper, &bytes[upper_at]);
  gguf::pack_lower_halves<64>(codes, bytes.data());
}

void get_codes(std::span<const std::byte> bytes, gguf::Codes& codes) {
  gguf::Codes upper{};
  gguf::unpack_pairs(&bytes[upper_at], upper);
  gguf::unpack_lower_halves<64>(bytes.data(), codes);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<std::uint8_t>(codes[i] | upper[i] << 4);
  }
}

void encode(std::span<const float> in, const BlockContext&, const PartsOut& out) {
  std::array<int, gguf::super_block> found{};
  std::array<float, count> scales{};
  float largest = 0.0F;  // by magnitude, with its sign
  for (std::size_t j = 0; j < count; ++j) {
    scales[j] = gguf::fit_by_grid(in.subspan(j * length, length), half,
                                  std::span(found).subspan(j * length, length));
    if (std::fabs(scales[j]) > std::fabs(largest)) largest = scales[j];
  }
  if (std::fabs(largest) < gguf::smallest_magnitude) {
    std::ranges::fill(out.codes, std::byte{0});  // decodes to scale 0 times code -32: -0
    return;
  }
  const float inverse = -128.0F / largest;
  const float d = round_to_f16(1.0F / inverse);
  gguf::Codes codes{};
  for (std::size_t j = 0; j < count; ++j) {
    const auto multiple =
        static_cast<std::int8_t>(std::min(127, gguf::nearest_integer(inverse * scales[j])));
    const float scale = d * static_cast<float>(multiple);
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      if (scale != 0.0F) {
        found[i] = half + std::clamp(gguf::nearest_integer(in[i] / scale), -half, half - 1);
      }
      codes[i] = static_cast<std::uint8_t>(found[i]);
    }
    out.codes[multiples_at + j] = static_cast<std::byte>(multiple);
  }
  put_codes(codes, out.codes);
  put_f16(d, &out.codes[scale_at]);
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  gguf::Codes codes{};
  get_codes(in.codes, codes);
  const float d = get_f16(&in.codes[scale_at]);
  for (std::size_t j = 0; j < count; ++j) {
    const auto multiple = static_cast<std::int8_t>(in.codes[multiples_at + j]);
    const float scale = d * static_cast<float>(multiple);
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      out[i] = scale * static_cast<float>(codes[i] - half);
    }
  }
}

}  // namespace

BlockFormat q6_k_format() {
  return {.entry = &formats::format_named("q6_k"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
