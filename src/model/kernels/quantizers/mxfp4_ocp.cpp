// MXFP4 with the exponent of the OCP Microscaling specification 1.0, section 6.3:
// floor(log2(amax)) - 2. torchao calls it FLOOR.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "quantizers/power_of_two_block.hpp"

namespace moesweep::kernels {
namespace {

int exponent_for(float amax) {
  const auto biased = static_cast<int>(std::bit_cast<std::uint32_t>(amax) >> 23);
  return std::max(biased - 127 - 2, -127);
}

}  // namespace

BlockFormat mxfp4_ocp_format() {
  return mxfp4_format<exponent_for>("mxfp4_ocp");
}

}  // namespace moesweep::kernels
