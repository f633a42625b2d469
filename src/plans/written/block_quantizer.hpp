#pragma once
// Blocks of weights to what is stored of them, with the error that this makes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/plans/written/layout.hpp>

#include "block_stream.hpp"

namespace moesweep::written {

struct BlockError {
  double sse = 0.0;
  double sse_stored = 0.0;
  double sum_squares = 0.0;
};

/// Buffers for the largest block of one stored tensor.
class BlockQuantizer {
 public:
  BlockQuantizer(const StoredTensor& stored, Dtype source_dtype, std::int64_t largest_block);

  /// Decodes and quantizes. Error(bad_input) naming `tensor` for a NaN or infinity.
  void take(const SourceBlock& block, const checkpoint::Tensor& tensor);

  /// Of the last block: codes as words, scales and biases, or dequantized values in `dtype`.
  std::span<const std::byte> words();
  std::span<const std::byte> scales(Dtype dtype);
  std::span<const std::byte> biases(Dtype dtype);
  std::span<const std::byte> values(Dtype dtype);

  /// Of the last block. sse_stored is that of values(), after it was called.
  const BlockError& error() const { return error_; }
  std::int64_t groups() const { return groups_; }

  static std::int64_t bytes_for(const StoredTensor& stored, std::int64_t largest_block);

 private:
  std::span<const std::byte> encoded(Dtype dtype, std::span<const float> numbers);

  const StoredTensor& stored_;
  Dtype source_dtype_;
  std::size_t elements_ = 0;
  std::int64_t groups_ = 0;
  BlockError error_;
  std::vector<float> weights_;
  std::vector<std::uint8_t> codes_;
  std::vector<float> scales_;
  std::vector<float> biases_;
  std::vector<float> dequantized_;
  std::vector<std::uint32_t> words_;
  std::vector<std::byte> encoded_;
};

}  // namespace moesweep::written
