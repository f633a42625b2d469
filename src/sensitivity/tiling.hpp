#pragma once
// How a matrix is cut into blocks that fit in memory. Depends on shape and options only, never on
// memory settings, so that sums are added in the same order everywhere.

#include <cstdint>

#include <moesweep/sensitivity/sensitivity.hpp>

namespace moesweep::sensitivity {

/// Blocks are visited row by row of blocks (row blocks), or left to right (column panels, each of
/// all rows). Widths are multiples of every group size and block length, so none is ever split.
struct Tiling {
  bool column_panels = false;
  std::int64_t block_rows = 0;
  std::int64_t block_columns = 0;
  /// Columns read from the file at once: a multiple of block_columns, or all. A stripe of all
  /// columns is one contiguous read, a narrower one is one read a row.
  std::int64_t stripe_columns = 0;

  std::int64_t block_elements() const { return block_rows * block_columns; }
  /// Elements of the buffer that file bytes are read into.
  std::int64_t read_elements(const MatrixView& view) const;
};

Tiling tiling_of(const MatrixView& view, Dtype dtype, const Options& options);

/// Row blocks for a pass that needs the weights in the order of the file.
Tiling file_order_tiling(const MatrixView& view, const Options& options);

}  // namespace moesweep::sensitivity
