#include "calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>

#include "bf16.hpp"
#include "moments.hpp"
#include "slice.hpp"
#include "spectrum.hpp"

namespace moesweep::twin {
namespace {

constexpr double tolerance = 0.05;

bool misses(double reached, double wanted) {
  return !(std::abs(reached - wanted) <= tolerance * std::abs(wanted));
}

std::string reason_of(const Recipe& recipe, const Statistics& wanted, const Statistics& reached) {
  const auto& matrix = recipe.matrix;
  std::string reason;
  if (misses(reached.excess_kurtosis, wanted.excess_kurtosis)) {
    reason = std::abs(wanted.excess_kurtosis - reached.excess_kurtosis) < 0.004
                 ? std::string("a kurtosis this near 0 is moved by rounding to BF16")
             : wanted.excess_kurtosis > reached.excess_kurtosis
                 ? fmt::format("{} weights a slice cannot be this peaked with this spectrum",
                               matrix.weights())
                 : "bulk and spike alone are more peaked";
  }
  if (misses(reached.spectral_concentration, wanted.spectral_concentration)) {
    if (!reason.empty()) reason += "; ";
    reason +=
        wanted.spectral_concentration < reached.spectral_concentration
            ? fmt::format("a {} x {} matrix {} has a less even spectrum", matrix.rows, matrix.cols,
                          recipe.whole ? "with such outliers" : "of independent weights")
            : fmt::format("outliers of this size even out a {} x {} spectrum", matrix.rows,
                          matrix.cols);
  }
  return reason;
}

// Energy that outliers add to bulk and spike's 1, from the moments that both have by construction.
double outlier_energy(const Recipe& recipe, double wanted) {
  const double fourth =
      mixed_fourth(recipe.spike, recipe.u.fourth_moment() * recipe.v.fourth_moment(), noise_fourth);
  const double magnitude =
      std::max(0.0, outlier_magnitude(expected_parts(recipe, 1.0, fourth), wanted));
  const double share = static_cast<double>(recipe.outliers.count(recipe.matrix)) /
                       static_cast<double>(recipe.matrix.weights());
  return magnitude > 0.0 ? share * (outlier_square * magnitude * magnitude - 1.0) : 0.0;
}

// Beyond the threshold of Benaych-Georges and Nadakuditi an outlier has a singular value of its
// own, which the predicted spectrum lacks.
bool outliers_stand_out(const Recipe& recipe) {
  const double square = double{recipe.outliers.magnitude} * recipe.outliers.magnitude;
  const double share = static_cast<double>(recipe.outliers.count(recipe.matrix)) /
                       static_cast<double>(recipe.matrix.weights());
  const double noise = 1.0 - recipe.spike + share * square;
  return square > noise * std::sqrt(static_cast<double>(recipe.matrix.weights()));
}

// Matrices up to this size are measured, so that the chance of the draw is taken out; the mean of
// more weights needs no correction.
constexpr std::int64_t measured_weights = std::int64_t{1} << 23;

PowerSums sums_without_outliers(Recipe recipe) {
  recipe.outliers.magnitude = 0.0F;
  const auto& matrix = recipe.matrix;
  PowerSums sums;
  std::vector<std::uint16_t> bits;
  std::vector<float> weights;
  const auto piece = std::max<std::int64_t>(1, 65536 / matrix.cols);
  for (std::int64_t row = 0; row < matrix.rows; row += piece) {
    const auto count = std::min(piece, matrix.rows - row) * matrix.cols;
    bits.resize(checked_cast<std::size_t>(count));
    weights.resize(bits.size());
    slice_elements(recipe, 0, row * matrix.cols, bits);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      weights[i] = from_bf16(bits[i]) / rms_scale;
    }
    sums.add(weights);
  }
  return sums;
}

}  // namespace

Calibration calibrate_row_by_row(Recipe recipe, const Statistics& wanted) {
  const double fourth_wanted = wanted.excess_kurtosis + 3.0;
  const Tails tails;
  recipe.outliers = outlier_strata(recipe.matrix, fourth_wanted, tails, false);
  const double energy = wanted.spectral_concentration < 1.0
                            ? spike_energy_for(recipe.matrix, wanted.spectral_concentration)
                            : std::numeric_limits<double>::max();
  double outliers = 0.0;
  for (int step = 0; step < 8 && energy > 0.0; ++step) {
    // Outliers count as noise: spike = energy * (1 - spike + outliers).
    recipe.spike = static_cast<float>(
        std::min(0.999, (1.0 + outliers) * (energy < 1e6 ? energy / (1.0 + energy) : 1.0)));
    shape_directions(recipe, fourth_wanted, tails);
    outliers = outlier_energy(recipe, fourth_wanted);
  }
  shape_directions(recipe, fourth_wanted, tails);
  double second = 1.0;
  double fourth =
      mixed_fourth(recipe.spike, recipe.u.fourth_moment() * recipe.v.fourth_moment(), noise_fourth);
  if (recipe.matrix.slices == 1 && recipe.matrix.weights() <= measured_weights) {
    const auto sums = sums_without_outliers(recipe);
    second = sums.second / sums.count;
    fourth = sums.fourth / sums.count;
  }
  const double magnitude = outlier_magnitude(expected_parts(recipe, second, fourth), fourth_wanted);
  recipe.outliers.magnitude = static_cast<float>(std::max(0.0, magnitude));
  Calibration made{recipe, wanted, {}};
  if (magnitude <= 0.0) made.reached.excess_kurtosis = fourth / (second * second) - 3.0;
  if (energy <= 0.0) {
    const auto rule = concentration_rule(recipe.matrix.short_side());
    made.reached.spectral_concentration =
        noise_energy(recipe.matrix, rule.top) / noise_energy(recipe.matrix, rule.rank);
  }
  return made;
}

Calibration calibrate(const MatrixShape& matrix, PhiloxKey key,
                      const std::optional<Statistics>& wanted) {
  Recipe recipe{.matrix = matrix, .key = key};
  if (!wanted) return {recipe, {}, {}};
  recipe.whole = matrix.weights() <= whole_weights && matrix.short_side() <= whole_side;
  auto made =
      recipe.whole ? calibrate_whole(recipe, *wanted) : calibrate_row_by_row(recipe, *wanted);
  made.reason = reason_of(made.recipe, *wanted, made.reached);
  if (made.reason.empty() && !recipe.whole && outliers_stand_out(made.recipe)) {
    made.reason = "outliers this large may stand out of the noise's spectrum, unpredicted";
  }
  return made;
}

}  // namespace moesweep::twin
