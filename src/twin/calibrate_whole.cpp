#include <algorithm>
#include <cmath>

#include <moesweep/base/cast.hpp>

#include "addresses.hpp"
#include "calibrate.hpp"
#include "moments.hpp"
#include "slice.hpp"
#include "spectrum.hpp"

namespace moesweep::twin {
namespace {

// The mean over all slices is as near as the mean over these, 1 % typically.
constexpr std::int64_t trial_slices = 8;

struct Trial {
  std::int64_t slice = 0;
  std::vector<float> noise;
  std::vector<float> orthogonal;
};

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

  // Sets the recipe to the shape, with the wanted kurtosis as far as it goes, and returns what it
  // has.
  Statistics set(double shape) {
    recipe_.flatten = static_cast<float>(std::max(0.0, -shape));
    recipe_.spike = static_cast<float>(std::max(0.0, shape));
    recipe_.clip = 0.0F;
    shape_directions(recipe_, fourth_wanted_);
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

  // Outliers for the mean over all slices instead of the trial slices.
  Statistics settle(Statistics reached) {
    const auto& matrix = recipe_.matrix;
    if (matrix.slices <= trial_slices || recipe_.clip > 0.0F) return reached;
    double second = 1.0;
    double fourth = mixed_fourth(
        recipe_.spike, recipe_.u.fourth_moment() * recipe_.v.fourth_moment(), noise_fourth);
    if (recipe_.flatten > 0.0F) {
      PowerSums all;
      for (std::int64_t slice = 0; slice < matrix.slices; ++slice) {
        const auto noise = whole_noise(recipe_, slice);
        all.add(unclipped_slice(recipe_, slice, noise, orthogonalized(matrix, noise)));
      }
      second = all.second / all.count;
      fourth = all.fourth / all.count;
    }
    const double magnitude = outlier_magnitude(recipe_, second, fourth, fourth_wanted_);
    recipe_.outliers.magnitude = static_cast<float>(std::max(0.0, magnitude));
    reached.excess_kurtosis =
        magnitude > 0.0 ? fourth_wanted_ - 3.0 : fourth / (second * second) - 3.0;
    return reached;
  }

  const Recipe& recipe() const { return recipe_; }

 private:
  PowerSums sums() const {
    PowerSums sums;
    for (const auto& weights : weights_) sums.add(weights);
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
    recipe_.outliers = outlier_strata(recipe_.matrix, fourth_wanted_, true);
    recipe_.outliers.magnitude = 1e-6F;  // of no weight, to take their places out of the sums
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      put_outliers(recipe_, trials_[i].slice, weights_[i]);
    }
    const auto rest = sums();
    const auto outliers = static_cast<double>(recipe_.outliers.count(recipe_.matrix)) *
                          static_cast<double>(weights_.size());
    const double others = rest.count - outliers;
    double goal = fourth_wanted_;
    for (int round = 0; round < 4; ++round) {
      const double magnitude =
          outlier_magnitude(recipe_, rest.second / others, rest.fourth / others, goal);
      recipe_.outliers.magnitude =
          magnitude < 0.0 ? 1e3F : std::max(1e-6F, static_cast<float>(magnitude));
      for (std::size_t i = 0; i < weights_.size(); ++i) {
        put_outliers(recipe_, trials_[i].slice, weights_[i]);
      }
      goal *= fourth_wanted_ / sums().standardized_fourth();
    }
  }

  Recipe recipe_;
  double fourth_wanted_;
  std::vector<Trial> trials_;
  std::vector<std::vector<float>> weights_;
};

}  // namespace

Calibration calibrate_whole(Recipe start, const Statistics& wanted) {
  Fit fit(start, wanted);
  const double goal = wanted.spectral_concentration;
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
  reached = fit.settle(reached);
  return {fit.recipe(), reached, {}};
}

}  // namespace moesweep::twin
