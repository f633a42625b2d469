#pragma once
// What a tensor's twin is made of. A slice is, in units of `rms_scale`,
//   sqrt(1-spike) * bulk + sqrt(spike) * u v^T,  soft-clipped,  with outliers put in their places;
// bulk is independent noise, or that noise mixed with its own orthogonalization.

#include <cstdint>
#include <string>

#include "matrix.hpp"

namespace moesweep::twin {

/// Two magnitudes with random signs, mean square 1: `high_count` entries, one in each of as many
/// equal strata, are `high`, the others `low`.
struct Direction {
  std::int64_t length = 1;
  std::int64_t high_count = 1;
  float high = 1.0F;
  float low = 1.0F;

  double fourth_moment() const;
};

/// The direction of `length` whose standardized fourth moment is nearest to `fourth_moment` >= 1.
Direction direction_with(std::int64_t length, double fourth_moment);

/// Isolated large weights: one in each stratum of `rows_each` rows, or `per_row` in every row.
/// Their magnitudes are uniform in [0.75, 1.25) * magnitude.
struct Outliers {
  float magnitude = 0.0F;  ///< 0: none
  std::int64_t rows_each = 1;
  std::int64_t per_row = 1;

  std::int64_t count(const MatrixShape& matrix) const {
    return rows_each > 1 ? matrix.rows / rows_each : matrix.rows * per_row;
  }
};

struct Recipe {
  MatrixShape matrix;
  PhiloxKey key{};
  bool whole = false;  ///< slices are made whole (small ones), not row by row
  float flatten =
      0.0F;  ///< 0: bulk is noise; 1: bulk has all singular values equal. Whole slices only.
  float spike = 0.0F;  ///< share of the energy, [0, 1)
  Direction u{};
  Direction v{};
  float clip = 0.0F;  ///< x -> x / sqrt(1 + clip x^2). Whole slices only.
  Outliers outliers{};
};

/// Root mean square of bulk and spike together, before outliers.
inline constexpr float rms_scale = 0.02F;

/// Mean of the squares and of the fourth powers of the outliers' magnitudes over their nominal one.
inline constexpr double outlier_square = 1.0 + 0.25 / 12.0;
inline constexpr double outlier_fourth = 1.0 + 6.0 * 0.25 / 12.0 + 0.0625 / 80.0;

/// Largest slice that is made whole, and its largest short side: as long as a spectrum takes
/// milliseconds to measure, a recipe is found by measuring.
inline constexpr std::int64_t whole_weights = std::int64_t{1} << 17;
inline constexpr std::int64_t whole_side = 160;

}  // namespace moesweep::twin
