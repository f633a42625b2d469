#include "stream.hpp"

#include <algorithm>

#include <moesweep/base/cast.hpp>
#include <moesweep/kernels/decode.hpp>

#include "estimate.hpp"

namespace moesweep::sensitivity {
namespace {

std::size_t size(std::int64_t count) {
  return checked_cast<std::size_t>(count);
}

}  // namespace

SliceStream::SliceStream(const checkpoint::TensorReader& reader, const checkpoint::Tensor& tensor,
                         const MatrixView& view, const Tiling& tiling)
    : reader_(reader),
      tensor_(tensor),
      view_(view),
      tiling_(tiling),
      element_bytes_(dtype_bytes(tensor.dtype)),
      raw_(size(tiling.read_elements(view) * element_bytes_)),
      values_(size(tiling.block_elements())) {}

void SliceStream::visit(std::int64_t slice, const std::function<bool(const Block&)>& visitor) {
  if (tiling_.column_panels)
    visit_panels(slice, visitor);
  else
    visit_row_blocks(slice, visitor);
}

// A block is whole rows, or a piece of one row: one contiguous range of the file either way.
void SliceStream::visit_row_blocks(std::int64_t slice,
                                   const std::function<bool(const Block&)>& visitor) {
  for (std::int64_t row = 0; row < view_.rows; row += tiling_.block_rows) {
    const auto rows = std::min(tiling_.block_rows, view_.rows - row);
    for (std::int64_t column = 0; column < view_.columns; column += tiling_.block_columns) {
      const auto columns = std::min(tiling_.block_columns, view_.columns - column);
      const auto values = std::span(values_).first(size(rows * columns));
      read(slice, row, column, rows * columns, 0);
      kernels::decode(tensor_.dtype, raw(0, rows * columns), values);
      if (!visitor({values, row, rows, column, columns})) return;
    }
  }
}

void SliceStream::visit_panels(std::int64_t slice,
                               const std::function<bool(const Block&)>& visitor) {
  for (std::int64_t column = 0; column < view_.columns; column += tiling_.block_columns) {
    const auto in_stripe = column % tiling_.stripe_columns;
    const auto stripe_first = column - in_stripe;
    const auto stripe = std::min(tiling_.stripe_columns, view_.columns - stripe_first);
    if (in_stripe == 0) read_stripe(slice, stripe_first, stripe);
    const auto columns = std::min(tiling_.block_columns, view_.columns - column);
    const auto values = std::span(values_).first(size(view_.rows * columns));
    for (std::int64_t row = 0; row < view_.rows; ++row) {
      kernels::decode(tensor_.dtype, raw(row * stripe + in_stripe, columns),
                      values.subspan(size(row * columns), size(columns)));
    }
    if (!visitor({values, 0, view_.rows, column, columns})) return;
  }
}

void SliceStream::read_stripe(std::int64_t slice, std::int64_t column_first, std::int64_t columns) {
  if (columns == view_.columns) return read(slice, 0, 0, view_.rows * columns, 0);
  for (std::int64_t row = 0; row < view_.rows; ++row) {
    read(slice, row, column_first, columns, row * columns);
  }
}

void SliceStream::read(std::int64_t slice, std::int64_t row, std::int64_t column,
                       std::int64_t count, std::int64_t at) {
  while (count > 0) {
    const auto piece = std::min(count, contiguous_elements(view_, row, column));
    const auto element = tensor_element(view_, slice, row, column);
    reader_.read(tensor_, checked_cast<std::uint64_t>(element * element_bytes_),
                 std::span(raw_).subspan(size(at * element_bytes_), size(piece * element_bytes_)));
    count -= piece;
    at += piece;
    row += (column + piece) / view_.columns;
    column = (column + piece) % view_.columns;
  }
}

std::span<const std::byte> SliceStream::raw(std::int64_t first, std::int64_t count) const {
  return std::span(raw_).subspan(size(first * element_bytes_), size(count * element_bytes_));
}

std::int64_t stream_bytes(const MatrixView& view, const Tiling& tiling, Dtype dtype) {
  return tiling.read_elements(view) * dtype_bytes(dtype) +
         tiling.block_elements() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace moesweep::sensitivity
