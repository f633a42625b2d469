#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/stats/multiple.hpp>

#include "difference.hpp"

namespace moesweep::quality {
namespace {

using records::CapabilityRow;

CapabilityRow row_of(const records::CellRow& cell, const records::CellRow* baseline) {
  CapabilityRow row;
  row.model = cell.model;
  row.level = cell.level;
  row.metric = cell.metric;
  row.samples = cell.samples;
  row.value = cell.value;
  row.delta_pp = cell.delta_pp;
  row.retained = cell.relative;
  if (baseline == nullptr) {
    row.reason = "not measured on the baseline";
    return row;
  }
  row.baseline = baseline->value;
  auto found = test_difference(*baseline, cell);
  row.test = found.test;
  row.p = found.p;
  row.p_welch = found.welch.p;
  row.reason = std::move(found.reason);
  return row;
}

}  // namespace

std::vector<CapabilityRow> capability(const Study& study, const Options& options) {
  std::vector<CapabilityRow> rows;
  std::vector<double> p_values;
  for (const auto& metric : study.metrics("capability")) {
    for (const auto& model : study.models()) {
      for (const auto& level : study.levels(model)) {
        const auto* cell = study.find(model, level.name, metric);
        if (level.is_baseline || cell == nullptr) continue;
        auto& row = rows.emplace_back(row_of(*cell, study.baseline(model, metric)));
        p_values.push_back(row.p);
        if (options.safety.empty()) continue;
        const auto* safety = study.find(model, level.name, options.safety.front());
        if (safety != nullptr) row.safety_pp = safety->delta_pp;
      }
    }
  }
  const auto adjusted = stats::holm(p_values);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].p_holm = adjusted[i];
  return rows;
}

}  // namespace moesweep::quality
