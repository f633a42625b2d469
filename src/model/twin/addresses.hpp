#pragma once
// Where a recipe's spikes and outliers are, each found from its address alone.

#include <cstdint>
#include <span>

#include "recipe.hpp"

namespace moesweep::twin {

/// Entries [first, first + out.size()) of a slice's direction.
void direction_entries(const Direction& direction, PhiloxKey key, Stream stream, std::int64_t slice,
                       std::int64_t first, std::span<float> out);

struct Outlier {
  std::int64_t row = 0;
  std::int64_t col = 0;
  float value = 0.0F;  ///< of nominal magnitude 1
};

/// Calls `visit(Outlier)` for the outliers of a slice in rows [row_first, row_end).
template <typename Visit>
void for_each_outlier(const Recipe& recipe, std::int64_t slice, std::int64_t row_first,
                      std::int64_t row_end, Visit visit);

Outlier outlier_at(const Recipe& recipe, std::int64_t slice, std::int64_t index);

template <typename Visit>
void for_each_outlier(const Recipe& recipe, std::int64_t slice, std::int64_t row_first,
                      std::int64_t row_end, Visit visit) {
  const auto& outliers = recipe.outliers;
  const auto count = outliers.count(recipe.matrix);
  const auto first = row_first / outliers.rows_each * outliers.per_row;
  const auto end = (row_end + outliers.rows_each - 1) / outliers.rows_each * outliers.per_row;
  for (auto index = first; index < end && index < count; ++index) {
    const auto outlier = outlier_at(recipe, slice, index);
    if (outlier.row >= row_first && outlier.row < row_end) visit(outlier);
  }
}

}  // namespace moesweep::twin
