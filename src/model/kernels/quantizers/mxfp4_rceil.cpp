// MXFP4 with the smallest power of two that does not saturate: ceil(log2(amax/6)), amax/6 being
// amax times the binary32 nearest to 1/6. cuBLAS; torchao calls it RCEIL.

#include <bit>
#include <cstdint>

#include "quantizers/power_of_two_block.hpp"

namespace moesweep::kernels {
namespace {

int exponent_for(float amax) {
  const auto bits = std::bit_cast<std::uint32_t>(amax * (1.0F / 6.0F));
  const auto biased = static_cast<int>(bits >> 23);
  const auto mantissa = bits & 0x7FFFFFU;
  // Subnormals: 2^-127 is half of the smallest normal number.
  const bool up = biased == 0 ? mantissa > 0x400000U : mantissa != 0;
  return biased + (up ? 1 : 0) - 127;
}

}  // namespace

BlockFormat mxfp4_rceil_format() {
  return mxfp4_format<exponent_for>("mxfp4_rceil");
}

}  // namespace moesweep::kernels
