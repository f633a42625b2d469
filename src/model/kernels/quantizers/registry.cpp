#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>

#include "quantizers/formats.hpp"
#include "round_trip_steps.hpp"

namespace moesweep::kernels {
namespace {

double block_errors(std::span<const float> values, const BlockQuantizer& quantizer,
                    const BlockContext& context, std::vector<float>& dequantized) {
  const auto length = checked_cast<std::size_t>(quantizer.block_length);
  dequantized.resize(length);
  double sse = 0.0;
  for (std::size_t first = 0; first < values.size(); first += length) {
    const auto block = values.subspan(first, length);
    quantizer.format->round_trip(block, context, dequantized);
    for (std::size_t i = 0; i < length; ++i) {
      const float difference = block[i] - dequantized[i];
      sse += static_cast<double>(difference) * static_cast<double>(difference);
    }
  }
  return sse;
}

}  // namespace

std::span<const BlockFormat> block_formats() {
  static const std::array formats = {q8_0_format(),        q6_k_format(),       q5_k_format(),
                                     q4_k_format(),        q3_k_format(),       q2_k_format(),
                                     nvfp4_format(),       mxfp4_ocp_format(),  mxfp4_even_format(),
                                     mxfp4_rceil_format(), mxfp4_ggml_format(), ct_int4_format(),
                                     ct_int8_format()};
  return formats;
}

const BlockFormat* find_block_format(std::string_view name) {
  const auto formats = block_formats();
  const auto found = std::find_if(formats.begin(), formats.end(),
                                  [&](const BlockFormat& format) { return format.name == name; });
  return found == formats.end() ? nullptr : &*found;
}

double bits_per_weight(const BlockQuantizer& quantizer, Dtype weight_dtype) {
  const auto& format = *quantizer.format;
  int metadata = format.metadata_bits;
  if (format.scale_in_weight_dtype) {
    metadata += stored_as(weight_dtype) == StoredAs::f32 ? 32 : 16;
  }
  return format.bits + static_cast<double>(metadata) / quantizer.block_length;
}

void add_block_errors(const RowBlock& block, std::span<const BlockQuantizer> quantizers,
                      const BlockContext& context, std::span<double> sse) {
  expect(sse.size() == quantizers.size(), "block formats: one sum per quantizer");
  if (block.values.empty()) return;
  expect(block.columns >= 1 && block.values.size() % checked_cast<std::size_t>(block.columns) == 0,
         "block formats: not a whole number of rows");
  std::vector<float> dequantized;
  for (std::size_t i = 0; i < quantizers.size(); ++i) {
    expect(block.columns % quantizers[i].block_length == 0, "block formats: a row splits a block");
    sse[i] += block_errors(block.values, quantizers[i], context, dequantized);
  }
}

float largest_magnitude(std::span<const float> values, float amax) {
  for (const float value : values) amax = std::max(amax, std::fabs(value));
  return amax;
}

}  // namespace moesweep::kernels
