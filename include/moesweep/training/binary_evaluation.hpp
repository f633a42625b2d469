#pragma once
// How well the scores of a head of two classes rank, and how far its probabilities can be trusted.

#include <cstdint>
#include <span>

namespace moesweep::training {

/// All are NaN without rows, and the AUC when a class is empty.
struct BinaryEvaluation {
  double auc = 0.0;    ///< of the scores, ties count one half
  double loss = 0.0;   ///< mean negative log-likelihood, nats
  double brier = 0.0;  ///< mean squared difference of probability and label
  double ece = 0.0;    ///< sum over bins of share * |mean probability - share of positives|
};

/// `scores` are log-odds of label 1; labels are 0 or 1. Bins of the calibration error are ten of
/// equal width over the probability of label 1, the last one closed.
BinaryEvaluation evaluate_binary(std::span<const double> scores,
                                 std::span<const std::int8_t> labels);

}  // namespace moesweep::training
