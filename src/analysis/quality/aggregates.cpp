#include <array>
#include <cmath>

#include <moesweep/analysis/quality/passes.hpp>

namespace moesweep::quality {
namespace {

using records::MergedRow;
using records::RoleScoreRow;

constexpr std::array roles = {"quality", "safety", "capability"};

RoleScoreRow score(const Study& study, const std::string& model, const Level& level,
                   const char* role) {
  RoleScoreRow row{model, level.name, level.bits_per_weight, role};
  double sum = 0.0;
  double deltas = 0.0;
  std::int64_t compared = 0;
  for (const auto& metric : study.metrics(role)) {
    const auto* cell = study.find(model, level.name, metric);
    if (cell == nullptr) continue;
    ++row.metrics;
    sum += cell->lower_is_better != 0 ? 1.0 - cell->value : cell->value;
    if (std::isnan(cell->delta_pp)) continue;
    ++compared;
    deltas += cell->delta_pp;
    if (!(cell->delta_pp >= row.worst_delta_pp)) {
      row.worst_delta_pp = cell->delta_pp;
      row.worst_metric = metric;
    }
  }
  if (row.metrics > 0) row.mean = sum / static_cast<double>(row.metrics);
  if (compared > 0) row.mean_delta_pp = deltas / static_cast<double>(compared);
  return row;
}

}  // namespace

std::vector<RoleScoreRow> aggregates(const Study& study) {
  std::vector<RoleScoreRow> rows;
  for (const auto* role : roles) {
    if (study.metrics(role).empty()) continue;
    for (const auto& model : study.models()) {
      for (const auto& level : study.levels(model)) {
        rows.push_back(score(study, model, level, role));
      }
    }
  }
  return rows;
}

std::vector<MergedRow> merged(const Study& study) {
  std::vector<MergedRow> rows;
  for (const auto& model : study.models()) {
    for (const auto& level : study.levels(model)) {
      const auto quality = score(study, model, level, "quality");
      const auto safety = score(study, model, level, "safety");
      const auto capable = score(study, model, level, "capability");
      rows.push_back({model, level.name, level.bits_per_weight, quality.mean, safety.mean,
                      capable.mean, quality.mean_delta_pp, safety.mean_delta_pp,
                      capable.mean_delta_pp});
    }
  }
  return rows;
}

}  // namespace moesweep::quality
