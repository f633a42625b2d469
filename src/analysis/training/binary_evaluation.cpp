#include <algorithm>
#include <array>
#include <cmath>

#include <moesweep/analysis/training/binary_evaluation.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/roc.hpp>

#include "log_likelihood.hpp"

namespace moesweep::training {
namespace {

constexpr double auc_alpha = 0.05;

struct Bin {
  double probability = 0.0;
  double positives = 0.0;
};

double calibration_error(std::span<const double> scores, std::span<const std::int8_t> labels) {
  std::array<Bin, 10> bins;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double p = logistic(scores[i]);
    Bin& bin = bins[std::min<std::size_t>(9, static_cast<std::size_t>(p * 10.0))];
    bin.probability += p;
    bin.positives += static_cast<double>(labels[i]);
  }
  double error = 0.0;
  for (const Bin& bin : bins) error += std::abs(bin.probability - bin.positives);
  return error / static_cast<double>(scores.size());
}

}  // namespace

BinaryEvaluation evaluate_binary(std::span<const double> scores,
                                 std::span<const std::int8_t> labels) {
  expect(scores.size() == labels.size(), "one label a score");
  if (scores.empty()) return {};
  double loss = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    loss += negative_log_likelihood(scores.subspan(i, 1), labels[i]);
    const double off = logistic(scores[i]) - static_cast<double>(labels[i]);
    squares += off * off;
  }
  const auto count = static_cast<double>(scores.size());
  return {.auc = stats::roc_auc(scores, labels),
          .auc_interval = stats::roc_auc_interval(scores, labels, auc_alpha),
          .loss = loss / count,
          .brier = squares / count,
          .ece = calibration_error(scores, labels)};
}

}  // namespace moesweep::training
