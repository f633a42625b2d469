#pragma once
// Reading a stack of matrices [E, in, out] as [E, out, in].

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>

namespace moesweep::checkpoint {

/// What a read of logical rows means in the file: ranges that fill a scratch buffer of as many
/// bytes, and rectangles in it that are then transposed into place.
class TransposedRead {
 public:
  /// `ranges` are bytes in the logical order of `tensor` (is_transposed), whole elements.
  TransposedRead(const Tensor& tensor, const std::vector<ByteRanges>& ranges);

  const std::vector<ByteRanges>& stored() const { return stored_; }
  /// From what `stored` read, one range behind the other, to what was asked for.
  void transpose(std::span<const std::byte> scratch, std::span<std::byte> out) const;

 private:
  struct Rectangle {
    std::uint64_t rows = 0;     ///< logical
    std::uint64_t columns = 0;  ///< logical; in the file, rows of `rows` elements
  };
  void add_run(std::uint64_t first, std::uint64_t count);
  void add(std::uint64_t slice, std::uint64_t row, std::uint64_t rows, std::uint64_t column,
           std::uint64_t columns);

  std::uint64_t element_bytes_;
  std::uint64_t rows_;     // of a logical slice
  std::uint64_t columns_;  // of a logical slice
  std::vector<ByteRanges> stored_;
  std::vector<Rectangle> rectangles_;
};

}  // namespace moesweep::checkpoint
