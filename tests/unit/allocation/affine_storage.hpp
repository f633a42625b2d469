#pragma once
// MLX's affine storage for matrices whose rows are whole groups, in 16-bit dtypes.

#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::allocation {

inline std::vector<Encoding> affine_formats() {
  std::vector<Encoding> formats;
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    for (const int group : {32, 64, 128}) formats.push_back({"affine", bits, group});
  }
  return formats;
}

inline std::int64_t affine_bytes(const Tensor& tensor, const Encoding& format) {
  const auto params = tensor.params();
  if (tensor.shape.back() % format.group_size != 0) return -1;
  return params * format.bits / 8 + params / format.group_size * 4;
}

}  // namespace moesweep::allocation
