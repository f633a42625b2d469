#pragma once
// One slice of a tensor as a sequence of decoded blocks.

#include <functional>
#include <span>
#include <vector>

#include <moesweep/checkpoint/checkpoint.hpp>
#include <moesweep/sensitivity/sensitivity.hpp>

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

/// Holds the buffers, so that the slices of an item share them.
class SliceStream {
 public:
  SliceStream(const checkpoint::TensorReader& reader, const checkpoint::Tensor& tensor,
              const MatrixView& view, const Tiling& tiling);

  /// Visits every block of the slice in the tiling's order; stops early when a visit returns false.
  void visit(std::int64_t slice, const std::function<bool(const Block&)>& visitor);

 private:
  void visit_row_blocks(std::int64_t slice, const std::function<bool(const Block&)>& visitor);
  void visit_panels(std::int64_t slice, const std::function<bool(const Block&)>& visitor);
  void read_stripe(std::int64_t slice, std::int64_t column_first, std::int64_t columns);
  /// Bytes of `count` elements from row, column of the slice into the raw buffer at `at` elements.
  void read(std::int64_t slice, std::int64_t row, std::int64_t column, std::int64_t count,
            std::int64_t at);
  std::span<const std::byte> raw(std::int64_t first, std::int64_t count) const;

  const checkpoint::TensorReader& reader_;
  const checkpoint::Tensor& tensor_;
  MatrixView view_;
  Tiling tiling_;
  std::int64_t element_bytes_;
  std::vector<std::byte> raw_;
  std::vector<float> values_;
};

/// Bytes that a SliceStream holds.
std::int64_t stream_bytes(const MatrixView& view, const Tiling& tiling, Dtype dtype);

}  // namespace moesweep::sensitivity
