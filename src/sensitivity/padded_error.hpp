#pragma once
// The reference quantizer's error with the zeros that fill up short groups counted as weights, as
// the published error score counts them.

#include <cstdint>

#include <moesweep/base/dtype.hpp>

#include "stream.hpp"

namespace moesweep::sensitivity {

double padded_reference_sse(const Block& block, Dtype dtype);

/// The most bytes that it holds.
std::int64_t padded_reference_bytes(std::int64_t block_columns);

}  // namespace moesweep::sensitivity
