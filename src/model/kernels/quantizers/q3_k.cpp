// GGUF Q3_K: 16 sub-blocks of 16 codes in [-4, 3], each with a signed 6-bit multiple of one
// binary16 scale, 110 bytes.

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
constexpr int half = 4;

// block_q3_K: the codes' upper bits, a bit plane for every 32 weights; their lower two bits; the
// multiples + 32, of which the lower four bits come first, then the upper two; the scale.
constexpr std::size_t low_at = 32;
constexpr std::size_t multiples_at = low_at + gguf::super_block / 4;
constexpr std::size_t scale_at = multiples_at + 12;

void put_codes(const gguf::Codes& codes, std::span<std::byte> bytes) {
  gguf::Codes low{};
  std::fill_n(bytes.begin(), low_at, std::byte{0});
  for (std::size_t i = 0; i < codes.size(); ++i) {
    low[i] = codes[i] & 3U;
    bytes[i % 32] |= static_cast<std::byte>((codes[i] >> 2) << (i / 32));
  }
  gguf::pack_pairs(low, &bytes[low_at]);
}

void get_codes(std::span<const std::byte> bytes, gguf::Codes& codes) {
  gguf::unpack_pairs(&bytes[low_at], codes);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto upper = std::to_integer<unsigned>(bytes[i % 32]) >> (i / 32) & 1U;
    codes[i] = static_cast<std::uint8_t>(codes[i] | upper << 2);
  }
}

void put_multiples(const std::array<int, count>& multiples, std::byte* bytes) {
  std::fill_n(bytes, 12, std::byte{0});
  for (std::size_t j = 0; j < count; ++j) {
    const auto stored = static_cast<unsigned>(multiples[j] + 32);
    bytes[j % 8] |= static_cast<std::byte>((stored & 15U) << (j < 8 ? 0 : 4));
    bytes[8 + j % 4] |= static_cast<std::byte>((stored >> 4) << (2 * (j / 4)));
  }
}

int get_multiple(const std::byte* bytes, std::size_t j) {
  const auto low = std::to_integer<unsigned>(bytes[j % 8]) >> (j < 8 ? 0 : 4) & 15U;
  const auto upper = std::to_integer<unsigned>(bytes[8 + j % 4]) >> (2 * (j / 4)) & 3U;
  return static_cast<int>(low | upper << 4) - 32;
}

void encode(std::span<const float> in, const BlockContext&, const PartsOut& out) {
  std::array<int, gguf::super_block> found{};
  std::array<float, count> scales{};
  float largest = 0.0F;  // by magnitude, with its sign
  for (std::size_t j = 0; j < count; ++j) {
    scales[j] = gguf::fit_by_descent(in.subspan(j * length, length), half,
                                     std::span(found).subspan(j * length, length));
    if (std::fabs(scales[j]) > std::fabs(largest)) largest = scales[j];
  }
  const bool any = largest != 0.0F;
  const float inverse = any ? -32.0F / largest : 0.0F;
  const float d = any ? round_to_f16(1.0F / inverse) : 0.0F;
  std::array<int, count> multiples{};
  gguf::Codes codes{};
  for (std::size_t j = 0; j < count; ++j) {
    // Without a scale the stored multiples are 0, which stand for -32.
    const auto byte = static_cast<std::int8_t>(gguf::nearest_integer(inverse * scales[j]));
    multiples[j] = any ? std::clamp(int{byte}, -32, 31) : -32;
    const float scale = d * static_cast<float>(multiples[j]);
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      if (scale != 0.0F) {
        found[i] = half + std::clamp(gguf::nearest_integer(in[i] / scale), -half, half - 1);
      }
      codes[i] = static_cast<std::uint8_t>(found[i]);
    }
  }
  put_codes(codes, out.codes);
  put_multiples(multiples, &out.codes[multiples_at]);
  put_f16(d, &out.codes[scale_at]);
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  gguf::Codes codes{};
  get_codes(in.codes, codes);
  const float d = get_f16(&in.codes[scale_at]);
  for (std::size_t j = 0; j < count; ++j) {
    const float scale = d * static_cast<float>(get_multiple(&in.codes[multiples_at], j));
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      out[i] = scale * static_cast<float>(codes[i] - half);
    }
  }
}

}  // namespace

BlockFormat q3_k_format() {
  return {.entry = &formats::format_named("q3_k"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
