#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <moesweep/core/base/cast.hpp>

#include "bf16.hpp"
#include "calibrate.hpp"
#include "moments.hpp"
#include "slice.hpp"
#include "spectrum.hpp"

namespace moesweep::twin {
namespace {

// The mean over all slices is as near as the mean over these, 1 % typically.
constexpr std::int64_t trial_slices = 8;
// The mean over these tells what was reached to about 0.4 %.
constexpr std::int64_t settling_slices = 64;

struct Trial {
  std::int64_t slice = 0;
  std::vector<float> noise;
  std::vector<float> orthogonal;
};

std::vector<float> stored(std::span<const float> weights) {
  std::vector<float> rounded(weights.size());
  for (std::size_t i = 0; i < rounded.size(); ++i) {
    rounded[i] = from_bf16(to_bf16(rms_scale * weights[i])) / rms_scale;
  }
  return rounded;
}

// Trial slices of one tensor and the recipe that they are tried with. `shape` runs from -1 (bulk
// orthogonal) through 0 (bulk noise, no spike) to nearly 1 (spike alone).
class Fit {
 public:
  Fit(const Recipe& start, const Statistics& wanted)
      : recipe_(start), fourth_wanted_(wanted.excess_kurtosis + 3.0) {
    for (std::int64_t slice = 0; slice < std::min(start.matrix.slices, trial_slices); ++slice) {
      Trial trial{slice, whole_noise(start, slice), {}};
      trial.orthogonal = orthogonalized(start.matrix, trial.noise);
      trials_.push_back(std::move(trial));
    }
  }

  void set_tails(const Tails& tails) { tails_ = tails; }

  // Sets the recipe to the shape, with the wanted kurtosis as far as it goes, and returns what it
  // has.
  Statistics set(double shape) {
    recipe_.flatten = static_cast<float>(std::max(0.0, -shape));
    recipe_.spike = static_cast<float>(std::max(0.0, shape));
    recipe_.clip = 0.0F;
    shape_directions(recipe_, fourth_wanted_, tails_);
    weights_.clear();
    for (const auto& trial : trials_) {
      weights_.push_back(unclipped_slice(recipe_, trial.slice, trial.noise, trial.orthogonal));
    }
    if (sums().standardized_fourth() > fourth_wanted_) {
      recipe_.outliers.magnitude = 0.0F;
      clip();
    } else {
      grow_outliers();
    }
    return {sums().standardized_fourth() - 3.0, concentration()};
  }

  const Recipe& recipe() const { return recipe_; }

 private:
  // Of the weights as they will be stored: a kurtosis of 0.02 feels the rounding.
  PowerSums sums() const {
    PowerSums sums;
    for (const auto& weights : weights_) sums.add(stored(weights));
    return sums;
  }

  double concentration() const {
    double sum = 0.0;
    for (const auto& weights : weights_) sum += measured_concentration(recipe_.matrix, weights);
    return sum / static_cast<double>(weights_.size());
  }

  void clip() {
    const auto unclipped = weights_;
    double low = -12.0;
    double high = 12.0;
    for (int step = 0; step < 24; ++step) {
      const double middle = 0.5 * (low + high);
      recipe_.clip = static_cast<float>(std::exp2(middle));
      weights_ = unclipped;
      for (auto& weights : weights_) clip_slice(recipe_.clip, weights);
      (sums().standardized_fourth() > fourth_wanted_ ? low : high) = middle;
    }
  }

  // The magnitude follows from the moments of the weights that are not outliers; what these leave
  // out (a mean that is not 0, jitter that does not average out) is corrected in few rounds.
  void grow_outliers() {
    recipe_.outliers = outlier_strata(recipe_.matrix, fourth_wanted_, tails_, true);
    recipe_.outliers.magnitude = 1e-6F;  // of no weight, to take their places out of the sums
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      put_outliers(recipe_, trials_[i].slice, weights_[i]);
    }
    const auto rest = sums();
    const auto outliers = static_cast<double>(recipe_.outliers.count(recipe_.matrix)) *
                          static_cast<double>(weights_.size());
    const double others = rest.count - outliers;
    double goal = fourth_wanted_;
    const double close = 0.01 * std::abs(fourth_wanted_ - 3.0);
    for (int round = 0; round < 12; ++round) {
      const double magnitude = outlier_magnitude(
          expected_parts(recipe_, rest.second / others, rest.fourth / others), goal);
      recipe_.outliers.magnitude =
          magnitude < 0.0 ? 1e3F : std::max(1e-6F, static_cast<float>(magnitude));
      for (std::size_t i = 0; i < weights_.size(); ++i) {
        put_outliers(recipe_, trials_[i].slice, weights_[i]);
      }
      const double fourth = sums().standardized_fourth();
      if (std::abs(fourth - fourth_wanted_) < close) break;
      goal *= fourth_wanted_ / fourth;
    }
  }

  Recipe recipe_;
  double fourth_wanted_;
  Tails tails_;
  std::vector<Trial> trials_;
  std::vector<std::vector<float>> weights_;
};

// Bisects the shape to the wanted concentration, which grows with it.
Calibration fit_shape(Fit& fit, double goal) {
  auto reached = fit.set(0.0);
  const auto near = [&] { return std::abs(reached.spectral_concentration - goal) <= 0.005 * goal; };
  const bool flatter = reached.spectral_concentration > goal;
  double low = flatter ? -1.0 : 0.0;
  double high = flatter ? 0.0 : 0.999;
  for (int step = 0; step < 14 && !near(); ++step) {
    const double middle = step == 0 && flatter ? -1.0 : 0.5 * (low + high);
    reached = fit.set(middle);
    if (middle == -1.0 && reached.spectral_concentration > goal) break;
    (reached.spectral_concentration > goal ? high : low) = middle;
  }
  return {fit.recipe(), reached, {}};
}

double deviation(const Statistics& reached, const Statistics& wanted) {
  return std::max(std::abs(reached.excess_kurtosis / wanted.excess_kurtosis - 1.0),
                  std::abs(reached.spectral_concentration / wanted.spectral_concentration - 1.0));
}

std::vector<float> slice_of(const Recipe& recipe, std::int64_t slice) {
  const auto noise = whole_noise(recipe, slice);
  const auto orthogonal =
      recipe.flatten > 0.0F ? orthogonalized(recipe.matrix, noise) : std::vector<float>();
  return unclipped_slice(recipe, slice, noise, orthogonal);
}

// Over all slices.
MomentParts measured_parts(Recipe recipe) {
  PowerSums others, with_outliers;
  for (std::int64_t slice = 0; slice < recipe.matrix.slices; ++slice) {
    auto weights = slice_of(recipe, slice);
    recipe.outliers.magnitude = 1e-6F;
    put_outliers(recipe, slice, weights);
    others.add(weights);
    recipe.outliers.magnitude = 1.0F;
    put_outliers(recipe, slice, weights);
    with_outliers.add(weights);
  }
  const double count = others.count;
  return {others.second / count, others.fourth / count,
          (with_outliers.second - others.second) / count,
          (with_outliers.fourth - others.fourth) / count};
}

// Outliers for the mean over all slices instead of the trial slices.
Statistics settled(Recipe& recipe, Statistics reached, const Statistics& wanted) {
  const auto& matrix = recipe.matrix;
  if (matrix.slices <= trial_slices) return reached;
  const double wanted_fourth = wanted.excess_kurtosis + 3.0;
  auto with_outliers = recipe;
  // Where chance made the trial slices more peaked than wanted, they were clipped.
  if (recipe.clip > 0.0F) {
    with_outliers.clip = 0.0F;
    with_outliers.outliers = outlier_strata(matrix, wanted_fourth, {}, true);
  }
  const double magnitude = outlier_magnitude(measured_parts(with_outliers), wanted_fourth);
  if (magnitude > 0.0) {
    recipe = with_outliers;
    recipe.outliers.magnitude = static_cast<float>(magnitude);
    reached.excess_kurtosis = wanted.excess_kurtosis;
  }
  double concentration = 0.0;
  const auto measured = std::min(matrix.slices, settling_slices);
  for (std::int64_t slice = 0; slice < measured; ++slice) {
    auto weights = slice_of(recipe, slice);
    clip_slice(recipe.clip, weights);
    put_outliers(recipe, slice, weights);
    concentration += measured_concentration(matrix, weights);
  }
  reached.spectral_concentration = concentration / static_cast<double>(measured);
  return reached;
}

// Tried in turn. Few large outliers leave an even bulk even; many small ones are even themselves;
// and a spike that is nearly all leaves no energy for any.
constexpr std::array<Tails, 7> all_tails = {
    {{0.1, 8.0}, {0.1, 32.0}, {0.1, 128.0}, {0.1, 3.0}, {0.1, 1.5}, {0.01, 32.0}, {0.001, 128.0}}};

}  // namespace

Calibration calibrate_whole(Recipe start, const Statistics& wanted) {
  constexpr double good = 0.025;
  Fit fit(start, wanted);
  Calibration best;
  double best_deviation = std::numeric_limits<double>::infinity();
  for (const auto& tails : all_tails) {
    fit.set_tails(tails);
    const auto made = fit_shape(fit, wanted.spectral_concentration);
    const double off = deviation(made.reached, wanted);
    if (off < best_deviation) {
      best = made;
      best_deviation = off;
    }
    if (best_deviation < good) break;
  }
  best.reached = settled(best.recipe, best.reached, wanted);
  return best;
}

}  // namespace moesweep::twin
