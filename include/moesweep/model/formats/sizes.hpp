#pragma once
// What weights take when they are stored in an encoding, to the byte.

#include <cstdint>
#include <span>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/formats/encoding.hpp>

namespace moesweep::formats {

/// A block's bytes, by the tensor that has them. Where blocks hold their own scales (GGUF), all are
/// `codes`.
struct BlockBytes {
  std::int64_t codes = 0;
  std::int64_t scales = 0;
  std::int64_t biases = 0;
  std::int64_t total() const { return codes + scales + biases; }
};
/// Of `encoding.group_size` weights. Codes that end within a byte are filled up.
BlockBytes block_bytes(const Encoding& encoding, Dtype weight_dtype);

/// With scales and biases, without the one scale a matrix of nvfp4.
double bits_per_weight(const Encoding& encoding, Dtype weight_dtype);

/// Bytes of a matrix [rows, columns] or a stack [.., rows, columns], with scales, biases and the
/// scale a matrix, without file headers. -1 where the format cannot store it: no matrix of
/// floating-point weights, bits or groups that the format doesn't have, rows that are not whole
/// blocks (rtn pads them).
std::int64_t stored_bytes(const Encoding& encoding, std::span<const std::int64_t> shape,
                          Dtype dtype);

}  // namespace moesweep::formats
