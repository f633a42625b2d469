// MXFP4 with amax first rounded to the element's one mantissa bit: floor(log2(round(amax))) - 2,
// so that 1.75 2^e and more count as 2^(e+1). torchao (EVEN), compressed-tensors and Quark.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "quantizers/power_of_two_block.hpp"

namespace moesweep::kernels {
namespace {

int exponent_for(float amax) {
  constexpr std::uint32_t quarter = 1U << 21;  // half of a unit of the one mantissa bit
  const auto biased = static_cast<int>((std::bit_cast<std::uint32_t>(amax) + quarter) >> 23);
  return std::max(biased - 127 - 2, -127);
}

}  // namespace

BlockFormat mxfp4_even_format() {
  return mxfp4_format<exponent_for>("mxfp4_even");
}

}  // namespace moesweep::kernels
