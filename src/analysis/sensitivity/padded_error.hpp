#pragma once
// The reference quantizer's error with the zeros that fill up short groups counted as weights, as
// the published error score counts them.

#include <cstdint>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

#include "stream.hpp"

namespace moesweep::sensitivity {

/// Not for several threads at once.
class PaddedReference {
 public:
  explicit PaddedReference(Dtype weight_dtype);

  double sse(const Block& block);

  /// The most that one holds.
  static std::int64_t bytes(std::int64_t block_columns);

 private:
  kernels::RoundTripErrors errors_;
  std::vector<float> padded_;
};

}  // namespace moesweep::sensitivity
