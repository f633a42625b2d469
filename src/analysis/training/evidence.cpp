#include <algorithm>
#include <limits>
#include <utility>

#include <moesweep/analysis/training/binary_evaluation.hpp>
#include <moesweep/analysis/training/evidence.hpp>
#include <moesweep/analysis/training/folds.hpp>
#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

#include "log_likelihood.hpp"

namespace moesweep::training {
namespace {

using Rows = std::vector<std::int64_t>;

void require_both_classes(const records::HiddenCacheInfo& info, std::span<const std::int8_t> cited,
                          const std::string& part) {
  const bool has_cited = std::count(cited.begin(), cited.end(), 1) > 0;
  const bool has_uncited = std::count(cited.begin(), cited.end(), 0) > 0;
  if (has_cited && has_uncited) return;
  throw Error(ExitCode::bad_input, info.variant,
              part + (has_cited ? " has no uncited span" : " has no cited span"),
              "an evidence head needs both: check `cited` and `span_tokens` of the cache");
}

EvidenceHead fit_to(const records::HiddenCacheInfo& info, const FeatureMatrix& span_means,
                    const Rows& rows, const std::string& part, const LogisticOptions& options) {
  const auto labels = chosen(info.cited, rows);
  require_both_classes(info, labels, part);
  FeatureMatrix features = rows_of(span_means, rows);
  auto standardization =
      standardization_of(features, std::vector<std::int8_t>(rows.size(), std::int8_t{0}));
  standardize(features, standardization);
  auto fit = fit_logistic(features, labels, 2, options);
  return {std::move(standardization), std::move(fit.model), fit.converged, fit.iterations};
}

/// Where each train span is held out.
std::vector<std::int64_t> span_folds(const records::HiddenCacheInfo& info, const Rows& train,
                                     const EvidenceOptions& options) {
  std::vector<std::string> cluster(info.cluster);
  cluster.resize(static_cast<std::size_t>(info.samples));
  const auto groups = sample_groups(cluster);
  std::vector<std::int64_t> group_of_span;
  group_of_span.reserve(train.size());
  for (const std::int64_t row : train) {
    group_of_span.push_back(groups[static_cast<std::size_t>(row / info.spans)]);
  }
  return assign_folds(group_of_span, options.folds, options.seed);
}

struct HeldOut {
  std::vector<double> log_odds;  // one a train span
  bool converged = true;
};

HeldOut score_held_out(const records::HiddenCacheInfo& info, const FeatureMatrix& span_means,
                       const Rows& train, const EvidenceOptions& options) {
  const auto folds = span_folds(info, train, options);
  HeldOut out{std::vector<double>(train.size()), true};
  for (std::int64_t fold = 0; fold < options.folds; ++fold) {
    Rows fitted;
    Rows held;
    for (std::size_t t = 0; t < train.size(); ++t) {
      (folds[t] == fold ? held : fitted).push_back(train[t]);
    }
    if (held.empty()) continue;
    const auto head =
        fit_to(info, span_means, fitted, "the train split without one fold", options.logistic);
    out.converged = out.converged && head.converged;
    const auto log_odds = evidence_log_odds(head, rows_of(span_means, held));
    auto next = log_odds.begin();
    for (std::size_t t = 0; t < train.size(); ++t) {
      if (folds[t] == fold) out.log_odds[t] = *next++;
    }
  }
  return out;
}

records::EvidenceRow evaluated(const records::HiddenCacheInfo& info, const std::string& layer,
                               const std::string& split, std::span<const double> log_odds,
                               std::span<const std::int8_t> cited) {
  const auto evaluation = evaluate_binary(log_odds, cited);
  return {.variant = info.variant,
          .layer = layer,
          .split = split,
          .spans = static_cast<std::int64_t>(cited.size()),
          .cited = std::count(cited.begin(), cited.end(), 1),
          .auc = evaluation.auc,
          .auc_lo = evaluation.auc_interval.lo,
          .auc_hi = evaluation.auc_interval.hi,
          .loss = evaluation.loss,
          .brier = evaluation.brier,
          .ece = evaluation.ece,
          .converged = 0};
}

std::vector<double> as_scores(std::span<const double> log_odds,
                              std::span<const std::int8_t> splits) {
  std::vector<double> scores;
  scores.reserve(log_odds.size());
  for (std::size_t i = 0; i < log_odds.size(); ++i) {
    scores.push_back(splits[i] < 0 ? 1.0 : logistic(log_odds[i]));
  }
  return scores;
}

}  // namespace

std::vector<double> evidence_log_odds(const EvidenceHead& head, const FeatureMatrix& span_means) {
  FeatureMatrix features = span_means;
  standardize(features, head.standardization);
  return linear_scores(head.model, features);
}

Evidence fit_evidence(const records::HiddenCacheInfo& info, const std::string& layer,
                      const FeatureMatrix& span_means, const EvidenceOptions& options) {
  expect(info.spans >= 1 && span_means.rows == info.samples * info.spans,
         "evidence of a cache without spans, or span means of another");
  expect(options.folds >= 2, "out of fold needs two folds");
  const auto splits = span_splits(info);
  const Rows train = rows_of_split(splits, records::Split::train);
  Evidence evidence;
  evidence.head = fit_to(info, span_means, train, "the train split", options.logistic);
  auto log_odds = evidence_log_odds(evidence.head, span_means);
  evidence.in_sample_scores = as_scores(log_odds, splits);
  const auto report = [&](const std::string& name, const Rows& rows, bool converged) {
    if (rows.empty()) return;
    evidence.rows.push_back(
        evaluated(info, layer, name, chosen(log_odds, rows), chosen(info.cited, rows)));
    evidence.rows.back().converged = converged ? 1 : 0;
  };
  const bool converged = evidence.head.converged;
  report("train", train, converged);
  const HeldOut held_out = score_held_out(info, span_means, train, options);
  for (std::size_t t = 0; t < train.size(); ++t) {
    log_odds[static_cast<std::size_t>(train[t])] = held_out.log_odds[t];
  }
  evidence.folds_converged = held_out.converged;
  evidence.scores = as_scores(log_odds, splits);
  report("train_out_of_fold", train, held_out.converged);
  report("calibration", rows_of_split(splits, records::Split::calibration), converged);
  report("test", rows_of_split(splits, records::Split::test), converged);
  return evidence;
}

}  // namespace moesweep::training
