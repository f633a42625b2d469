#pragma once
// Features in float64, some rows at a time: a whole copy would take twice the memory of the cache.

#include <algorithm>
#include <cstdint>
#include <functional>

#include <moesweep/analysis/training/features.hpp>
#include <moesweep/model/kernels/aligned_buffer.hpp>

namespace moesweep::training {

/// Rows first .. first + rows - 1, row-major in aligned memory.
struct WidenedBlock {
  std::int64_t first;
  std::int64_t rows;
  const double* values;
};

/// Visits all rows in order. Block sizes follow from the shape alone, as sums over blocks depend on
/// them; a block is about half a MiB, to stay in cache.
class WidenedBlocks {
 public:
  explicit WidenedBlocks(const FeatureMatrix& features)
      : features_(features),
        depth_(std::min(std::max<std::int64_t>(1, features.rows),
                        std::clamp<std::int64_t>(
                            65536 / std::max<std::int64_t>(1, features.columns), 16, 1024))),
        block_(kernels::allocate_aligned<double>(depth_ * features.columns)) {}

  void visit(const std::function<void(const WidenedBlock&)>& visitor) const {
    for (std::int64_t first = 0; first < features_.rows; first += depth_) {
      const std::int64_t rows = std::min(depth_, features_.rows - first);
      const float* from = features_.values.data() + first * features_.columns;
      for (std::int64_t i = 0; i < rows * features_.columns; ++i) {
        block_[static_cast<std::size_t>(i)] = static_cast<double>(from[i]);
      }
      visitor({first, rows, block_.get()});
    }
  }

 private:
  const FeatureMatrix& features_;
  std::int64_t depth_;
  kernels::AlignedBuffer<double> block_;
};

}  // namespace moesweep::training
