#include "block_encoder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
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

std::int64_t groups_in(const StoredTensor& stored, std::int64_t elements) {
  return elements / stored.columns *
         kernels::groups_of_row(stored.columns, stored.encoding.group_size);
}

kernels::Settled settled(const formats::Encoding& encoding) {
  const auto known = kernels::settle(encoding);
  expect(known.has_value(), "an encoding that no kernel has");
  return *known;
}

}  // namespace

void refuse_nonfinite(std::span<const float> weights, const SourceBlock& block,
                      const checkpoint::Tensor& tensor) {
  const auto found = kernels::first_nonfinite(weights);
  if (!found) return;
  throw Error(ExitCode::bad_input, tensor.name,
              fmt::format("has a NaN or infinity at element {}, it cannot be quantized",
                          block.source_first + *found),
              "keep the tensor in the plan, or mend the checkpoint");
}

BlockEncoder::BlockEncoder(const StoredTensor& stored, Dtype source_dtype,
                           std::int64_t largest_block, std::vector<float> amax_of_matrices)
    : stored_(stored),
      source_dtype_(source_dtype),
      codec_(settled(stored.encoding), source_dtype),
      amax_of_matrices_(std::move(amax_of_matrices)),
      weights_(size(largest_block)),
      dequantized_(size(largest_block)) {
  if (stored.part == Part::dequantized) {
    encoded_.resize(size(largest_block * dtype_bytes(stored.dtype)));
  }
}

std::int64_t BlockEncoder::bytes_for(const StoredTensor& stored, std::int64_t largest_block) {
  const auto floats = 2 * largest_block * static_cast<std::int64_t>(sizeof(float));
  const auto groups = groups_in(stored, largest_block);
  const auto buffers = kernels::RowCodec::buffer_bytes(largest_block, groups);
  if (stored.part == Part::dequantized) {
    return floats + buffers + largest_block * dtype_bytes(stored.dtype);
  }
  return floats + buffers + groups * formats::block_bytes(stored.encoding, Dtype::f32).total();
}

float BlockEncoder::amax_at(std::int64_t stored_element) const {
  if (amax_of_matrices_.empty()) return 0.0F;
  return amax_of_matrices_[size(stored_element / stored_.matrix_elements)];
}

// A block may have rows of several matrices of a stack.
void BlockEncoder::quantize(std::span<const float> weights, std::int64_t stored_first) {
  const auto whole = checked_cast<std::int64_t>(weights.size());
  for (std::int64_t done = 0; done < whole;) {
    const auto first = stored_first + done;
    const auto elements =
        std::min(whole - done, stored_.matrix_elements - first % stored_.matrix_elements);
    codec_.round_trip({weights.subspan(size(done), size(elements)), stored_.columns},
                      amax_at(first), std::span(dequantized_).subspan(size(done), size(elements)));
    done += elements;
  }
}

void BlockEncoder::take(const SourceBlock& block, const checkpoint::Tensor& tensor) {
  elements_ = size(block.elements);
  const auto weights = std::span(weights_).first(elements_);
  const auto dequantized = std::span(dequantized_).first(elements_);
  kernels::decode(source_dtype_, block.bytes, weights);
  refuse_nonfinite(weights, block, tensor);
  if (stored_.part == Part::codes) {
    const auto bytes = codec_.bytes_of(block.elements);
    codes_.resize(size(bytes.codes));
    scales_.resize(size(bytes.scales));
    biases_.resize(size(bytes.biases));
    codec_.encode({weights, stored_.columns}, amax_at(block.stored_first),
                  {codes_, scales_, biases_}, dequantized);
  } else {
    quantize(weights, block.stored_first);
  }
  const double sse = squared_error(weights, dequantized);
  error_ = {sse, sse, squares(weights)};
}

kernels::PartsIn BlockEncoder::parts() const {
  return {codes_, scales_, biases_};
}

std::span<const std::byte> BlockEncoder::values(Dtype dtype) {
  const auto dequantized = std::span(dequantized_).first(elements_);
  const auto bytes = std::span(encoded_).first(elements_ * size(dtype_bytes(dtype)));
  kernels::encode(dtype, dequantized, bytes);
  kernels::decode(dtype, bytes, dequantized);
  error_.sse_stored = squared_error(std::span(weights_).first(elements_), dequantized);
  return bytes;
}

}  // namespace moesweep::written
