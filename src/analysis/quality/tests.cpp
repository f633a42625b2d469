#include <array>
#include <cmath>

#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/stats/multiple.hpp>
#include <moesweep/core/stats/proportions.hpp>

#include "difference.hpp"

namespace moesweep::quality {
namespace {

using records::SafetyTestRow;

// The conventional size that the effect is nearest to: Cohen's 0.2, 0.5 and 0.8, and Sawilowsky's
// 1.2 (Journal of Modern Applied Statistical Methods 8, 2009).
std::string magnitude_of(double effect) {
  struct Size {
    const char* name;
    double value;
  };
  constexpr std::array sizes = {Size{"negligible", 0.0}, Size{"small", 0.2}, Size{"medium", 0.5},
                                Size{"large", 0.8}, Size{"very large", 1.2}};
  if (std::isnan(effect)) return {};
  const auto* nearest = &sizes.back();
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    if (std::fabs(effect) < (sizes[i].value + sizes[i + 1].value) / 2.0) {
      nearest = &sizes[i];
      break;
    }
  }
  return nearest->name;
}

SafetyTestRow test_of(const records::CellRow& baseline, const records::CellRow& cell) {
  SafetyTestRow row;
  row.model = cell.model;
  row.level = cell.level;
  row.metric = cell.metric;
  row.samples_baseline = baseline.samples;
  row.samples = cell.samples;
  row.baseline = baseline.value;
  row.value = cell.value;
  row.delta_pp = cell.delta_pp;
  const bool shares = baseline.yes_no != 0 && cell.yes_no != 0;
  if (shares) row.cohens_h = stats::cohens_h(baseline.value, cell.value);
  auto found = test_difference(baseline, cell);
  row.test = found.test;
  row.p = found.p;
  row.se_welch = found.welch.standard_error;
  row.t_welch = found.welch.t;
  row.freedom_welch = found.welch.freedom;
  row.p_welch = found.welch.p;
  row.cohens_d = found.cohens_d;
  row.reason = std::move(found.reason);
  row.magnitude = magnitude_of(shares ? row.cohens_h : row.cohens_d);
  return row;
}

// What could not be tested counts as p = 1, and stays untested.
std::vector<double> with_ones(const std::vector<SafetyTestRow>& tests,
                              double SafetyTestRow::*member) {
  std::vector<double> p_values;
  for (const auto& test : tests) {
    p_values.push_back(std::isnan(test.*member) ? 1.0 : test.*member);
  }
  return p_values;
}

void adjust(std::vector<SafetyTestRow>& tests, double alpha) {
  const auto p_values = with_ones(tests, &SafetyTestRow::p);
  const auto holm = stats::holm(p_values);
  const auto bonferroni = stats::bonferroni(p_values);
  const auto welch = stats::holm(with_ones(tests, &SafetyTestRow::p_welch));
  for (std::size_t i = 0; i < tests.size(); ++i) {
    auto& test = tests[i];
    if (!std::isnan(test.p_welch)) test.p_holm_welch = welch[i];
    if (std::isnan(test.p)) continue;
    test.p_holm = holm[i];
    test.p_bonferroni = bonferroni[i];
    test.significant = static_cast<std::int8_t>(test.p_holm < alpha);
  }
}

}  // namespace

std::vector<SafetyTestRow> safety_tests(const Study& study, const Options& options) {
  std::vector<SafetyTestRow> rows;
  for (const auto& model : study.models()) {
    for (const auto& metric : study.metrics("safety")) {
      const auto* baseline = study.baseline(model, metric);
      for (const auto& level : study.levels(model)) {
        if (level.is_baseline) continue;
        const auto* cell = study.find(model, level.name, metric);
        if (baseline != nullptr && cell != nullptr) {
          rows.push_back(test_of(*baseline, *cell));
          continue;
        }
        SafetyTestRow row;
        row.model = model;
        row.level = level.name;
        row.metric = metric;
        row.reason = cell == nullptr ? "not measured" : "not measured on the baseline";
        rows.push_back(std::move(row));
      }
    }
  }
  adjust(rows, options.alpha);
  return rows;
}

}  // namespace moesweep::quality
