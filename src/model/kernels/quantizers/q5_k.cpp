// GGUF Q5_K: 8 sub-blocks of 32 codes in [0, 31], each with a 6-bit scale and a 6-bit minimum as
// multiples of two binary16 numbers, 176 bytes.

#include <algorithm>

#include "quantizers/formats.hpp"
#include "quantizers/six_bit_scales.hpp"

namespace moesweep::kernels {
namespace {

constexpr gguf::ScaleGrid grid = {.first = -0.5F, .step = 0.1F, .last = 15};

// The codes' fifth bits, a bit plane for every sub-block, then their lower four.
constexpr std::size_t upper_at = gguf::six_bit_scales_bytes;
constexpr std::size_t upper_bytes = 32;
constexpr std::size_t low_at = upper_at + upper_bytes;

void encode(std::span<const float> in, const BlockContext&, const PartsOut& out) {
  gguf::Codes codes{};
  gguf::encode_six_bit_scales(in, 31, grid, out.codes.data(), codes);
  gguf::pack_low_halves(codes, &out.codes[low_at]);
  const auto upper = out.codes.subspan(upper_at, upper_bytes);
  std::ranges::fill(upper, std::byte{0});
  for (std::size_t i = 0; i < codes.size(); ++i) {
    upper[i % upper_bytes] |= static_cast<std::byte>((codes[i] >> 4) << (i / upper_bytes));
  }
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  gguf::Codes codes{};
  gguf::unpack_low_halves(&in.codes[low_at], codes);
  const auto upper = in.codes.subspan(upper_at, upper_bytes);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto bit = std::to_integer<unsigned>(upper[i % upper_bytes]) >> (i / upper_bytes) & 1U;
    codes[i] = static_cast<std::uint8_t>(codes[i] | bit << 4);
  }
  gguf::decode_six_bit_scales(in.codes.data(), codes, out);
}

}  // namespace

BlockFormat q5_k_format() {
  return {.entry = &formats::format_named("q5_k"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
