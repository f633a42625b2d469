#include <algorithm>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

#include "round_trip_steps.hpp"

namespace moesweep::kernels {

GroupCode quantize_group(std::span<const float> values, const Quantizer& quantizer,
                         Dtype weight_dtype, std::span<std::uint8_t> codes,
                         std::span<float> dequantized) {
  expect(quantizer.bits >= 2 && quantizer.bits <= 8, "quantize_group: bits outside 2..8");
  expect(!values.empty() && std::cmp_less_equal(values.size(), quantizer.group_size),
         "quantize_group: not one group");
  expect(codes.size() == values.size() && dequantized.size() == values.size(),
         "quantize_group: output sizes differ from the input's");
  float lo = *std::min_element(values.begin(), values.end());
  float hi = *std::max_element(values.begin(), values.end());
  if (std::cmp_less(values.size(), quantizer.group_size)) {
    lo = std::min(lo, 0.0F);
    hi = std::max(hi, 0.0F);
  }
  lo += 0.0F;  // -0 becomes +0
  hi += 0.0F;
  const auto levels = static_cast<float>((1 << quantizer.bits) - 1);
  const GroupParameters group = quantizer.family == QuantizerFamily::rtn
                                    ? rtn_parameters(lo, hi, levels)
                                    : affine_parameters(lo, hi, levels, stored_as(weight_dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float code = code_of(values[i], group, levels);
    codes[i] = static_cast<std::uint8_t>(code);
    dequantized[i] = dequantize(code, group);
  }
  return {group.stored_step, group.stored_offset};
}

}  // namespace moesweep::kernels
