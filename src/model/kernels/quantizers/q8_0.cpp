// GGUF Q8_0: 32 codes in [-127, 127] and a binary16 scale, 34 bytes.

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "quantizers/formats.hpp"
#include "stored_bits.hpp"

namespace moesweep::kernels {
namespace {

constexpr std::size_t length = 32;
using Codes = std::array<std::int8_t, length>;

/// Half away from zero, as std::round, for magnitudes up to 2^22: adding the number before 1/2 and
/// not 1/2 keeps 0.49999997 at 0.
int rounded(float value) {
  return static_cast<int>(value + std::copysign(0x1.fffffep-2F, value));
}

// block_q8_0: the scale, then the codes.
void encode(std::span<const float> in, const BlockContext&, const PartsOut& out) {
  const float d = largest_magnitude(in, 0.0F) / 127.0F;
  // Below about 4e-37 the inverse overflows and the definition's cast to a byte is undefined; the
  // stored scale is 0 there, so any finite code gives the same magnitude.
  const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
  const float usable = std::isfinite(inverse) ? inverse : 0.0F;
  Codes codes;
  for (std::size_t i = 0; i < length; ++i) {
    codes[i] = static_cast<std::int8_t>(rounded(in[i] * usable));
  }
  put_f16(d, out.codes.data());
  std::memcpy(out.codes.data() + sizeof(std::uint16_t), codes.data(), length);
}

void decode(const PartsIn& in, const BlockContext&, std::span<float> out) {
  const float scale = get_f16(in.codes.data());
  Codes codes;
  std::memcpy(codes.data(), in.codes.data() + sizeof(std::uint16_t), length);
  for (std::size_t i = 0; i < length; ++i) out[i] = static_cast<float>(codes[i]) * scale;
}

}  // namespace

BlockFormat q8_0_format() {
  return {.entry = &formats::format_named("q8_0"), .encode = encode, .decode = decode};
}

}  // namespace moesweep::kernels
