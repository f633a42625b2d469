#pragma once
// Making a recipe's weights.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recipe.hpp"

namespace moesweep::twin {

/// Elements [first, first + out.size()) of a slice as BF16, rows one after another. The bytes do
/// not depend on how a slice is cut into calls.
void slice_elements(const Recipe& recipe, std::int64_t slice, std::int64_t first,
                    std::span<std::uint16_t> out);

/// Noise of a whole slice, row-major, and its orthogonalization: Gram-Schmidt over the short side,
/// scaled to mean square 1.
std::vector<float> whole_noise(const Recipe& recipe, std::int64_t slice);
std::vector<float> orthogonalized(const MatrixShape& matrix, std::span<const float> noise);

/// Bulk and spike of a whole slice before clipping and outliers, from its noise; `orthogonal` may
/// be empty when recipe.flatten is 0.
std::vector<float> unclipped_slice(const Recipe& recipe, std::int64_t slice,
                                   std::span<const float> noise, std::span<const float> orthogonal);
void clip_slice(float clip, std::span<float> weights);
void put_outliers(const Recipe& recipe, std::int64_t slice, std::span<float> weights);

}  // namespace moesweep::twin
