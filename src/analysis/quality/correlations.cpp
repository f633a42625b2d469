#include <cmath>

#include <boost/math/special_functions/gamma.hpp>

#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/stats/correlation.hpp>
#include <moesweep/core/stats/leave_one_out.hpp>
#include <moesweep/core/stats/multiple.hpp>

#include "paired_changes.hpp"

namespace moesweep::quality {
namespace {

using records::HeterogeneityRow;
using records::LeaveOneOutRow;
using records::QualityCorrelationRow;

double pearson(const PairedChanges& changes) {
  return stats::correlate(changes.quality_pp, changes.safety_pp).pearson;
}

std::vector<double> centred(const std::vector<double>& values,
                            const std::vector<std::size_t>& model_of, std::size_t models) {
  std::vector<double> sums(models, 0.0);
  std::vector<double> counts(models, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums[model_of[i]] += values[i];
    counts[model_of[i]] += 1.0;
  }
  auto out = values;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double mean = sums[model_of[i]] / counts[model_of[i]];
    // What rounding leaves of values that are all equal is no distance from their mean.
    const double rounded = 1e-12 * std::fabs(values[i]);
    out[i] = std::fabs(values[i] - mean) <= rounded ? 0.0 : values[i] - mean;
  }
  return out;
}

// Cochran's Q of atanh(r) with weights n - 3: chi-square if all models had one coefficient.
void set_q(HeterogeneityRow& row, const std::vector<PairedChanges>& models) {
  double weights = 0.0;
  double mean = 0.0;
  std::int64_t used = 0;
  for (const auto& model : models) {
    const double r = pearson(model);
    const double weight = static_cast<double>(model.quality_pp.size()) - 3.0;
    if (std::isnan(r) || weight <= 0.0 || std::fabs(r) >= 1.0) continue;
    ++used;
    weights += weight;
    mean += weight * std::atanh(r);
  }
  if (used < 2) return;
  mean /= weights;
  row.q = 0.0;
  for (const auto& model : models) {
    const double r = pearson(model);
    const double weight = static_cast<double>(model.quality_pp.size()) - 3.0;
    if (std::isnan(r) || weight <= 0.0 || std::fabs(r) >= 1.0) continue;
    row.q += weight * (std::atanh(r) - mean) * (std::atanh(r) - mean);
  }
  row.p = boost::math::gamma_q(static_cast<double>(used - 1) / 2.0, row.q / 2.0);
}

std::string kind_of(const HeterogeneityRow& row, double alpha) {
  if (row.models < 2) return {};
  if (row.positive > 0 && row.negative > 0) {
    return row.p < alpha ? "heterogeneous" : "opposite_signs";
  }
  if (row.positive == row.models) return row.pooled < 0.0 ? "simpson" : "agree";
  if (row.negative == row.models) return row.pooled > 0.0 ? "simpson" : "agree";
  return {};
}

HeterogeneityRow heterogeneity_of(std::vector<PairedChanges> models, double alpha) {
  HeterogeneityRow row;
  row.quality = models.front().quality;
  row.safety = models.front().safety;
  const auto pooled = std::move(models.back());
  models.pop_back();
  for (const auto& model : models) {
    const double r = pearson(model);
    if (std::isnan(r)) continue;
    ++row.models;
    row.positive += r > 0.0 ? 1 : 0;
    row.negative += r < 0.0 ? 1 : 0;
  }
  row.pooled = pearson(pooled);
  row.within = stats::correlate(centred(pooled.quality_pp, pooled.model_of, models.size()),
                                centred(pooled.safety_pp, pooled.model_of, models.size()))
                   .pearson;
  set_q(row, models);
  row.kind = kind_of(row, alpha);
  return row;
}

std::string why_no_test(const stats::Correlation& found) {
  if (!std::isnan(found.pearson_p)) return {};
  if (found.count < 3) return "fewer than three levels have both";
  return std::isnan(found.pearson) ? "one of the two is the same at all levels"
                                   : "the levels lie on a line: no scatter to judge it by";
}

}  // namespace

std::vector<QualityCorrelationRow> correlations(const Study& study, const Options& options) {
  std::vector<QualityCorrelationRow> rows;
  std::vector<double> p_values;
  for (const auto& changes : all_changes(study)) {
    const auto found = stats::correlate(changes.quality_pp, changes.safety_pp);
    const auto interval = stats::fisher_interval(found.pearson, found.count, options.alpha);
    rows.push_back({changes.model, changes.quality, changes.safety, found.count, found.pearson,
                    found.pearson_p, interval.lo, interval.hi, found.spearman, found.spearman_p,
                    static_cast<std::int8_t>(found.pearson_p < options.alpha),
                    records::not_measured, why_no_test(found)});
    p_values.push_back(found.pearson_p);
  }
  const auto adjusted = stats::holm(p_values);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].p_holm = adjusted[i];
  return rows;
}

std::vector<HeterogeneityRow> heterogeneity(const Study& study, const Options& options) {
  std::vector<HeterogeneityRow> rows;
  if (study.models().size() < 2) return rows;
  for (const auto& quality : study.metrics("quality")) {
    for (const auto& safety : study.metrics("safety")) {
      rows.push_back(heterogeneity_of(changes_of_pair(study, quality, safety), options.alpha));
    }
  }
  return rows;
}

std::vector<LeaveOneOutRow> leave_one_out(const Study& study) {
  std::vector<LeaveOneOutRow> rows;
  for (const auto& changes : all_changes(study)) {
    const auto statistic = [&](std::span<const std::int64_t> indices) {
      std::vector<double> x;
      std::vector<double> y;
      for (const auto index : indices) {
        x.push_back(changes.quality_pp[static_cast<std::size_t>(index)]);
        y.push_back(changes.safety_pp[static_cast<std::size_t>(index)]);
      }
      return stats::correlate(x, y).pearson;
    };
    const auto levels = static_cast<std::int64_t>(changes.quality_pp.size());
    const auto range = stats::leave_one_out_range(statistic, levels);
    const bool keeps = (range.lo > 0.0 && range.hi > 0.0) || (range.lo < 0.0 && range.hi < 0.0);
    rows.push_back({changes.model, changes.quality, changes.safety, levels, pearson(changes),
                    range.lo, range.hi, static_cast<std::int8_t>(keeps)});
  }
  return rows;
}

}  // namespace moesweep::quality
