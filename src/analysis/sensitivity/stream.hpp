#pragma once
// The slices of a work item as a sequence of decoded blocks, read ahead while blocks are computed.

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>

#include "tiling.hpp"

namespace moesweep::sensitivity {

/// Row-major rows x columns of binary32, valid during the visit.
struct Block {
  std::span<const float> values;
  std::int64_t row_first = 0;
  std::int64_t rows = 0;
  std::int64_t column_first = 0;
  std::int64_t columns = 0;
};

/// Holds two read buffers and one of decoded values: while the blocks of one extent are visited,
/// the next extent is read, also across the end of a slice.
class SliceStream {
 public:
  /// Slices are read ahead up to `slice_last`.
  SliceStream(const checkpoint::TensorReader& reader, const checkpoint::Tensor& tensor,
              const MatrixView& view, const Tiling& tiling, std::int64_t slice_last);

  /// Visits every block of the slice in the tiling's order; stops early when a visit returns false.
  /// Slices may come in any order, but only the next is read ahead.
  void visit(std::int64_t slice, const std::function<bool(const Block&)>& visitor);

 private:
  struct Buffer {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    std::optional<Extent> extent;  ///< what is in it, or on its way
    checkpoint::PendingRead pending;
  };

  /// Bytes of the extent; the one after it is on its way when this returns.
  std::span<const std::byte> bytes_of(const Extent& extent);
  std::span<std::byte> filled(Buffer& buffer) const;
  void start_reading(const Extent& extent, Buffer& buffer);
  std::optional<Extent> after(const Extent& extent) const;
  bool visit_extent(const Extent& extent, const std::function<bool(const Block&)>& visitor);
  void decode(const Extent& extent, std::span<const std::byte> bytes, const Block& block,
              std::span<float> values) const;

  const checkpoint::TensorReader& reader_;
  const checkpoint::Tensor& tensor_;
  MatrixView view_;
  Tiling tiling_;
  std::int64_t slice_last_;
  std::int64_t element_bytes_;
  std::vector<float> values_;
  std::array<Buffer, 2> buffers_;
  std::size_t current_ = 0;
};

/// Bytes that a SliceStream holds.
std::int64_t stream_bytes(const MatrixView& view, const Tiling& tiling, Dtype dtype);

}  // namespace moesweep::sensitivity
