#include <moesweep/plans/written/layout.hpp>

#include "affine_shapes.hpp"

namespace moesweep::written {

std::int64_t affine_bytes(std::span<const std::int64_t> shape, Dtype dtype, int bits,
                          int group_size) {
  const auto stored = affine_shapes(shape, dtype, bits, group_size);
  if (!stored) return -1;
  std::int64_t codes = dtype_bytes(Dtype::u32);
  for (const auto side : stored->codes) codes *= side;
  std::int64_t scales = dtype_bytes(stored->scale_dtype);
  for (const auto side : stored->scales) scales *= side;
  return codes + 2 * scales;
}

}  // namespace moesweep::written
