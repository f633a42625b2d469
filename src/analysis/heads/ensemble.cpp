#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <moesweep/analysis/heads/ensemble.hpp>
#include <moesweep/analysis/training/samples.hpp>
#include <moesweep/analysis/training/vote.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/hidden_cache.hpp>
#include <moesweep/core/stats/proportions.hpp>

#include "prediction_groups.hpp"

namespace moesweep::heads {
namespace {

using records::CascadeRow;
using training::Samples;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double level = 0.05;

struct Group {
  const GroupKey& key;
  const std::vector<std::string>& predictions;
  const Samples& samples;
  training::Forbidden forbidden;
  std::vector<std::int32_t> votes;  ///< [samples, classes]
  double bound_level = level;

  std::int64_t seeds() const { return static_cast<std::int64_t>(predictions.size()); }
  std::size_t classes() const { return samples.label_names.size(); }
  std::int32_t votes_for(std::int64_t sample, std::int8_t of_class) const {
    return votes[static_cast<std::size_t>(sample) * classes() + static_cast<std::size_t>(of_class)];
  }
};

void add_ensemble(records::Tables& tables, const Group& group, std::int8_t split,
                  const std::vector<std::int64_t>& chosen,
                  const std::vector<std::int8_t>& majority) {
  const auto& samples = group.samples;
  const auto seeds = static_cast<double>(group.seeds());
  std::vector<double> right_by_seed(group.predictions.size(), 0.0);
  std::vector<double> errors_by_seed(group.predictions.size(), 0.0);
  std::vector<double> right_by_sample;
  std::vector<double> error_by_sample;
  std::vector<std::int64_t> clusters;
  std::vector<std::int64_t> clusters_of_truth;
  auto row = row_of<records::EnsembleRow>(group.key);
  row.split = records::split_names[static_cast<std::size_t>(split)];
  row.seeds = group.seeds();
  row.samples = static_cast<std::int64_t>(chosen.size());
  std::int64_t right = 0;
  for (const auto i : chosen) {
    const auto at = static_cast<std::size_t>(i);
    const auto label = samples.label[at];
    for (std::size_t s = 0; s < group.predictions.size(); ++s) {
      const int digit = group.predictions[s][at] - '0';
      right_by_seed[s] += digit == label;
      errors_by_seed[s] += label == group.forbidden.truth && digit == group.forbidden.predicted;
    }
    right_by_sample.push_back(group.votes_for(i, label) / seeds);
    clusters.push_back(samples.cluster[at]);
    right += majority[at] == label;
    if (label != group.forbidden.truth) continue;
    error_by_sample.push_back(group.votes_for(i, group.forbidden.predicted) / seeds);
    clusters_of_truth.push_back(samples.cluster[at]);
    row.forbidden_ensemble += majority[at] == group.forbidden.predicted;
  }
  for (auto& value : right_by_seed) value /= static_cast<double>(chosen.size());
  const auto accuracy = training::mean_over_samples(right_by_seed);
  row.accuracy_mean = accuracy.mean;
  row.accuracy_se_seeds = accuracy.standard_error;
  row.accuracy_se_samples = training::mean_over_samples(right_by_sample, clusters).standard_error;
  row.accuracy_ensemble = static_cast<double>(right) / static_cast<double>(chosen.size());
  row.forbidden_truths = static_cast<std::int64_t>(error_by_sample.size());
  if (row.forbidden_truths > 0) {
    const auto errors = training::mean_over_samples(errors_by_seed);
    row.forbidden_mean = errors.mean;
    row.forbidden_se_seeds = errors.standard_error;
    row.forbidden_se_samples =
        static_cast<double>(row.forbidden_truths) *
        training::mean_over_samples(error_by_sample, clusters_of_truth).standard_error;
  }
  records::append_row(tables, row);
}

void add_votes(records::Tables& tables, const Group& group, std::int8_t split,
               const std::vector<std::int64_t>& chosen) {
  if (group.forbidden.truth < 0) return;
  std::map<std::pair<std::int8_t, std::int32_t>, std::int64_t> counts;
  for (const auto i : chosen) {
    const auto label = group.samples.label[static_cast<std::size_t>(i)];
    ++counts[{label, group.votes_for(i, group.forbidden.truth)}];
  }
  for (const auto& [truth_and_votes, count] : counts) {
    const auto& [truth, votes] = truth_and_votes;
    records::append_row(
        tables,
        records::VoteRow{group.key.variant, group.key.head, group.key.layer, group.key.pooling,
                         records::split_names[static_cast<std::size_t>(split)],
                         group.samples.label_names[static_cast<std::size_t>(truth)], votes, count});
  }
}

std::int32_t votes_needed(std::int64_t percent, std::int64_t seeds) {
  const double share = static_cast<double>(percent * seeds) / 100.0;
  return std::max(1, static_cast<std::int32_t>(std::nearbyint(share)));
}

struct Thresholds {
  std::int64_t pct_veto = 0;
  std::int64_t pct_approve = 0;
};

std::int8_t decide(const Group& group, std::int64_t sample, const Thresholds& by) {
  const auto& [truth, predicted] = group.forbidden;
  if (group.votes_for(sample, truth) >= votes_needed(by.pct_veto, group.seeds())) return truth;
  if (group.votes_for(sample, predicted) >= votes_needed(by.pct_approve, group.seeds())) {
    return predicted;
  }
  std::int8_t most = -1;
  for (std::int8_t other = 0; other < static_cast<std::int8_t>(group.classes()); ++other) {
    if (other == truth || other == predicted) continue;
    if (most < 0 || group.votes_for(sample, other) > group.votes_for(sample, most)) most = other;
  }
  return most < 0 ? truth : most;
}

CascadeRow cascade_row(const Group& group, const Thresholds& by, std::int8_t split,
                       const std::vector<std::int64_t>& chosen) {
  auto row = row_of<CascadeRow>(group.key);
  row.pct_veto = checked_cast<std::int32_t>(by.pct_veto);
  row.pct_approve = checked_cast<std::int32_t>(by.pct_approve);
  row.split = records::split_names[static_cast<std::size_t>(split)];
  row.samples = static_cast<std::int64_t>(chosen.size());
  std::int64_t right = 0;
  for (const auto i : chosen) {
    const auto label = group.samples.label[static_cast<std::size_t>(i)];
    const auto decided = decide(group, i, by);
    right += decided == label;
    if (label != group.forbidden.truth) continue;
    ++row.forbidden_truths;
    row.forbidden_errors += decided == group.forbidden.predicted;
  }
  row.accuracy =
      row.samples == 0 ? nan : static_cast<double>(right) / static_cast<double>(row.samples);
  return row;
}

bool is_better(const CascadeRow& a, const CascadeRow& b) {
  if (a.forbidden_errors != b.forbidden_errors) return a.forbidden_errors < b.forbidden_errors;
  if (a.accuracy != b.accuracy) return a.accuracy > b.accuracy;
  if (a.pct_veto != b.pct_veto) return a.pct_veto < b.pct_veto;
  return a.pct_approve > b.pct_approve;
}

void add_cascades(records::Tables& tables, const Group& group, const EnsembleOptions& options) {
  if (group.forbidden.truth < 0 || group.seeds() < 2) return;
  const auto calibration = group.samples.of_split(1);
  const auto test = group.samples.of_split(2);
  std::vector<CascadeRow> on_calibration;
  std::vector<CascadeRow> on_test;
  for (const auto pct_veto : options.pct_veto) {
    for (const auto pct_approve : options.pct_approve) {
      const Thresholds by{pct_veto, pct_approve};
      on_calibration.push_back(cascade_row(group, by, 1, calibration));
      on_test.push_back(cascade_row(group, by, 2, test));
    }
  }
  // Without a truth that must be caught, calibration would choose by accuracy alone.
  if (!on_calibration.empty() && on_calibration.front().forbidden_truths > 0) {
    const auto best = std::min_element(on_calibration.begin(), on_calibration.end(), is_better);
    auto& chosen = on_test[static_cast<std::size_t>(best - on_calibration.begin())];
    best->chosen = chosen.chosen = 1;
    if (chosen.forbidden_truths > 0) {
      chosen.upper_bound = stats::clopper_pearson_upper(chosen.forbidden_errors,
                                                        chosen.forbidden_truths, group.bound_level);
    }
    for (const auto& row : on_calibration) records::append_row(tables, row);
  }
  for (const auto& row : on_test) records::append_row(tables, row);
}

}  // namespace

records::Tables ensembles(const records::Tables& rows, const EnsembleOptions& options) {
  records::Tables tables;
  const auto samples = training::samples_of(rows);
  const auto groups = group_predictions(rows, samples.label.size());
  const auto forbidden = training::forbidden_named(samples.label_names, options.forbidden_truth,
                                                   options.forbidden_predicted);
  std::set<std::string> variants;
  for (const auto& [key, predictions] : groups) variants.insert(key.variant);
  const training::TieBreak ties{forbidden.truth, forbidden.predicted};
  const auto classes = static_cast<std::int64_t>(samples.label_names.size());
  for (const auto& [key, predictions] : groups) {
    Group group{key,
                predictions,
                samples,
                forbidden,
                training::vote_counts(predictions, classes),
                level / static_cast<double>(variants.size())};
    const auto majority = training::majority_vote(predictions, classes, ties);
    for (std::int8_t split = 0; split < 3; ++split) {
      const auto chosen = samples.of_split(split);
      if (chosen.empty()) continue;
      add_ensemble(tables, group, split, chosen, majority);
      add_votes(tables, group, split, chosen);
    }
    add_cascades(tables, group, options);
  }
  return tables;
}

}  // namespace moesweep::heads
