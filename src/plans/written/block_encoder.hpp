#pragma once
// Blocks of weights to what is stored of them, with the error that this makes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/kernels/row_codec.hpp>
#include <moesweep/plans/written/layout.hpp>

#include "block_stream.hpp"

namespace moesweep::written {

struct BlockError {
  double sse = 0.0;
  double sse_stored = 0.0;
  double sum_squares = 0.0;
};

/// Buffers for the largest block of one stored tensor.
class BlockEncoder {
 public:
  /// `amax_of_matrices` in stored order, where the format has parameters of a matrix; else empty.
  BlockEncoder(const StoredTensor& stored, Dtype source_dtype, std::int64_t largest_block,
               std::vector<float> amax_of_matrices);

  /// Decodes and quantizes. Error(bad_input) naming `tensor` for a NaN or infinity.
  void take(const SourceBlock& block, const checkpoint::Tensor& tensor);

  /// Of the last block: codes, scales and biases as they are stored, or dequantized values in
  /// `dtype`.
  kernels::PartsIn parts() const;
  std::span<const std::byte> values(Dtype dtype);

  /// Of the last block. sse_stored is that of values(), after it was called.
  const BlockError& error() const { return error_; }

  static std::int64_t bytes_for(const StoredTensor& stored, std::int64_t largest_block);

 private:
  void quantize(std::span<const float> weights, std::int64_t stored_first);
  float amax_at(std::int64_t stored_element) const;

  const StoredTensor& stored_;
  Dtype source_dtype_;
  kernels::RowCodec codec_;
  std::vector<float> amax_of_matrices_;
  std::size_t elements_ = 0;
  BlockError error_;
  std::vector<float> weights_;
  std::vector<float> dequantized_;
  std::vector<std::byte> codes_;
  std::vector<std::byte> scales_;
  std::vector<std::byte> biases_;
  std::vector<std::byte> encoded_;
};

/// Error(bad_input) naming `tensor` and the element for a NaN or infinity.
void refuse_nonfinite(std::span<const float> weights, const SourceBlock& block,
                      const checkpoint::Tensor& tensor);

}  // namespace moesweep::written
