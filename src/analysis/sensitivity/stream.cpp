#include "stream.hpp"

#include <algorithm>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/decode.hpp>

#include "estimate.hpp"

namespace moesweep::sensitivity {
namespace {

std::size_t size(std::int64_t count) {
  return checked_cast<std::size_t>(count);
}

Extent first_extent(std::int64_t slice, const MatrixView& view, const Tiling& tiling) {
  return {slice, 0, std::min(tiling.extent_rows, view.rows), 0,
          std::min(tiling.extent_columns, view.columns)};
}

/// To the right, then down; nothing behind the last.
std::optional<Extent> next_in_slice(const Extent& extent, const MatrixView& view,
                                    const Tiling& tiling) {
  auto next = extent;
  next.column_first += extent.columns;
  if (next.column_first == view.columns) {
    next.column_first = 0;
    next.row_first += extent.rows;
  }
  if (next.row_first == view.rows) return std::nullopt;
  next.rows = std::min(tiling.extent_rows, view.rows - next.row_first);
  next.columns = std::min(tiling.extent_columns, view.columns - next.column_first);
  return next;
}

/// Rows of one slice of the tensor are equally far apart; those of all columns are one range. A
/// stack of sampled slices has ranges of each.
std::vector<checkpoint::ByteRanges> ranges_of(const Extent& extent, const MatrixView& view,
                                              std::int64_t element_bytes) {
  const auto bytes = [&](std::int64_t elements) {
    return checked_cast<std::uint64_t>(elements * element_bytes);
  };
  std::vector<checkpoint::ByteRanges> ranges;
  for (std::int64_t row = 0; row < extent.rows;) {
    const auto in_view = extent.row_first + row;
    const auto rows =
        std::min(extent.rows - row, contiguous_elements(view, in_view, 0) / view.columns);
    const auto offset = bytes(tensor_element(view, extent.slice, in_view, extent.column_first));
    if (extent.columns == view.columns) {
      ranges.push_back({.offset = offset, .bytes = bytes(rows * extent.columns)});
    } else {
      ranges.push_back({.offset = offset,
                        .bytes = bytes(extent.columns),
                        .count = checked_cast<std::uint64_t>(rows),
                        .stride = bytes(view.columns)});
    }
    row += rows;
  }
  return ranges;
}

}  // namespace

SliceStream::SliceStream(const checkpoint::TensorReader& reader, const checkpoint::Tensor& tensor,
                         const MatrixView& view, const Tiling& tiling, std::int64_t slice_last)
    : reader_(reader),
      tensor_(tensor),
      view_(view),
      tiling_(tiling),
      slice_last_(slice_last),
      element_bytes_(dtype_bytes(tensor.dtype)),
      values_(size(tiling.block_elements())) {}

void SliceStream::visit(std::int64_t slice, const std::function<bool(const Block&)>& visitor) {
  std::optional<Extent> extent = first_extent(slice, view_, tiling_);
  while (extent && visit_extent(*extent, visitor)) {
    extent = next_in_slice(*extent, view_, tiling_);
  }
}

bool SliceStream::visit_extent(const Extent& extent,
                               const std::function<bool(const Block&)>& visitor) {
  const auto bytes = bytes_of(extent);
  for (std::int64_t row = 0; row < extent.rows; row += tiling_.block_rows) {
    const auto rows = std::min(tiling_.block_rows, extent.rows - row);
    for (std::int64_t column = 0; column < extent.columns; column += tiling_.block_columns) {
      const auto columns = std::min(tiling_.block_columns, extent.columns - column);
      const auto values = std::span(values_).first(size(rows * columns));
      const Block block{values, extent.row_first + row, rows, extent.column_first + column,
                        columns};
      decode(extent, bytes, block, values);
      if (!visitor(block)) return false;
    }
  }
  return true;
}

void SliceStream::decode(const Extent& extent, std::span<const std::byte> bytes, const Block& block,
                         std::span<float> values) const {
  const auto decode_run = [&](std::int64_t row, std::int64_t rows) {
    const auto from = (block.row_first + row - extent.row_first) * extent.columns +
                      block.column_first - extent.column_first;
    const auto count = rows * block.columns;
    kernels::decode(tensor_.dtype,
                    bytes.subspan(size(from * element_bytes_), size(count * element_bytes_)),
                    values.subspan(size(row * block.columns), size(count)));
  };
  if (block.columns == extent.columns) return decode_run(0, block.rows);
  for (std::int64_t row = 0; row < block.rows; ++row) decode_run(row, 1);
}

std::span<const std::byte> SliceStream::bytes_of(const Extent& extent) {
  if (buffers_[current_].extent != extent) {
    current_ = 1 - current_;
    if (buffers_[current_].extent != extent) start_reading(extent, buffers_[current_]);
  }
  auto& buffer = buffers_[current_];
  if (buffer.pending.is_under_way()) {
    buffer.extent.reset();  // should the read fail, nothing is in the buffer
    buffer.pending.finish();
    buffer.extent = extent;
  }
  auto& ahead = buffers_[1 - current_];
  if (const auto next = after(extent); next && ahead.extent != next) start_reading(*next, ahead);
  return filled(buffer);
}

std::span<std::byte> SliceStream::filled(Buffer& buffer) const {
  return {buffer.bytes.get(), size(buffer.extent->elements() * element_bytes_)};
}

void SliceStream::start_reading(const Extent& extent, Buffer& buffer) {
  buffer.pending = {};  // an earlier read into it ends first
  const auto bytes = size(extent.elements() * element_bytes_);
  if (buffer.size < bytes) {
    buffer.bytes = std::make_unique_for_overwrite<std::byte[]>(bytes);
    buffer.size = bytes;
  }
  buffer.extent = extent;
  buffer.pending = reader_.start(tensor_, ranges_of(extent, view_, element_bytes_), filled(buffer));
}

std::optional<Extent> SliceStream::after(const Extent& extent) const {
  if (const auto next = next_in_slice(extent, view_, tiling_)) return next;
  if (extent.slice >= slice_last_) return std::nullopt;
  return first_extent(extent.slice + 1, view_, tiling_);
}

std::int64_t stream_bytes(const MatrixView& view, const Tiling& tiling, Dtype dtype) {
  const bool is_one_extent =
      view.slices == 1 && tiling.extent_elements() == view.rows * view.columns;
  const auto extents = (is_one_extent ? 1 : 2) * (view.is_transposed ? 2 : 1);
  return extents * tiling.extent_elements() * dtype_bytes(dtype) +
         tiling.block_elements() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace moesweep::sensitivity
