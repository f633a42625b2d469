#include "moments.hpp"

#include <algorithm>
#include <cmath>

namespace moesweep::twin {

void PowerSums::add(std::span<const float> weights) {
  PowerSums sums;
  for (const float weight : weights) {
    const double w = weight;
    const double w2 = w * w;
    sums.first += w;
    sums.second += w2;
    sums.third += w2 * w;
    sums.fourth += w2 * w2;
  }
  count += static_cast<double>(weights.size());
  first += sums.first;
  second += sums.second;
  third += sums.third;
  fourth += sums.fourth;
}

double PowerSums::standardized_fourth() const {
  const double mean = first / count;
  const double m2 = second / count - mean * mean;
  const double m4 = fourth / count - 4.0 * mean * third / count +
                    6.0 * mean * mean * second / count - 3.0 * mean * mean * mean * mean;
  return m2 > 0.0 ? m4 / (m2 * m2) : 0.0;
}

double mixed_fourth(double spike, double spike_fourth, double bulk_fourth) {
  const double bulk = 1.0 - spike;
  return spike * spike * spike_fourth + 6.0 * spike * bulk + bulk * bulk * bulk_fourth;
}

void shape_directions(Recipe& recipe, double wanted, const Tails& tails) {
  const double spike = recipe.spike;
  const auto m = static_cast<double>(recipe.matrix.rows);
  const auto n = static_cast<double>(recipe.matrix.cols);
  const double left = (1.0 - tails.headroom) * wanted - mixed_fourth(spike, 0.0, noise_fourth);
  const double own = spike > 0.0 ? left / (spike * spike) : 1.0;
  const double fourth = std::clamp(own, 1.0, std::max(1.0, wanted));
  const double along_cols = std::min(std::sqrt(fourth), std::max(1.0, 0.5 * n));
  const double along_rows = std::min(fourth / along_cols, std::max(1.0, 0.5 * m));
  recipe.u = direction_with(recipe.matrix.rows, along_rows);
  recipe.v = direction_with(recipe.matrix.cols, along_cols);
}

Outliers outlier_strata(const MatrixShape& matrix, double wanted, const Tails& tails, bool whole) {
  const double length = std::max(64.0, tails.rarity * wanted);
  const auto n = static_cast<double>(matrix.cols);
  Outliers made;
  if (length >= n) {
    const auto rows = std::min(std::ceil(length / n), static_cast<double>(matrix.rows));
    made.rows_each = static_cast<std::int64_t>(rows);
    if (made.rows_each > matrix.rows / 2) made.rows_each = matrix.rows;
  } else if (!whole) {
    // Small slices keep one a row: their spectrum then does not see them.
    made.per_row = static_cast<std::int64_t>(n / length);
  }
  return made;
}

MomentParts expected_parts(const Recipe& recipe, double second, double fourth) {
  const double share = static_cast<double>(recipe.outliers.count(recipe.matrix)) /
                       static_cast<double>(recipe.matrix.weights());
  return {(1.0 - share) * second, (1.0 - share) * fourth, share * outlier_square,
          share * outlier_fourth};
}

double outlier_magnitude(const MomentParts& parts, double wanted) {
  // (o4 x^2 + fourth) = wanted (o2 x + second)^2 in x = magnitude^2.
  const double o2 = parts.outliers_second;
  const double a = parts.outliers_fourth - wanted * o2 * o2;
  const double b = -2.0 * wanted * o2 * parts.others_second;
  const double c = parts.others_fourth - wanted * parts.others_second * parts.others_second;
  if (c >= 0.0) return 0.0;
  if (a <= 0.0) return -1.0;
  return std::sqrt((-b + std::sqrt(b * b - 4.0 * a * c)) / (2.0 * a));
}

}  // namespace moesweep::twin
