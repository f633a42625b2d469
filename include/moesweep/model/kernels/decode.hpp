#pragma once
// Bytes of a checkpoint to binary32, the type in which every round trip is defined.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <moesweep/core/base/dtype.hpp>

namespace moesweep::kernels {

/// Decodes little-endian elements. bytes.size() == out.size() * dtype_bytes(dtype).
/// Exact for BF16, F16, F8_E4M3 (OCP "FN": no infinities, 0x7f and 0xff are NaN), F8_E5M2, F32 and
/// integers up to 2^24; F64 and larger integers are rounded to nearest even (an F64 beyond binary32
/// becomes infinite and is then reported as non-finite). Subnormals are kept.
void decode(Dtype dtype, std::span<const std::byte> bytes, std::span<float> out);

/// Index of the first NaN or infinity, if any.
std::optional<std::int64_t> first_nonfinite(std::span<const float> values);

}  // namespace moesweep::kernels
