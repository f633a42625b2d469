#pragma once
// Fourth moments of mixtures: what is wanted of them and what their parts give.

#include <cstdint>
#include <span>

#include "recipe.hpp"

namespace moesweep::twin {

/// m4 / m2^2 of counter_noise.
inline constexpr double noise_fourth = 2.6;

/// Sums of powers of weights.
struct PowerSums {
  double count = 0, first = 0, second = 0, third = 0, fourth = 0;

  void add(std::span<const float> weights);
  /// m4 / m2^2 about the mean; 0 when all weights are equal.
  double standardized_fourth() const;
};

/// Of bulk and spike together: shares of energy and the parts' own moments.
double mixed_fourth(double spike, double spike_fourth, double bulk_fourth);

/// How the fourth moment is shared out.
struct Tails {
  double headroom = 0.1;  ///< share of it that bulk and spike leave to the outliers
  double rarity = 8.0;    ///< weights for each outlier, over the moment; the outliers' share of the
                          ///< energy is about 1/sqrt(rarity)
};

/// Directions for a spike of the recipe's share, so that bulk and spike leave the headroom.
void shape_directions(Recipe& recipe, double wanted, const Tails& tails);

/// Strata for outliers that raise the fourth moment to `wanted`; at least one in a slice.
Outliers outlier_strata(const MatrixShape& matrix, double wanted, const Tails& tails, bool whole);

/// Sums of squares and fourth powers over the number of weights: of the weights that are no
/// outliers, and of outliers of nominal magnitude 1.
struct MomentParts {
  double others_second = 0, others_fourth = 0;
  double outliers_second = 0, outliers_fourth = 0;
};

/// As expected where the other weights have this mean square and mean fourth power.
MomentParts expected_parts(const Recipe& recipe, double second, double fourth);

/// Magnitude that gives the wanted m4 / m2^2; 0 when the others have it already, negative when none
/// does.
double outlier_magnitude(const MomentParts& parts, double wanted);

}  // namespace moesweep::twin
