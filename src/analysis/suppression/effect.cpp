#include "effect.hpp"

#include <cmath>
#include <set>

#include <moesweep/analysis/training/vote.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/paired.hpp>

namespace moesweep::suppression {
namespace {

constexpr double alpha = 0.05;

/// (with - without) of each sample and seed, averaged over one or the other.
struct Differences {
  std::vector<double> by_sample;
  std::vector<double> by_seed;
};

Differences differences_of(const PairedRuns& runs, const Measure& measure) {
  const std::size_t samples = measure.samples.size();
  std::vector<std::int64_t> by_sample(samples, 0);
  Differences out;
  for (std::size_t s = 0; s < runs.seeds.size(); ++s) {
    std::int64_t of_seed = 0;
    for (std::size_t k = 0; k < samples; ++k) {
      const std::size_t at = measure.samples[k];
      require_all_samples(at < runs.with[s].size());
      const char counted = measure.counted_digit[k];
      const int difference = int{runs.with[s][at] == counted} - int{runs.without[s][at] == counted};
      by_sample[k] += difference;
      of_seed += difference;
    }
    out.by_seed.push_back(static_cast<double>(of_seed) / static_cast<double>(samples));
  }
  for (const std::int64_t sum : by_sample) {
    out.by_sample.push_back(static_cast<double>(sum) / static_cast<double>(runs.seeds.size()));
  }
  return out;
}

/// What each cluster contributes to the mean, see reduce(); the values themselves without clusters.
std::vector<double> influences(const std::vector<double>& values, const Measure& measure) {
  if (measure.cluster.empty()) return values;
  const auto clusters = stats::cluster_sums(values, measure.cluster);
  double sum = 0.0;
  for (const double s : clusters.sums) sum += s;
  const auto n = static_cast<double>(values.size());
  const double mean = sum / n;
  const double scale = static_cast<double>(clusters.sums.size()) / n;
  std::vector<double> out;
  for (std::size_t c = 0; c < clusters.sums.size(); ++c) {
    out.push_back(mean + scale * (clusters.sums[c] - clusters.counts[c] * mean));
  }
  return out;
}

training::TieBreak tie_break(const ReduceOptions& options) {
  if (options.forbidden_truth.empty()) return {};
  return {
      .cautious_class = static_cast<std::int8_t>(digit_of(options.forbidden_truth, options) - '0'),
      .dangerous_class =
          static_cast<std::int8_t>(digit_of(options.forbidden_predicted, options) - '0')};
}

double ensembles_mcnemar(const PairedRuns& runs, const Measure& measure,
                         const ReduceOptions& options) {
  const auto classes = static_cast<std::int64_t>(options.label_names.size());
  const auto with = training::majority_vote(runs.with, classes, tie_break(options));
  const auto without = training::majority_vote(runs.without, classes, tie_break(options));
  std::int64_t only_with = 0;
  std::int64_t only_without = 0;
  for (std::size_t k = 0; k < measure.samples.size(); ++k) {
    const int counted = measure.counted_digit[k] - '0';
    const bool counts_with = with[measure.samples[k]] == counted;
    const bool counts_without = without[measure.samples[k]] == counted;
    only_with += counts_with && !counts_without;
    only_without += counts_without && !counts_with;
  }
  return stats::mcnemar_exact(only_with, only_without);
}

std::string reason_of(const PairedRuns& runs, const Measure& measure,
                      const ReduceOptions& options) {
  if (!runs.no_op_reason.empty()) return "structural no-op: " + runs.no_op_reason;
  if (measure.samples.empty()) {
    return measure.name == "accuracy" ? "the test split is empty"
                                      : "the test split has no " + options.forbidden_truth;
  }
  if (runs.seeds.empty()) return "no seed was trained both with and without this suppression";
  if (runs.unpaired_seeds > 0) {
    return std::to_string(runs.unpaired_seeds) + " seeds without a partner are left out";
  }
  return {};
}

}  // namespace

records::SuppressionTestRow test_of(const PairedRuns& runs, const Measure& measure,
                                    const ReduceOptions& options) {
  records::SuppressionTestRow row{.variant = runs.key.variant,
                                  .head = runs.key.head,
                                  .layer = runs.key.layer,
                                  .pooling = runs.key.pooling,
                                  .mode = runs.key.mode,
                                  .parameter = runs.key.parameter,
                                  .measure = measure.name,
                                  .seeds = static_cast<std::int64_t>(runs.seeds.size()),
                                  .samples = static_cast<std::int64_t>(measure.samples.size()),
                                  .reason = reason_of(runs, measure, options)};
  row.clusters = static_cast<std::int64_t>(
      measure.cluster.empty()
          ? measure.samples.size()
          : std::set<std::int64_t>(measure.cluster.begin(), measure.cluster.end()).size());
  if (runs.seeds.empty() || measure.samples.empty()) return row;

  const Differences differences = differences_of(runs, measure);
  const auto over_samples = stats::paired_t(influences(differences.by_sample, measure));
  row.effect = over_samples.mean;
  row.se_samples = over_samples.standard_error;
  row.t = over_samples.t;
  row.p = over_samples.p;
  const auto interval =
      stats::bootstrap_mean(differences.by_sample, measure.cluster,
                            {.seed = options.seed, .count = options.replicates}, alpha)
          .percentile;
  row.low = interval.lo;
  row.high = interval.hi;
  row.p_mcnemar = ensembles_mcnemar(runs, measure, options);
  const auto over_seeds = stats::paired_t(differences.by_seed);
  row.se_seeds = over_seeds.standard_error;
  row.p_seeds_t = over_seeds.p;
  row.p_seeds_wilcoxon = stats::wilcoxon_signed_rank(differences.by_seed).p;
  if (std::isnan(row.p)) {
    const std::string why = row.clusters < 2 ? "one sample or cluster has no spread"
                            : row.effect == 0.0
                                ? "no sample changed: there is no spread to test by"
                                : "all changed alike: there is no spread to test by";
    row.reason += (row.reason.empty() ? "" : "; ") + why;
  }
  return row;
}

}  // namespace moesweep::suppression
