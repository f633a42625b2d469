// MXFP4 with the exponent of the OCP Microscaling specification 1.0, section 6.3:
// floor(log2(amax)) - 2. torchao calls it FLOOR.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "quantizers/formats.hpp"
#include "quantizers/power_of_two_block.hpp"

namespace moesweep::kernels {
namespace {

int exponent_for(float amax) {
  const auto biased = static_cast<int>(std::bit_cast<std::uint32_t>(amax) >> 23);
  return std::max(biased - 127 - 2, -127);
}

void round_trip(std::span<const float> in, const BlockContext&, std::span<float> out) {
  round_trip_with_exponent(in, exponent_for(largest_magnitude(in, 0.0F)), out);
}

}  // namespace

BlockFormat mxfp4_ocp_format() {
  return {.name = "mxfp4_ocp",
          .bits = 4,
          .block_length = 32,
          .metadata_bits = 8,
          .relative_cost = 26,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
