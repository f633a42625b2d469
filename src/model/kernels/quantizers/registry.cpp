#include <algorithm>
#include <cmath>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>

#include "quantizers/formats.hpp"

namespace moesweep::kernels {
namespace {

double block_errors(std::span<const float> values, const BlockQuantizer& quantizer,
                    const BlockContext& context, std::vector<float>& dequantized) {
  const auto length = checked_cast<std::size_t>(quantizer.block_length);
  dequantized.resize(length);
  BlockBuffer buffer(quantizer, context.weight_dtype);
  const auto out = buffer.out();
  const auto in = buffer.in();
  double sse = 0.0;
  for (std::size_t first = 0; first < values.size(); first += length) {
    const auto block = values.subspan(first, length);
    quantizer.format->encode(block, context, out);
    quantizer.format->decode(in, context, dequantized);
    for (std::size_t i = 0; i < length; ++i) {
      const float difference = block[i] - dequantized[i];
      sse += static_cast<double>(difference) * static_cast<double>(difference);
    }
  }
  return sse;
}

}  // namespace

std::span<const BlockFormat> block_formats() {
  static const auto formats = [] {
    std::vector<BlockFormat> made;
    for (const auto& make : block_format_makers) made.push_back(make());
    return made;
  }();
  return formats;
}

const BlockFormat* find_block_format(std::string_view name) {
  const auto formats = block_formats();
  const auto found = std::ranges::find(formats, name, &BlockFormat::name);
  return found == formats.end() ? nullptr : &*found;
}

formats::Encoding BlockQuantizer::encoding() const {
  return {std::string(format->name()), format->entry->bits.front(), block_length};
}

BlockBuffer::BlockBuffer(const BlockQuantizer& quantizer, Dtype weight_dtype) {
  const auto bytes = formats::block_bytes(quantizer.encoding(), weight_dtype);
  codes_ = checked_cast<std::size_t>(bytes.codes);
  bytes_.resize(checked_cast<std::size_t>(bytes.total()));
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
