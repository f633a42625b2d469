// GGUF Q4_K: 8 sub-blocks of 32 codes in [0, 15], each with a 6-bit scale and a 6-bit minimum as
// multiples of two binary16 numbers, 144 bytes.

#include "quantizers/formats.hpp"
#include "quantizers/six_bit_scales.hpp"

namespace moesweep::kernels {
namespace {

constexpr gguf::ScaleGrid grid = {.first = -1.0F, .step = 0.1F, .last = 20};

void encode(std::span<const float> in, const BlockContext&, const PartsOut& out) {
  gguf::Codes codes{};
  gguf::encode_six_bit_scales(in, 15, grid, out.codes.data(), codes);
  gguf::pack_lower_halves<32>(codes, &out.codes[gguf::six_bit_scales_bytes]);
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  gguf::Codes codes{};
  gguf::unpack_lower_halves<32>(&in.codes[gguf::six_bit_scales_bytes], codes);
  gguf::decode_six_bit_scales(in.codes.data(), codes, out);
}

}  // namespace

BlockFormat q4_k_format() {
  return {.entry = &formats::format_named("q4_k"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
