// GGUF Q4_K: 8 sub-blocks of 32 codes in [0, 15], each with a 6-bit scale and a 6-bit minimum as
// multiples of two binary16 numbers, 144 bytes.

#include "quantizers/formats.hpp"
#include "quantizers/offset_fit.hpp"

namespace moesweep::kernels {
namespace {

void round_trip(std::span<const float> in, const BlockContext&, std::span<float> out) {
  gguf::round_trip_with_six_bit_scales(in, 15, {.first = -1.0F, .step = 0.1F, .last = 20}, out);
}

}  // namespace

BlockFormat q4_k_format() {
  return {.name = "q4_k",
          .bits = 4,
          .block_length = 256,
          .metadata_bits = 128,
          .relative_cost = 370,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
