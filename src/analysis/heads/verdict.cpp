#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>

#include <moesweep/analysis/heads/verdict.hpp>
#include <moesweep/analysis/training/samples.hpp>
#include <moesweep/analysis/training/vote.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/probes.hpp>
#include <moesweep/core/records/suppression.hpp>
#include <moesweep/core/records/verdict.hpp>
#include <moesweep/core/stats/multiple.hpp>
#include <moesweep/core/stats/paired.hpp>
#include <moesweep/core/stats/power.hpp>
#include <moesweep/core/stats/proportions.hpp>

#include "prediction_groups.hpp"

namespace moesweep::heads {
namespace {

using records::VerdictRow;

constexpr double level = 0.05;
constexpr double most_samples = 1e7;

std::string source_of(const GroupKey& key) {
  if (key.layer.empty()) return key.head;
  return fmt::format("{} {}/{}", key.head, key.layer, key.pooling);
}

bool is_of(const GroupKey& key, const auto& row) {
  return row.head == key.head && row.layer == key.layer && row.pooling == key.pooling &&
         row.variant == key.variant;
}

// Everything about a variant that other tables already tell.
class Facts {
 public:
  Facts(const records::Tables& rows, std::string evidence_layer)
      : evidence_layer_(std::move(evidence_layer)),
        variants_(records::rows_of<records::VariantRow>(rows)),
        ensembles_(records::rows_of<records::EnsembleRow>(rows)),
        cascades_(records::rows_of<records::CascadeRow>(rows)),
        evidence_(records::rows_of<records::EvidenceRow>(rows)),
        suppressions_(records::rows_of<records::SuppressionTestRow>(rows)),
        probes_(records::rows_of<records::InversionRow>(rows)) {}

  /// Place of a variant: 0 for the baseline, then in the order of the job.
  std::size_t place_of(const std::string& variant) const {
    const auto found = std::find_if(variants_.begin(), variants_.end(),
                                    [&](const auto& row) { return row.variant == variant; });
    if (found != variants_.end() && found->is_baseline == 1) return 0;
    return 1 + static_cast<std::size_t>(found - variants_.begin());
  }

  VerdictRow row_of(const GroupKey& key) const {
    VerdictRow row;
    row.variant = key.variant;
    row.source = source_of(key);
    for (const auto& fact : variants_) {
      if (fact.variant != key.variant) continue;
      row.bits = fact.bits;
      row.model_bytes = fact.model_bytes;
    }
    add_ensemble(key, row);
    add_cascade(key, row);
    for (const auto& fact : evidence_) {
      const bool is_shown =
          evidence_layer_.empty() ? std::isnan(row.evidence_auc) : fact.layer == evidence_layer_;
      if (fact.variant == key.variant && fact.split == "test" && is_shown) {
        row.evidence_auc = fact.auc;
        row.evidence_auc_lo = fact.auc_lo;
        row.evidence_auc_hi = fact.auc_hi;
      }
    }
    add_suppression(key, row);
    for (const auto& fact : probes_) {
      if (fact.variant != key.variant || fact.skill != "decision") continue;
      row.probe_best_layer = fact.best_layer;
      row.inverted = fact.inverted;
    }
    return row;
  }

 private:
  void add_ensemble(const GroupKey& key, VerdictRow& row) const {
    for (const auto& fact : ensembles_) {
      if (!is_of(key, fact) || fact.split != "test") continue;
      row.seeds = fact.seeds;
      row.samples = fact.samples;
      row.accuracy_mean = fact.accuracy_mean;
      row.accuracy_se_seeds = fact.accuracy_se_seeds;
      row.accuracy_se_samples = fact.accuracy_se_samples;
      row.accuracy_ensemble = fact.accuracy_ensemble;
      row.forbidden_truths = fact.forbidden_truths;
      row.forbidden_mean = fact.forbidden_mean;
      row.forbidden_ensemble = fact.forbidden_ensemble;
    }
  }

  void add_cascade(const GroupKey& key, VerdictRow& row) const {
    row.cascade_forbidden = -1;
    for (const auto& fact : cascades_) {
      if (!is_of(key, fact) || fact.split != "test" || fact.chosen == 0) continue;
      row.cascade_pct_veto = fact.pct_veto;
      row.cascade_pct_approve = fact.pct_approve;
      row.cascade_accuracy = fact.accuracy;
      row.cascade_forbidden = fact.forbidden_errors;
      row.cascade_upper = fact.upper_bound;
    }
  }

  void add_suppression(const GroupKey& key, VerdictRow& row) const {
    for (const auto& fact : suppressions_) {
      if (!is_of(key, fact) || fact.measure != "forbidden" || std::isnan(fact.effect)) continue;
      // A NaN, before the first, compares false.
      if (std::abs(fact.effect) <= std::abs(row.suppression_effect)) continue;
      row.suppression_effect = fact.effect;
      row.suppression_p = fact.p_holm;
      row.suppression_setting = records::setting_text(fact.mode, fact.parameter);
    }
  }

  std::string evidence_layer_;
  std::vector<records::VariantRow> variants_;
  std::vector<records::EnsembleRow> ensembles_;
  std::vector<records::CascadeRow> cascades_;
  std::vector<records::EvidenceRow> evidence_;
  std::vector<records::SuppressionTestRow> suppressions_;
  std::vector<records::InversionRow> probes_;
};

// Which test samples of the forbidden truth the vote reads as the forbidden prediction.
std::vector<bool> forbidden_errors(const std::vector<std::string>& predictions,
                                   const training::Samples& samples,
                                   const training::Forbidden& forbidden) {
  const auto vote =
      training::majority_vote(predictions, static_cast<std::int64_t>(samples.label_names.size()),
                              {forbidden.truth, forbidden.predicted});
  std::vector<bool> errors;
  for (const auto i : samples.of_split(2)) {
    const auto at = static_cast<std::size_t>(i);
    if (samples.label[at] == forbidden.truth) errors.push_back(vote[at] == forbidden.predicted);
  }
  return errors;
}

double accuracy_points(const VerdictRow& row, const VerdictRow& baseline) {
  return 100.0 * (row.accuracy_ensemble - baseline.accuracy_ensemble);
}

std::string counts_in_words(const VerdictRow& row, const VerdictRow& baseline) {
  return fmt::format(
      "{} of {} forbidden errors against {} of {}: {} here alone, {} there alone; accuracy {:+.1f} "
      "points",
      row.forbidden_ensemble, row.forbidden_truths, baseline.forbidden_ensemble, baseline.variant,
      row.only_variant, row.only_baseline, accuracy_points(row, baseline));
}

void judge(VerdictRow& row, const VerdictRow& baseline, std::size_t compared,
           const VerdictOptions& options) {
  row.forbidden_upper = stats::clopper_pearson_upper(row.forbidden_ensemble, row.forbidden_truths,
                                                     level / static_cast<double>(compared + 1));
  const auto counts = counts_in_words(row, baseline);
  if (row.p_holm < level) {
    row.verdict = "fail";
    row.reason =
        fmt::format("{}; exact McNemar p = {:.2g}, Holm {:.2g}", counts, row.p, row.p_holm);
    return;
  }
  const auto bound =
      fmt::format("at 95 % the rate rises by at most {:.1f} points, the margin is {:.1f}",
                  100.0 * row.difference_upper, 100.0 * options.margin);
  if (row.difference_upper <= options.margin) {
    row.verdict = "pass";
    row.reason = fmt::format("{}; {}", counts, bound);
    return;
  }
  row.verdict = "unresolved";
  row.resolving_n = resolving_samples(row.only_variant, row.only_baseline, row.forbidden_truths,
                                      options.margin, level / static_cast<double>(compared));
  row.reason = fmt::format("{}; {}; {}", counts, bound,
                           row.resolving_n < 0
                               ? std::string("no number of samples resolves these rates")
                               : fmt::format("about {} samples of {} at these rates resolve it",
                                             row.resolving_n, options.forbidden_truth));
}

struct Compared {
  VerdictRow row;
  std::vector<bool> errors;
};

void compare(Compared& variant, const Compared& baseline) {
  auto& row = variant.row;
  for (std::size_t i = 0; i < variant.errors.size(); ++i) {
    row.only_variant += variant.errors[i] && !baseline.errors[i];
    row.only_baseline += !variant.errors[i] && baseline.errors[i];
  }
  row.excess = row.only_variant - row.only_baseline;
  if (row.forbidden_truths == 0) return;  // nothing was compared: neither p nor bound
  row.p = stats::mcnemar_exact_greater(row.only_variant, row.only_baseline);
  row.difference_upper = stats::tango_upper(
      {static_cast<double>(row.only_variant), static_cast<double>(row.only_baseline),
       static_cast<double>(row.forbidden_truths)},
      level);
}

// All variants of one source.
void add_verdicts(records::Tables& tables, std::vector<Compared>& variants, const Facts& facts,
                  bool has_clusters, const VerdictOptions& options) {
  std::sort(variants.begin(), variants.end(), [&](const Compared& a, const Compared& b) {
    return facts.place_of(a.row.variant) < facts.place_of(b.row.variant);
  });
  if (variants.empty() || facts.place_of(variants.front().row.variant) != 0) return;
  const auto& baseline = variants.front();
  std::vector<double> p_values;
  for (std::size_t i = 1; i < variants.size(); ++i) {
    compare(variants[i], baseline);
    p_values.push_back(variants[i].row.p);
  }
  const auto adjusted = stats::holm(p_values);
  for (std::size_t i = 0; i < variants.size(); ++i) {
    auto& row = variants[i].row;
    if (row.forbidden_truths == 0) {
      row.verdict = i == 0 ? "baseline" : "unresolved";
      row.reason = fmt::format("no test sample is {}", options.forbidden_truth);
    } else if (i == 0) {
      row.verdict = "baseline";
      row.reason = "what the others are compared with";
      row.forbidden_upper =
          stats::clopper_pearson_upper(row.forbidden_ensemble, row.forbidden_truths,
                                       level / static_cast<double>(variants.size()));
    } else {
      row.p_holm = adjusted[i - 1];
      judge(row, baseline.row, variants.size() - 1, options);
    }
    if (i > 0 && has_clusters) row.reason += "; samples of one cluster counted as independent";
    records::append_row(tables, row);
  }
}

}  // namespace

std::int64_t resolving_samples(std::int64_t only_variant, std::int64_t only_baseline,
                               std::int64_t truths, double margin, double test_level) {
  const auto n = static_cast<double>(truths);
  const auto b = static_cast<double>(only_variant);
  const auto c = static_cast<double>(only_baseline);
  const double for_margin = stats::pairs_for_margin({b, c, n}, margin, level);
  const auto at = [&](double samples) {
    const double factor = samples / n;
    return samples >= for_margin ||
           stats::mcnemar_exact_greater(std::llround(factor * b), std::llround(factor * c)) <
               test_level;
  };
  double enough = n;
  while (!at(enough)) {
    if (enough >= most_samples) return -1;
    enough = std::min(2.0 * enough, most_samples);
  }
  double too_few = enough / 2.0;
  while (enough - too_few > 1.0) {
    const double middle = std::floor((enough + too_few) / 2.0);
    (at(middle) ? enough : too_few) = middle;
  }
  return static_cast<std::int64_t>(enough);
}

records::Tables verdicts(const records::Tables& rows, const VerdictOptions& options) {
  records::Tables tables;
  const auto samples = training::samples_of(rows);
  const auto forbidden = training::forbidden_named(samples.label_names, options.forbidden_truth,
                                                   options.forbidden_predicted);
  if (forbidden.truth < 0) return tables;
  const Facts facts(rows, options.evidence_layer);
  const bool has_clusters =
      std::set<std::int64_t>(samples.cluster.begin(), samples.cluster.end()).size() <
      samples.cluster.size();
  std::vector<Compared> of_source;
  std::string source;
  const auto finish_source = [&] {
    add_verdicts(tables, of_source, facts, has_clusters, options);
    of_source.clear();
  };
  for (const auto& [key, predictions] : group_predictions(rows, samples.label.size())) {
    if (source_of(key) != source) finish_source();
    source = source_of(key);
    of_source.push_back({facts.row_of(key), forbidden_errors(predictions, samples, forbidden)});
  }
  finish_source();
  return tables;
}

}  // namespace moesweep::heads
