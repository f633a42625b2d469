#pragma once
// quantize_group for whole rows, with SIMD: what a writer of quantized checkpoints stores. Codes,
// scales and biases are those of quantize_group bit for bit.

#include <cstdint>
#include <span>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::kernels {

/// Groups of one row; the last may be short.
constexpr std::int64_t groups_of_row(std::int64_t columns, int group_size) {
  return (columns + group_size - 1) / group_size;
}

/// Where results go: a code a weight, scale and bias (as stored, in binary32) a group, row by row.
struct QuantizedRows {
  std::span<std::uint8_t> codes;
  std::span<float> scales;
  std::span<float> biases;
};
/// Values must be finite.
void quantize_rows(const RowBlock& block, const Quantizer& quantizer, Dtype weight_dtype,
                   const QuantizedRows& out);

/// code * scale + bias of each weight, in two binary32 steps. out.size() == codes.size(), whole
/// rows of `columns`.
void dequantize_rows(std::span<const std::uint8_t> codes, std::span<const float> scales,
                     std::span<const float> biases, std::int64_t columns, int group_size,
                     std::span<float> out);

}  // namespace moesweep::kernels
