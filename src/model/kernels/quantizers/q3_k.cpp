// GGUF Q3_K: 16 sub-blocks of 16 codes in [-4, 3], each with a signed 6-bit multiple of one
// binary16 scale, 110 bytes.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

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
  for (std::size_t i = 0; i < codes.size(); ++i) low[i] = codes[i] & 3U;
  gguf::pack_upper_bits<2>(codes, bytes.data());
  gguf::pack_pairs(low, &bytes[low_at]);
}

void get_codes(std::span<const std::byte> bytes, gguf::Codes& codes) {
  gguf::unpack_pairs(&bytes[low_at], codes);
  gguf::unpack_upper_bits<2>(bytes.data(), codes);
}

using Multiples = std::array<int, count>;

void put_multiples(const Multiples& multiples, std::byte* bytes) {
  std::array<std::uint8_t, 12> packed{};
  for (std::size_t j = 0; j < count; ++j) {
    const auto stored = static_cast<unsigned>(multiples[j] + 32);
    packed[j % 8] = static_cast<std::uint8_t>(packed[j % 8] | (stored & 15U) << (j < 8 ? 0 : 4));
    auto& upper = packed[8 + j % 4];
    upper = static_cast<std::uint8_t>(upper | (stored >> 4) << (2 * (j / 4)));
  }
  std::memcpy(bytes, packed.data(), packed.size());
}

Multiples get_multiples(const std::byte* bytes) {
  std::array<std::uint8_t, 12> packed;
  std::memcpy(packed.data(), bytes, packed.size());
  Multiples multiples;
  for (std::size_t j = 0; j < count; ++j) {
    const int low = packed[j % 8] >> (j < 8 ? 0 : 4) & 15;
    const int upper = packed[8 + j % 4] >> (2 * (j / 4)) & 3;
    multiples[j] = (low | upper << 4) - 32;
  }
  return multiples;
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
  Multiples multiples{};
  for (std::size_t j = 0; j < count; ++j) {
    // Without a scale the stored multiples are 0, which stand for -32.
    const auto byte = static_cast<std::int8_t>(gguf::nearest_integer(inverse * scales[j]));
    multiples[j] = any ? std::clamp(int{byte}, -32, 31) : -32;
    const float scale = d * static_cast<float>(multiples[j]);
    if (scale == 0.0F) continue;
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      found[i] = half + std::clamp(gguf::nearest_integer(in[i] / scale), -half, half - 1);
    }
  }
  gguf::Codes codes;
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint8_t>(found[i]);
  put_codes(codes, out.codes);
  put_multiples(multiples, &out.codes[multiples_at]);
  put_f16(d, &out.codes[scale_at]);
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  gguf::Codes codes{};
  get_codes(in.codes, codes);
  const float d = get_f16(&in.codes[scale_at]);
  const auto multiples = get_multiples(&in.codes[multiples_at]);
  for (std::size_t j = 0; j < count; ++j) {
    const float scale = d * static_cast<float>(multiples[j]);
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
