// GGUF Q5_K: 8 sub-blocks of 32 codes in [0, 31], each with a 6-bit scale and a 6-bit minimum as
// multiples of two binary16 numbers, 176 bytes.

#include "quantizers/formats.hpp"
#include "quantizers/offset_fit.hpp"

namespace moesweep::kernels {
namespace {

void round_trip(std::span<const float> in, const BlockContext&, std::span<float> out) {
  gguf::round_trip_with_six_bit_scales(in, 31, {.first = -0.5F, .step = 0.1F, .last = 15}, out);
}

}  // namespace

BlockFormat q5_k_format() {
  return {.name = "q5_k",
          .bits = 5,
          .block_length = 256,
          .metadata_bits = 128,
          .relative_cost = 300,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
