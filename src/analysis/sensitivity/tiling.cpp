#include "tiling.hpp"

#include <algorithm>
#include <numeric>

namespace moesweep::sensitivity {
namespace {

/// Widths are multiples of this and of every group size.
constexpr std::int64_t reference_quantum = 128;
constexpr std::int64_t block_weights = std::int64_t{1} << 20;
/// Without a Gram matrix to fill, blocks that stay in a core's first-level cache from step to step:
/// 16 KiB of binary32.
constexpr std::int64_t cached_weights = std::int64_t{1} << 12;
/// Least depth of a Gram update: a shallower one spends its time moving the k x k sums.
constexpr std::int64_t gram_depth = 512;
/// Read at once of whole rows: what a parallel file system's servers send at once, and little
/// enough that it is still in the last-level cache when it is decoded. And of columns, when whole
/// rows are too much.
constexpr std::int64_t rows_bytes = std::int64_t{2} << 20;
constexpr std::int64_t stripe_bytes = std::int64_t{64} << 20;

/// Smallest width that holds whole groups of every quantizer.
std::int64_t column_quantum(const Options& options) {
  std::int64_t quantum = reference_quantum;
  for (const auto& quantizer : options.quantizers) {
    quantum = std::lcm(quantum, static_cast<std::int64_t>(quantizer.group_size));
  }
  for (const auto& quantizer : options.block_quantizers) {
    quantum = std::lcm(quantum, static_cast<std::int64_t>(quantizer.block_length));
  }
  return quantum;
}

std::int64_t round_down(std::int64_t value, std::int64_t quantum) {
  return value / quantum * quantum;
}

Tiling panels_of(const MatrixView& view, Dtype dtype, std::int64_t quantum) {
  Tiling tiling{.column_panels = true, .block_rows = view.rows};
  const auto depth = std::max(block_weights / view.rows, gram_depth);
  tiling.block_columns = std::min(std::max(round_down(depth, quantum), quantum), view.columns);
  const auto fitting = stripe_bytes / (view.rows * dtype_bytes(dtype));
  const auto whole_panels = round_down(fitting, tiling.block_columns);
  tiling.extent_rows = view.rows;
  tiling.extent_columns =
      fitting >= view.columns ? view.columns : std::max(whole_panels, tiling.block_columns);
  return tiling;
}

Tiling row_blocks_of(const MatrixView& view, Dtype dtype, std::int64_t quantum, bool spectrum) {
  Tiling tiling;
  const auto weights = spectrum ? block_weights : cached_weights;
  const bool splits_rows = !spectrum && view.columns > weights;
  tiling.block_columns =
      splits_rows ? std::min(std::max(round_down(weights, quantum), quantum), view.columns)
                  : view.columns;
  const auto least_rows = spectrum ? gram_depth : 1;
  const auto rows = splits_rows ? 1 : std::max(weights / view.columns, least_rows);
  tiling.block_rows = std::min(rows, view.rows);
  // Several blocks: of whole rows, or pieces of one row that is too long.
  const auto row_bytes = view.columns * dtype_bytes(dtype);
  if (row_bytes > rows_bytes && splits_rows) {
    const auto block_bytes = tiling.block_columns * dtype_bytes(dtype);
    tiling.extent_rows = 1;
    tiling.extent_columns = std::min(
        std::max(rows_bytes / block_bytes, std::int64_t{1}) * tiling.block_columns, view.columns);
    return tiling;
  }
  const auto fitting = round_down(rows_bytes / row_bytes, tiling.block_rows);
  tiling.extent_rows = std::min(std::max(fitting, tiling.block_rows), view.rows);
  tiling.extent_columns = view.columns;
  return tiling;
}

}  // namespace

Tiling tiling_of(const MatrixView& view, Dtype dtype, const Options& options) {
  const auto quantum = column_quantum(options);
  const bool gram_of_rows = options.spectrum && view.rows < view.columns;
  // What is stored transposed lies in the file column by column.
  const bool in_file_order = view.is_transposed && !options.spectrum;
  if (gram_of_rows || in_file_order) return panels_of(view, dtype, quantum);
  return row_blocks_of(view, dtype, quantum, options.spectrum);
}

Tiling file_order_tiling(const MatrixView& view, Dtype dtype, const Options& options) {
  return row_blocks_of(view, dtype, column_quantum(options), false);
}

}  // namespace moesweep::sensitivity
