#include <cmath>

#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/stats/equivalence.hpp>
#include <moesweep/core/stats/power.hpp>
#include <moesweep/core/stats/two_proportions_power.hpp>

#include "difference.hpp"

namespace moesweep::quality {
namespace {

using records::PowerRow;
using records::QualityEquivalenceRow;

double pooled_sd(const stats::Summary& a, const stats::Summary& b) {
  return std::sqrt((a.variance + b.variance) / 2.0);
}

// A change is found at alpha over the number of tests: then Holm's adjustment cannot undo it.
double resolving_n_of_means(const stats::Summary& cell, const stats::Summary& baseline,
                            std::size_t tests, const Options& options) {
  const double margin = options.margin_pp / 100.0;
  const double difference = cell.mean - baseline.mean;
  const double sd = pooled_sd(cell, baseline);
  if (std::fabs(difference) < margin) {
    return stats::sample_size_equivalence(difference, sd, margin, options.alpha, options.power);
  }
  const double alpha = options.alpha / static_cast<double>(tests);
  return stats::sample_size_two_means(difference, sd,
                                      stats::detection_factor(alpha, options.power));
}

double resolving_n_of_shares(const records::CellRow& cell, const records::CellRow& baseline,
                             std::size_t tests, const Options& options) {
  const auto share = [](const stats::Count& count) {
    return static_cast<double>(count.k) / static_cast<double>(count.n);
  };
  const double p = share(count_of(cell));
  const double q = share(count_of(baseline));
  const double margin = options.margin_pp / 100.0;
  if (margin >= 1.0) return records::not_measured;
  if (std::fabs(p - q) < margin) {
    return stats::score_tost_sample_size(p, q, margin, options.alpha, options.power);
  }
  return stats::fisher_sample_size(p, q, options.alpha / static_cast<double>(tests), options.power);
}

void set_welch(QualityEquivalenceRow& row, const stats::Tost& welch) {
  row.se_pp_welch = 100.0 * welch.standard_error;
  row.freedom_welch = welch.freedom;
  row.t_lower_welch = welch.t_lower;
  row.p_lower_welch = welch.p_lower;
  row.t_upper_welch = welch.t_upper;
  row.p_upper_welch = welch.p_upper;
  row.p_welch = welch.p;
}

QualityEquivalenceRow equivalence_of(const records::CellRow& cell, const records::CellRow& baseline,
                                     std::size_t tests, const Options& options) {
  QualityEquivalenceRow row;
  row.model = cell.model;
  row.level = cell.level;
  row.metric = cell.metric;
  row.samples = cell.samples;
  row.margin_pp = options.margin_pp;
  row.delta_pp = 100.0 * (cell.value - baseline.value);
  row.reason = why_uncomparable(baseline, cell);
  if (!row.reason.empty()) return row;
  const double margin = options.margin_pp / 100.0;
  const auto a = summary_of(cell);
  const auto b = summary_of(baseline);
  const auto welch = stats::tost(a, b, margin);
  row.delta_pp = 100.0 * welch.difference;
  set_welch(row, welch);
  if (are_counts(baseline, cell)) {
    const auto score = stats::score_tost(count_of(cell), count_of(baseline), margin);
    row.test = "farrington_manning";
    row.z_lower = score.z_lower;
    row.p_lower = score.p_lower;
    row.z_upper = score.z_upper;
    row.p_upper = score.p_upper;
    row.p = score.p;
    row.resolving_n = resolving_n_of_shares(cell, baseline, tests, options);
    if (std::isnan(row.p)) row.reason = "every difference of shares is within a margin of 100 pp";
  } else {
    row.test = "welch";
    row.p_lower = welch.p_lower;
    row.p_upper = welch.p_upper;
    row.p = welch.p;
    row.resolving_n = resolving_n_of_means(a, b, tests, options);
  }
  row.equivalent = static_cast<std::int8_t>(row.p < options.alpha);
  return row;
}

double two_digits(double value) {
  return std::round(100.0 * value) / 100.0;
}

// Printed tables use 1.96 + 0.84.
double rounded_factor(const Options& options) {
  const double z_alpha = stats::detection_factor(options.alpha, 0.5);  // z of power 1/2 is 0
  return two_digits(z_alpha) +
         two_digits(stats::detection_factor(options.alpha, options.power) - z_alpha);
}

}  // namespace

std::vector<QualityEquivalenceRow> equivalence(const Study& study, const Options& options) {
  struct Pair {
    const records::CellRow& cell;
    const records::CellRow& baseline;
  };
  std::vector<Pair> pairs;
  for (const auto& metric : study.metrics("safety")) {
    for (const auto& model : study.models()) {
      const auto* baseline = study.baseline(model, metric);
      if (baseline == nullptr) continue;
      for (const auto& level : study.levels(model)) {
        const auto* cell = study.find(model, level.name, metric);
        if (!level.is_baseline && cell != nullptr) pairs.push_back({*cell, *baseline});
      }
    }
  }
  std::vector<QualityEquivalenceRow> rows;
  for (const auto& [cell, baseline] : pairs) {
    rows.push_back(equivalence_of(cell, baseline, pairs.size(), options));
  }
  return rows;
}

std::vector<PowerRow> power(const Study& study, const Options& options) {
  const double factor = stats::detection_factor(options.alpha, options.power);
  const double margin = options.margin_pp / 100.0;
  std::vector<PowerRow> rows;
  for (const auto& model : study.models()) {
    for (const auto& metric : study.metrics("safety")) {
      std::int64_t fewest = 0;
      for (const auto& level : study.levels(model)) {
        const auto* cell = study.find(model, level.name, metric);
        if (cell == nullptr || cell->samples == 0) continue;
        fewest = fewest == 0 ? cell->samples : std::min(fewest, cell->samples);
      }
      PowerRow row{model, metric, fewest};
      const bool shares = study.is_yes_no(metric);
      row.test = shares ? "fisher" : "normal";
      row.n_for_margin = shares
                             ? stats::fisher_sample_size((1.0 - margin) / 2.0, (1.0 + margin) / 2.0,
                                                         options.alpha, options.power)
                             : std::ceil(0.5 * (factor / margin) * (factor / margin));
      if (fewest > 0) {
        row.mde_pp =
            100.0 * (shares ? stats::fisher_detectable(fewest, options.alpha, options.power)
                            : stats::minimum_detectable_proportion(0.5, fewest, fewest, factor));
        row.mde_rounded_pp = 100.0 * stats::minimum_detectable_proportion(0.5, fewest, fewest,
                                                                          rounded_factor(options));
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace moesweep::quality
