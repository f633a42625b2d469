#pragma once
// Finding the recipe whose weights have the statistics of the inventory.

#include <optional>
#include <string>

#include <moesweep/model/twin/inventory.hpp>

#include "recipe.hpp"

namespace moesweep::twin {

struct Calibration {
  Recipe recipe;
  /// What the recipe gives: measured where slices are made whole, predicted elsewhere.
  Statistics reached;
  std::string
      reason;  ///< why `reached` misses what was wanted by more than 5 %; empty when it does not
};

/// A pure function of its arguments. Without statistics: noise alone.
Calibration calibrate(const MatrixShape& matrix, PhiloxKey key,
                      const std::optional<Statistics>& wanted);

/// By measuring trial slices, for small ones; by prediction, for large ones.
Calibration calibrate_whole(Recipe start, const Statistics& wanted);
Calibration calibrate_row_by_row(Recipe start, const Statistics& wanted);

}  // namespace moesweep::twin
