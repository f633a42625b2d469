#pragma once
// What MLX makes of a matrix, as shapes (mlx.core.quantize, mode affine).

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <moesweep/core/base/dtype.hpp>

namespace moesweep::written {

struct AffineShapes {
  std::vector<std::int64_t> codes;   ///< uint32, K * bits / 32 words a row
  std::vector<std::int64_t> scales;  ///< and biases, K / group_size a row
  Dtype scale_dtype = Dtype::bf16;
};

inline constexpr std::array mlx_bits = {2, 3, 4, 5, 6, 8};
inline constexpr std::array mlx_group_sizes = {32, 64, 128};

/// Scales have the weight's dtype; MLX knows no 8-bit floats and no binary64.
inline Dtype scale_dtype_of(Dtype weight_dtype) {
  switch (weight_dtype) {
    case Dtype::bf16:
    case Dtype::f8_e4m3:
    case Dtype::f8_e5m2:
      return Dtype::bf16;
    case Dtype::f16:
      return Dtype::f16;
    default:
      return Dtype::f32;
  }
}

/// Nothing where MLX cannot: no matrix, no weights, bits or groups that it does not know, columns
/// that are no multiple of the group. (Every group is a multiple of 32, so its codes fill words.)
inline std::optional<AffineShapes> affine_shapes(std::span<const std::int64_t> shape, Dtype dtype,
                                                 int bits, int group_size) {
  if (shape.size() < 2 || !is_floating_point(dtype)) return std::nullopt;
  if (std::ranges::find(mlx_bits, bits) == mlx_bits.end()) return std::nullopt;
  if (std::ranges::find(mlx_group_sizes, group_size) == mlx_group_sizes.end()) return std::nullopt;
  const auto columns = shape.back();
  if (columns == 0 || columns % group_size != 0) return std::nullopt;
  AffineShapes stored;
  stored.codes.assign(shape.begin(), shape.end());
  stored.scales = stored.codes;
  stored.codes.back() = columns / 32 * bits;
  stored.scales.back() = columns / group_size;
  stored.scale_dtype = scale_dtype_of(dtype);
  return stored;
}

}  // namespace moesweep::written
