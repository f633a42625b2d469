// GGUF Q8_0: 32 codes in [-127, 127] and a binary16 scale, 34 bytes.

#include <cmath>
#include <cstdint>

#include "quantizers/formats.hpp"
#include "stored_bits.hpp"

namespace moesweep::kernels {
namespace {

// block_q8_0: the scale, then the codes.
void encode(std::span<const float> in, const BlockContext&, const PartsOut& out) {
  const float d = largest_magnitude(in, 0.0F) / 127.0F;
  // Below about 4e-37 the inverse overflows and the definition's cast to a byte is undefined; the
  // stored scale is 0 there, so any finite code gives the same magnitude.
  const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
  const float usable = std::isfinite(inverse) ? inverse : 0.0F;
  put_f16(d, out.codes.data());
  auto* const codes = out.codes.data() + sizeof(std::uint16_t);
  for (std::size_t i = 0; i < in.size(); ++i) {
    codes[i] = static_cast<std::byte>(static_cast<int>(std::round(in[i] * usable)));
  }
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  const float scale = get_f16(in.codes.data());
  const auto* const codes = in.codes.data() + sizeof(std::uint16_t);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(static_cast<std::int8_t>(codes[i])) * scale;
  }
}

}  // namespace

BlockFormat q8_0_format() {
  return {.entry = &formats::format_named("q8_0"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
