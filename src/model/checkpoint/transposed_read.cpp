#include "transposed_read.hpp"

#include <algorithm>
#include <cstring>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::checkpoint {
namespace {

/// Tiles whose rows and columns both stay in the first-level cache.
constexpr std::uint64_t tile = 32;

template <std::size_t bytes>
void transpose_tiles(const std::byte* from, std::byte* to, std::uint64_t rows,
                     std::uint64_t columns) {
  for (std::uint64_t row = 0; row < rows; row += tile) {
    for (std::uint64_t column = 0; column < columns; column += tile) {
      const auto row_end = std::min(row + tile, rows);
      const auto column_end = std::min(column + tile, columns);
      for (auto i = row; i < row_end; ++i) {
        for (auto j = column; j < column_end; ++j) {
          std::memcpy(to + (i * columns + j) * bytes, from + (j * rows + i) * bytes, bytes);
        }
      }
    }
  }
}

void transpose_rectangle(const std::byte* from, std::byte* to, std::uint64_t rows,
                         std::uint64_t columns, std::uint64_t element_bytes) {
  switch (element_bytes) {
    case 1:
      return transpose_tiles<1>(from, to, rows, columns);
    case 2:
      return transpose_tiles<2>(from, to, rows, columns);
    case 4:
      return transpose_tiles<4>(from, to, rows, columns);
    case 8:
      return transpose_tiles<8>(from, to, rows, columns);
    default:
      bug("an element of a size that no dtype has");
  }
}

}  // namespace

TransposedRead::TransposedRead(const Tensor& tensor, const std::vector<ByteRanges>& ranges)
    : element_bytes_(checked_cast<std::uint64_t>(dtype_bytes(tensor.dtype))),
      rows_(checked_cast<std::uint64_t>(tensor.shape.at(1))),
      columns_(checked_cast<std::uint64_t>(tensor.shape.at(2))) {
  const auto row_bytes = columns_ * element_bytes_;
  for (const auto& range : ranges) {
    expect(range.offset % element_bytes_ == 0 && range.bytes % element_bytes_ == 0 &&
               range.stride % element_bytes_ == 0,
           "a transposed read that cuts an element");
    const auto first = range.offset / element_bytes_;
    const auto row = first / columns_ % rows_;
    const auto column = first % columns_;
    const auto columns = range.bytes / element_bytes_;
    // The same columns of rows that follow each other.
    if (range.count > 1 && range.stride == row_bytes && column + columns <= columns_ &&
        row + range.count <= rows_) {
      add(first / columns_ / rows_, row, range.count, column, columns);
      continue;
    }
    for (std::uint64_t i = 0; i < range.count; ++i) {
      add_run(first + i * range.stride / element_bytes_, columns);
    }
  }
}

/// Elements that follow each other: the rest of a row, whole rows of a slice, the begin of a row.
void TransposedRead::add_run(std::uint64_t first, std::uint64_t count) {
  while (count > 0) {
    const auto column = first % columns_;
    const auto row = first / columns_ % rows_;
    const auto slice = first / columns_ / rows_;
    const bool whole_rows = column == 0 && count >= columns_;
    const auto rows = whole_rows ? std::min(count / columns_, rows_ - row) : 1;
    const auto columns = whole_rows ? columns_ : std::min(count, columns_ - column);
    add(slice, row, rows, column, columns);
    first += rows * columns;
    count -= rows * columns;
  }
}

void TransposedRead::add(std::uint64_t slice, std::uint64_t row, std::uint64_t rows,
                         std::uint64_t column, std::uint64_t columns) {
  const auto offset = ((slice * columns_ + column) * rows_ + row) * element_bytes_;
  if (rows == rows_) {
    stored_.push_back({.offset = offset, .bytes = rows * columns * element_bytes_});
  } else {
    stored_.push_back({.offset = offset,
                       .bytes = rows * element_bytes_,
                       .count = columns,
                       .stride = rows_ * element_bytes_});
  }
  rectangles_.push_back({rows, columns});
}

void TransposedRead::transpose(std::span<const std::byte> scratch, std::span<std::byte> out) const {
  for (const auto& [rows, columns] : rectangles_) {
    const auto bytes = rows * columns * element_bytes_;
    transpose_rectangle(scratch.data(), out.data(), rows, columns, element_bytes_);
    scratch = scratch.subspan(bytes);
    out = out.subspan(bytes);
  }
  expect(out.empty(), "a transposed read that does not fill its buffer");
}

}  // namespace moesweep::checkpoint
