#include <cmath>

#include <moesweep/quality/passes.hpp>
#include <moesweep/stats/equivalence.hpp>
#include <moesweep/stats/power.hpp>

namespace moesweep::quality {
namespace {

using records::PowerRow;
using records::QualityEquivalenceRow;

// The common spread by which n is asked for; that of a sample without any says nothing.
double pooled_sd(const stats::Summary& a, const stats::Summary& b) {
  return std::sqrt((a.variance + b.variance) / 2.0);
}

// A change is found at alpha over the number of tests: then Holm's adjustment cannot undo it.
double resolving_n(const stats::Summary& cell, const stats::Summary& baseline, std::size_t tests,
                   const Options& options) {
  const double margin = options.margin_pp / 100.0;
  const double difference = cell.mean - baseline.mean;
  const double sd = pooled_sd(cell, baseline);
  if (std::isnan(sd) || sd == 0.0) return records::not_measured;
  if (std::fabs(difference) < margin) {
    return stats::sample_size_equivalence(difference, sd, margin, options.alpha, options.power);
  }
  const double alpha = options.alpha / static_cast<double>(tests);
  return stats::sample_size_two_means(difference, sd,
                                      stats::detection_factor(alpha, options.power));
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
  const auto a = summary_of(cell);
  const auto b = summary_of(baseline);
  if (a.count < 2 || b.count < 2) return row;
  const auto both = stats::tost(a, b, options.margin_pp / 100.0);
  row.delta_pp = 100.0 * both.difference;
  row.se_pp = 100.0 * both.standard_error;
  row.freedom = both.freedom;
  row.t_lower = both.t_lower;
  row.p_lower = both.p_lower;
  row.t_upper = both.t_upper;
  row.p_upper = both.p_upper;
  row.p = both.p;
  row.equivalent = static_cast<std::int8_t>(both.p < options.alpha);
  row.resolving_n = resolving_n(a, b, tests, options);
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
      row.n_for_margin = std::ceil(0.5 * (factor / margin) * (factor / margin));
      if (fewest > 0) {
        row.mde_pp = 100.0 * stats::minimum_detectable_proportion(0.5, fewest, fewest, factor);
        row.mde_rounded_pp = 100.0 * stats::minimum_detectable_proportion(0.5, fewest, fewest,
                                                                          rounded_factor(options));
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace moesweep::quality
