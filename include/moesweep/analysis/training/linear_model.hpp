#pragma once
// A linear classifier of standardized features: what logistic regression and ridge fit.

#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/analysis/training/features.hpp>

namespace moesweep::training {

/// One output a class, or a single one that speaks for class 1 when there are two classes.
struct LinearModel {
  std::int64_t classes = 0;  ///< >= 2
  std::int64_t columns = 0;
  std::vector<double> weights;  ///< [outputs, columns]
  std::vector<double> bias;     ///< [outputs]

  std::int64_t outputs() const { return static_cast<std::int64_t>(bias.size()); }
};

/// 1 for two classes, else one a class.
constexpr std::int64_t outputs_for(std::int64_t classes) {
  return classes == 2 ? 1 : classes;
}

/// x.w + b, [rows, outputs], in float64. features.columns == model.columns.
std::vector<double> linear_scores(const LinearModel& model, const FeatureMatrix& features);

/// Logistic or softmax of scores, [rows, classes]. Of a ridge fit they mean nothing.
std::vector<double> class_probabilities(const LinearModel& model, std::span<const double> scores);

/// Class with the highest score, ties the lowest; a single output above 0 is class 1. [rows]
std::vector<std::int8_t> predicted_classes(const LinearModel& model,
                                           std::span<const double> scores);

/// Mean negative log-likelihood, in nats, of logistic scores. labels in 0..classes-1, at least one.
double mean_log_loss(const LinearModel& model, std::span<const double> scores,
                     std::span<const std::int8_t> labels);

/// Some rows of a matrix, in the order told.
FeatureMatrix rows_of(const FeatureMatrix& features, std::span<const std::int64_t> rows);

}  // namespace moesweep::training
