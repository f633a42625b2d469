#pragma once
// How a matrix is cut into blocks that fit in memory. Depends on shape and options only, never on
// memory settings, so that sums are added in the same order everywhere.

#include <cstdint>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

namespace moesweep::sensitivity {

/// A rectangle of one slice.
struct Extent {
  std::int64_t slice = 0;
  std::int64_t row_first = 0;
  std::int64_t rows = 0;
  std::int64_t column_first = 0;
  std::int64_t columns = 0;

  std::int64_t elements() const { return rows * columns; }
  bool operator==(const Extent&) const = default;
};

/// Blocks are visited row by row of blocks (row blocks), or left to right (column panels, each of
/// all rows). Widths are multiples of every group size, so no quantization group is ever split.
/// What is read from the file at once holds whole blocks; one of all columns is one contiguous
/// read, a narrower one is one read a row.
struct Tiling {
  bool column_panels = false;
  std::int64_t block_rows = 0;
  std::int64_t block_columns = 0;
  std::int64_t extent_rows = 0;
  std::int64_t extent_columns = 0;

  std::int64_t block_elements() const { return block_rows * block_columns; }
  std::int64_t extent_elements() const { return extent_rows * extent_columns; }
};

Tiling tiling_of(const MatrixView& view, Dtype dtype, const Options& options);

/// Row blocks for a pass that needs the weights in the order of the file.
Tiling file_order_tiling(const MatrixView& view, Dtype dtype, const Options& options);

}  // namespace moesweep::sensitivity
