#pragma once
// Binary32 to the bytes of a checkpoint, the reverse of decode.hpp.

#include <cstddef>
#include <span>

#include <moesweep/core/base/dtype.hpp>

namespace moesweep::kernels {

/// Little-endian elements, rounded to nearest even; beyond the largest finite one they are
/// infinite, NaN stays NaN. BF16, F16, F32 and F64 only.
/// bytes.size() == values.size() * dtype_bytes(dtype).
void encode(Dtype dtype, std::span<const float> values, std::span<std::byte> bytes);

}  // namespace moesweep::kernels
