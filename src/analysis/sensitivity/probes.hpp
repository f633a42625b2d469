#pragma once
// Noise amplification as the published code estimates it: |NX|/|WX| for drawn noise N and probes X.

#include <vector>

#include <moesweep/core/base/philox.hpp>

#include "estimate.hpp"
#include "stream.hpp"

namespace moesweep::sensitivity {

/// Adds up the products of one matrix, block by block. The noise is drawn for a range of 1 and
/// scaled at the end, so one pass is enough. All draws are addressed by row and column, and each
/// row is summed left to right: the result does not depend on the blocks.
class ProbeProducts {
 public:
  ProbeProducts(const MatrixView& view, std::int64_t block_rows, PhiloxKey key);

  /// In the order of the tiling: left to right within a row.
  void add(const Block& block);
  /// For a matrix whose weights lie in a range of this width; 0 when the weights' products are 0.
  double amplification(double range) const;

  static std::int64_t bytes(const MatrixView& view, std::int64_t block_rows);

 private:
  void add_row(std::int64_t row, std::int64_t column, std::span<const float> weights,
               std::span<double> of_weights, std::span<double> of_noise) const;

  std::int64_t columns_;
  PhiloxKey key_;
  std::vector<double> probes_;      ///< columns x probe_count, each probe of length 1
  std::vector<double> of_weights_;  ///< block rows x probe_count
  std::vector<double> of_noise_;
  double squares_of_weights_ = 0.0;
  double squares_of_noise_ = 0.0;
};

}  // namespace moesweep::sensitivity
