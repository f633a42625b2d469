#include <algorithm>
#include <cmath>

#include <moesweep/quality/study.hpp>

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

stats::Summary summary_of(const records::CellRow& cell) {
  const auto samples = static_cast<double>(cell.samples);
  if (cell.samples > 0 && cell.yes_no != 0) {
    return stats::summarize_binary(std::llround(cell.value * samples), cell.samples);
  }
  if (cell.samples > 0 && (!std::isnan(cell.sd) || cell.samples == 1)) {
    return stats::summary_of(cell.samples, cell.value, cell.sd);
  }
  return {};
}

}  // namespace moesweep::quality
