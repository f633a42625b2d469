#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/analysis/quality/study.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::quality {

Study::Study(std::vector<records::CellRow> cells) : cells_(std::move(cells)) {
  for (const auto& cell : cells_) {
    if (std::find(models_.begin(), models_.end(), cell.model) == models_.end()) {
      models_.push_back(cell.model);
    }
    auto& levels = levels_[cell.model];
    if (std::none_of(levels.begin(), levels.end(),
                     [&](const Level& level) { return level.name == cell.level; })) {
      levels.push_back({cell.level, cell.bits_per_weight, cell.is_baseline != 0});
    }
    auto& metrics = metrics_[cell.role];
    if (std::find(metrics.begin(), metrics.end(), cell.metric) == metrics.end()) {
      metrics.push_back(cell.metric);
    }
    index_.emplace(std::tuple(cell.model, cell.level, cell.metric), &cell);
  }
}

const std::vector<std::string>& Study::metrics(const std::string& role) const {
  static const std::vector<std::string> none;
  const auto found = metrics_.find(role);
  return found == metrics_.end() ? none : found->second;
}

const records::CellRow* Study::find(const std::string& model, const std::string& level,
                                    const std::string& metric) const {
  const auto found = index_.find({model, level, metric});
  return found == index_.end() ? nullptr : found->second;
}

const records::CellRow* Study::baseline(const std::string& model, const std::string& metric) const {
  for (const auto& level : levels(model)) {
    if (level.is_baseline) return find(model, level.name, metric);
  }
  return nullptr;
}

bool Study::is_yes_no(const std::string& metric) const {
  return std::all_of(cells_.begin(), cells_.end(),
                     [&](const auto& cell) { return cell.metric != metric || cell.yes_no != 0; });
}

bool is_counted(const records::CellRow& cell) {
  return cell.yes_no != 0 && cell.yes >= 0;
}

stats::Count count_of(const records::CellRow& cell) {
  expect(is_counted(cell), "a count of a cell that has none");
  return {cell.yes, cell.samples};
}

std::string why_untested(const records::CellRow& cell, const std::string& which) {
  if (is_counted(cell)) return {};
  if (cell.samples == 0) return which + " has no number of samples";
  if (cell.yes_no != 0) {
    return fmt::format("{} has a share of {} of {} samples, which is not a whole number of them",
                       which, cell.value, cell.samples);
  }
  if (cell.samples == 1) return which + " has one sample";
  if (std::isnan(cell.sd)) {
    return "neither counts (quality.metrics.yes_no) nor a standard deviation are known";
  }
  if (cell.samples == 2) return which + " has two samples, which do not tell their spread";
  if (cell.sd == 0.0) return which + " has samples that are all equal, which tell no spread";
  return {};
}

stats::Summary summary_of(const records::CellRow& cell) {
  if (is_counted(cell)) return stats::summarize_binary(cell.yes, cell.samples);
  if (cell.yes_no != 0) return {};
  if (cell.samples > 0 && (!std::isnan(cell.sd) || cell.samples == 1)) {
    return stats::summary_of(cell.samples, cell.value, cell.sd);
  }
  return {};
}

}  // namespace moesweep::quality
