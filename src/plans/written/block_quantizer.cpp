#include "block_quantizer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
#include <moesweep/model/kernels/pack.hpp>
#include <moesweep/model/kernels/quantize_rows.hpp>
#include <moesweep/plans/written/squared_error.hpp>

namespace moesweep::written {
namespace {

std::size_t size(std::int64_t count) {
  return checked_cast<std::size_t>(count);
}

double squares(std::span<const float> weights) {
  return sum_of_squares(weights.size(), [&](std::size_t i) { return weights[i]; });
}

void refuse_nonfinite(std::span<const float> weights, const SourceBlock& block,
                      const checkpoint::Tensor& tensor) {
  const auto found = kernels::first_nonfinite(weights);
  if (!found) return;
  throw Error(ExitCode::bad_input, tensor.name,
              fmt::format("has a NaN or infinity at element {}, it cannot be quantized",
                          block.source_first + *found),
              "keep the tensor in the plan, or mend the checkpoint");
}

std::int64_t groups_in(const StoredTensor& stored, std::int64_t elements) {
  return elements / stored.columns *
         kernels::groups_of_row(stored.columns, stored.quantizer.group_size);
}

// Widest element that a block is encoded to.
std::int64_t encoded_bytes(const StoredTensor& stored, std::int64_t elements) {
  if (stored.part == Part::dequantized) return elements * dtype_bytes(stored.dtype);
  return groups_in(stored, elements) * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

BlockQuantizer::BlockQuantizer(const StoredTensor& stored, Dtype source_dtype,
                               std::int64_t largest_block)
    : stored_(stored),
      source_dtype_(source_dtype),
      weights_(size(largest_block)),
      codes_(size(largest_block)),
      scales_(size(groups_in(stored, largest_block))),
      biases_(scales_.size()),
      dequantized_(size(largest_block)),
      words_(stored.part == Part::codes ? size(largest_block / 32 * stored.quantizer.bits) : 0),
      encoded_(size(encoded_bytes(stored, largest_block))) {}

std::int64_t BlockQuantizer::bytes_for(const StoredTensor& stored, std::int64_t largest_block) {
  const auto floats = 2 * largest_block + 2 * groups_in(stored, largest_block);
  const auto words = stored.part == Part::codes ? largest_block / 8 * stored.quantizer.bits : 0;
  return floats * static_cast<std::int64_t>(sizeof(float)) + largest_block + words +
         encoded_bytes(stored, largest_block);
}

void BlockQuantizer::take(const SourceBlock& block, const checkpoint::Tensor& tensor) {
  elements_ = size(block.elements);
  groups_ = groups_in(stored_, block.elements);
  const auto weights = std::span(weights_).first(elements_);
  const auto codes = std::span(codes_).first(elements_);
  const auto scales = std::span(scales_).first(size(groups_));
  const auto biases = std::span(biases_).first(size(groups_));
  const auto dequantized = std::span(dequantized_).first(elements_);
  kernels::decode(source_dtype_, block.bytes, weights);
  refuse_nonfinite(weights, block, tensor);
  kernels::quantize_rows({weights, stored_.columns}, stored_.quantizer, source_dtype_,
                         {codes, scales, biases});
  kernels::dequantize_rows(codes, scales, biases, stored_.columns, stored_.quantizer.group_size,
                           dequantized);
  const double sse = squared_error(weights, dequantized);
  error_ = {sse, sse, squares(weights)};
}

std::span<const std::byte> BlockQuantizer::words() {
  const auto words = std::span(words_).first(elements_ / 32 * size(stored_.quantizer.bits));
  kernels::pack_codes(std::span(codes_).first(elements_), stored_.quantizer.bits, words);
  return std::as_bytes(words);
}

std::span<const std::byte> BlockQuantizer::encoded(Dtype dtype, std::span<const float> numbers) {
  const auto bytes = std::span(encoded_).first(numbers.size() * size(dtype_bytes(dtype)));
  kernels::encode(dtype, numbers, bytes);
  return bytes;
}

std::span<const std::byte> BlockQuantizer::scales(Dtype dtype) {
  return encoded(dtype, std::span(scales_).first(size(groups_)));
}

std::span<const std::byte> BlockQuantizer::biases(Dtype dtype) {
  return encoded(dtype, std::span(biases_).first(size(groups_)));
}

std::span<const std::byte> BlockQuantizer::values(Dtype dtype) {
  const auto dequantized = std::span(dequantized_).first(elements_);
  const auto bytes = encoded(dtype, dequantized);
  kernels::decode(dtype, bytes, dequantized);
  error_.sse_stored = squared_error(std::span(weights_).first(elements_), dequantized);
  return bytes;
}

}  // namespace moesweep::written
