#pragma once
// Evidence heads: a logistic regression that tells cited spans from others by their mean state.
// Its scores decide what suppression takes away, so those of the train split must not come from a
// head that was fitted to the same spans: in sample its AUC is near 1 and leaks the labels.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/analysis/training/logistic.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::training {

struct EvidenceOptions {
  LogisticOptions logistic;
  std::int64_t folds = 5;  ///< >= 2
  std::uint64_t seed = 0;  ///< of the folds, nothing else is random
};

/// All that is needed to score a span.
struct EvidenceHead {
  Standardization standardization;
  LinearModel model;
  bool converged = false;
  std::int64_t iterations = 0;
};

struct Evidence {
  EvidenceHead head;           ///< fitted to all train spans
  std::vector<double> scores;  ///< [N, S] in [0, 1]: out of fold on the train split, by `head`
                               ///< elsewhere; 1 where there is no span
  std::vector<double> in_sample_scores;    ///< [N, S] by `head` everywhere: for reporting only
  std::vector<records::EvidenceRow> rows;  ///< train, train_out_of_fold, calibration, test; a split
                                           ///< without spans has none
  bool folds_converged = false;            ///< the heads that scored the train split
};

/// Log-odds of being cited, one a row of unstandardized span means.
std::vector<double> evidence_log_odds(const EvidenceHead& head, const FeatureMatrix& span_means);

/// From `span_means` [N * S, d] of `layer`; info.cited are the labels. A held-out sample's spans
/// are scored by a head (standardization too) fitted to the other folds; samples of one cluster
/// share a fold. Throws Error(bad_input) when the train split, or what is left of it without a
/// fold, lacks cited or uncited spans.
Evidence fit_evidence(const records::HiddenCacheInfo& info, const std::string& layer,
                      const FeatureMatrix& span_means, const EvidenceOptions& options);

}  // namespace moesweep::training
