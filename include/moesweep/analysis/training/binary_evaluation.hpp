#pragma once
// How well the scores of a head of two classes rank, and how far its probabilities can be trusted.

#include <cstdint>
#include <span>

#include <moesweep/core/stats/interval.hpp>

namespace moesweep::training {

/// All are NaN without rows, and the AUC when a class is empty.
struct BinaryEvaluation {
  double auc = stats::undefined;    ///< of the scores, ties count one half
  stats::Interval auc_interval;     ///< 95 % (stats::roc_auc_interval), rows taken as independent
  double loss = stats::undefined;   ///< mean negative log-likelihood, nats
  double brier = stats::undefined;  ///< mean squared difference of probability and label
  /// Sum over bins of share * |mean probability - share of positives|.
  double ece = stats::undefined;
};

/// `scores` are log-odds of label 1; labels are 0 or 1. Bins of the calibration error are ten of
/// equal width over the probability of label 1, the last one closed.
BinaryEvaluation evaluate_binary(std::span<const double> scores,
                                 std::span<const std::int8_t> labels);

}  // namespace moesweep::training
