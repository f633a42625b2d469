// GGUF Q8_0: 32 codes in [-127, 127] and a binary16 scale, 34 bytes.

#include <algorithm>
#include <cmath>

#include "quantizers/formats.hpp"
#include "quantizers/gguf_steps.hpp"

namespace moesweep::kernels {
namespace {

void round_trip(std::span<const float> in, const BlockContext&, std::span<float> out) {
  const float d = largest_magnitude(in, 0.0F) / 127.0F;
  const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
  const float stored = round_to_f16(d);
  for (std::size_t i = 0; i < in.size(); ++i) {
    // Below about 4e-37 the inverse overflows and the definition's cast to a byte is undefined;
    // `stored` is 0 there, so any finite code gives the same magnitude.
    const float code = std::round(in[i] * inverse);
    const float finite = std::isfinite(code) ? code : 0.0F;
    out[i] = (finite + 0.0F) * stored;  // a code of -0 is the integer 0
  }
}

}  // namespace

BlockFormat q8_0_format() {
  return {.name = "q8_0",
          .bits = 8,
          .block_length = 32,
          .metadata_bits = 16,
          .relative_cost = 32,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
