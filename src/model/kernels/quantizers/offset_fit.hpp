#pragma once
// Sub-blocks of Q5_K, Q4_K and Q2_K: x is about scale*code - minimum with codes in [0, levels] and
// minimum >= 0, fitted by weighted least squares for codes from a grid of scales.

#include <cstddef>
#include <span>

namespace moesweep::kernels::gguf {

/// The scales tried are range/(levels + first + i step), i = 0 .. last.
struct ScaleGrid {
  float first = 0.0F;
  float step = 0.1F;
  int last = 0;
  bool absolute_error = false;  ///< what is compared: sum w |e|, or sum w e^2
};

struct OffsetFit {
  float scale = 0.0F;
  float minimum = 0.0F;  ///< subtracted
};

inline constexpr std::size_t longest_sub_block = 32;

/// x, weights and codes have the same size, at most longest_sub_block.
OffsetFit fit_with_offset(std::span<const float> x, std::span<const float> weights, int levels,
                          const ScaleGrid& grid, std::span<int> codes);

}  // namespace moesweep::kernels::gguf
