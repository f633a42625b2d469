#pragma once
// What the logits of a head say about every split.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/stats/interval.hpp>

namespace moesweep::training {

/// Place of a name among `label_names`, -1 when it is not there.
std::int8_t class_named(const std::vector<std::string>& label_names, const std::string& name);

/// The error that must not happen: this truth predicted as that class. -1: there is none.
struct Forbidden {
  std::int8_t truth = -1;
  std::int8_t predicted = -1;
};

/// By names of classes; none when one of them is not among `label_names`.
Forbidden forbidden_named(const std::vector<std::string>& label_names, const std::string& truth,
                          const std::string& predicted);

struct SplitEvaluation {
  std::int64_t samples = 0;
  double accuracy = stats::undefined;
  double loss = stats::undefined;  ///< mean negative log-likelihood, nats
  double auc = stats::undefined;   ///< of class 1; NaN for more than two classes and without both
  stats::Interval auc_interval;  ///< 95 % (stats::roc_auc_interval), examples taken as independent
  /// Sum over ten equal bins of confidence, share * |accuracy - confidence|.
  double ece = stats::undefined;
  std::int64_t forbidden_errors = 0;
  std::int64_t forbidden_truths = 0;
  std::vector<std::int64_t> confusion;  ///< [truth, predicted]
};

struct Evaluation {
  std::string predicted;                  ///< one digit an example: the most likely class, the
                                          ///< lowest of equally likely ones
  std::array<SplitEvaluation, 3> splits;  ///< all but the counts NaN for a split without examples
};

/// `logits` [N, outputs] of float heads, one output meaning the log-odds of class 1; at most 10
/// classes.
Evaluation evaluate(std::span<const float> logits, std::int64_t outputs,
                    std::span<const std::int8_t> labels, std::span<const std::int8_t> split,
                    const Forbidden& forbidden);

/// The same from classes that were decided without probabilities: loss, auc and ece are NaN.
Evaluation evaluate_decisions(std::span<const std::int8_t> decided, std::int64_t classes,
                              std::span<const std::int8_t> labels,
                              std::span<const std::int8_t> split, const Forbidden& forbidden);

}  // namespace moesweep::training
