// GGUF Q5_K: 8 sub-blocks of 32 codes in [0, 31], each with a 6-bit scale and a 6-bit minimum as
// multiples of two binary16 numbers, 176 bytes.

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
  gguf::pack_lower_halves<32>(codes, &out.codes[low_at]);
  gguf::pack_upper_bits<4>(codes, &out.codes[upper_at]);
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  gguf::Codes codes{};
  gguf::unpack_lower_halves<32>(&in.codes[low_at], codes);
  gguf::unpack_upper_bits<4>(&in.codes[upper_at], codes);
  gguf::decode_six_bit_scales(in.codes.data(), codes, out);
}

}  // namespace

BlockFormat q5_k_format() {
  return {.entry = &formats::format_named("q5_k"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
