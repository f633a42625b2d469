// NVFP4 as NVIDIA's Model-Optimizer computes it for weights (modelopt/torch/quantization/qtensor/
// nvfp4_tensor.py at commit 211c6b3413c5, the dynamic path in binary32 on a CPU):
//   g = amax(matrix)/2688;  s = E4M3(max(amax(block)/(6 g), 2^-9)), 1 for a block of zeros
//   q = E2M1(|w|/(s g)) with the sign of w;  w' = q (s g)
// Departures where it yields NaN: s is at most 448 and a matrix of zeros stays zero.

#include <algorithm>
#include <cmath>

#include "quantizers/formats.hpp"
#include "quantizers/small_floats.hpp"

namespace moesweep::kernels {
namespace {

void round_trip(std::span<const float> in, const BlockContext& context, std::span<float> out) {
  const float amax = largest_magnitude(in, 0.0F);
  const float global = context.matrix_amax / 2688.0F;
  const float wanted = amax == 0.0F ? 1.0F : amax / (6.0F * global);
  const float not_zero = wanted == 0.0F ? 1.0F : wanted;  // amax underflowed
  const float scale = round_to_e4m3(std::clamp(not_zero, 0x1p-9F, 448.0F)) * global;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (scale == 0.0F) {
      out[i] = 0.0F;
      continue;
    }
    const float code = round_to_e2m1(std::fabs(in[i] / scale));
    out[i] = (in[i] < 0.0F && code != 0.0F ? -code : code) * scale;  // both zeros decode to +0
  }
}

}  // namespace

BlockFormat nvfp4_format() {
  return {.name = "nvfp4",
          .bits = 4,
          .block_length = 16,
          .metadata_bits = 8,
          .needs_matrix_amax = true,
          .relative_cost = 28,
          .round_trip = round_trip};
}

}  // namespace moesweep::kernels
