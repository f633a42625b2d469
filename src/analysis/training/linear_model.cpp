#include <algorithm>
#include <cmath>

#include <moesweep/analysis/training/linear_model.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/matrix_product.hpp>

#include "log_likelihood.hpp"
#include "widened_blocks.hpp"

namespace moesweep::training {
namespace {

void expect_whole_rows(std::span<const double> scores, std::int64_t outputs) {
  expect(outputs >= 1 && scores.size() % static_cast<std::size_t>(outputs) == 0,
         "scores of another model");
}

}  // namespace

std::vector<double> linear_scores(const LinearModel& model, const FeatureMatrix& features) {
  using kernels::Transpose;
  expect(model.columns == features.columns, "features of another width than the model's");
  const std::int64_t outputs = model.outputs();
  std::vector<double> scores(checked_cast<std::size_t>(features.rows * outputs));
  WidenedBlocks(features).visit([&](const WidenedBlock& block) {
    double* of_block = scores.data() + block.first * outputs;
    for (std::int64_t i = 0; i < block.rows; ++i) {
      std::copy(model.bias.begin(), model.bias.end(), of_block + i * outputs);
    }
    kernels::multiply(Transpose::no, Transpose::yes, block.rows, outputs, model.columns, 1.0,
                      block.values, model.columns, model.weights.data(), model.columns, 1.0,
                      of_block, outputs);
  });
  return scores;
}

std::vector<double> class_probabilities(const LinearModel& model, std::span<const double> scores) {
  const auto outputs = static_cast<std::size_t>(model.outputs());
  expect_whole_rows(scores, model.outputs());
  const std::size_t rows = scores.size() / outputs;
  std::vector<double> probabilities;
  probabilities.reserve(rows * static_cast<std::size_t>(model.classes));
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = scores.subspan(i * outputs, outputs);
    if (outputs == 1) {
      probabilities.push_back(logistic(-row[0]));
      probabilities.push_back(logistic(row[0]));
      continue;
    }
    const double whole = log_sum_exp(row);
    for (const double score : row) probabilities.push_back(std::exp(score - whole));
  }
  return probabilities;
}

std::vector<std::int8_t> predicted_classes(const LinearModel& model,
                                           std::span<const double> scores) {
  const auto outputs = static_cast<std::size_t>(model.outputs());
  expect_whole_rows(scores, model.outputs());
  std::vector<std::int8_t> predicted;
  predicted.reserve(scores.size() / outputs);
  for (std::size_t at = 0; at < scores.size(); at += outputs) {
    const auto row = scores.subspan(at, outputs);
    const auto best = std::max_element(row.begin(), row.end()) - row.begin();
    predicted.push_back(outputs == 1 ? static_cast<std::int8_t>(row[0] > 0.0)
                                     : checked_cast<std::int8_t>(best));
  }
  return predicted;
}

double mean_log_loss(const LinearModel& model, std::span<const double> scores,
                     std::span<const std::int8_t> labels) {
  const auto outputs = static_cast<std::size_t>(model.outputs());
  expect(!labels.empty() && scores.size() == labels.size() * outputs, "one label a row");
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sum += negative_log_likelihood(scores.subspan(i * outputs, outputs), labels[i]);
  }
  return sum / static_cast<double>(labels.size());
}

FeatureMatrix rows_of(const FeatureMatrix& features, std::span<const std::int64_t> rows) {
  FeatureMatrix chosen{static_cast<std::int64_t>(rows.size()), features.columns, {}};
  chosen.values.reserve(rows.size() * static_cast<std::size_t>(features.columns));
  for (const std::int64_t i : rows) {
    const auto row = features.row(i);
    chosen.values.insert(chosen.values.end(), row.begin(), row.end());
  }
  return chosen;
}

}  // namespace moesweep::training
