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

/// Magnitude that gives the wanted moment m4 / m2^2 when the other weights have mean square
/// `second` and mean fourth power `fourth`; 0 when they have it already, negative when none does.
double outlier_magnitude(const Recipe& recipe, double second, double fourth, double wanted);

}  // namespace moesweep::twin
