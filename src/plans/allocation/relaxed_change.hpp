#pragma once
// How much the error of modules that are not decided yet can change when they get more or fewer
// bytes than in the relaxed optimum: the bound that prunes the exact search.

#include <cstdint>
#include <span>
#include <vector>

#include "hull.hpp"

namespace moesweep::allocation {

/// Convex and piecewise linear, from steps in the order in which the relaxation takes or undoes
/// them.
class RelaxedChange {
 public:
  /// `taken` are the steps of the relaxed optimum and `left` those behind them, both in the order
  /// of steps_of_all. Steps of decided modules are passed over. Exact up to `reach` bytes either
  /// way, a bound beyond.
  RelaxedChange(std::span<const Step> taken, std::span<const Step> left,
                const std::vector<bool>& decided, std::int64_t reach);

  /// At least this much error is added when `bytes` become free for the undecided modules (a
  /// negative number is less error), or have to be saved there (bytes < 0). Infinite when that many
  /// cannot be saved.
  double least_added_error(std::int64_t bytes) const;

 private:
  struct Corner {
    std::int64_t bytes = 0;  ///< used or saved up to here
    double error = 0.0;      ///< lost or added up to here
    double slope = 0.0;      ///< from here on
  };
  static std::vector<Corner> corners_from(auto first, auto last, const std::vector<bool>& decided,
                                          std::int64_t reach, double slope_at_end);
  static double at(const std::vector<Corner>& corners, std::int64_t bytes);

  std::vector<Corner> up_, down_;
};

}  // namespace moesweep::allocation
