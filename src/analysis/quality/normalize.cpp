#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <boost/math/distributions/students_t.hpp>
#include <fmt/format.h>

#include <moesweep/analysis/quality/measurement.hpp>
#include <moesweep/analysis/quality/study.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/proportions.hpp>

namespace moesweep::quality {
namespace {

using records::CellRow;

std::size_t place_in(const Names& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::size_t order_of(const Options& options, const std::string& metric) {
  const auto of_quality = place_in(options.quality, metric);
  if (of_quality < options.quality.size()) return of_quality;
  const auto of_safety = place_in(options.safety, metric);
  if (of_safety < options.safety.size()) return options.quality.size() + of_safety;
  return options.quality.size() + options.safety.size() + place_in(options.capability, metric);
}

// A share of so many samples is a whole number of them, but for how it was rounded.
void set_count(CellRow& cell, double unit) {
  if (cell.yes_no == 0 || cell.samples == 0) return;
  const auto samples = static_cast<double>(cell.samples);
  const auto nearest = std::llround(cell.value * samples);
  const double off = std::fabs(static_cast<double>(nearest) / samples - cell.value);
  // Half a digit, and what binary fractions lose.
  if (off <= unit / 2.0 * (1.0 + 1e-6) + 1e-14) cell.yes = nearest;
}

void set_interval(CellRow& cell, double alpha) {
  if (is_counted(cell)) {
    const auto interval = stats::wilson_interval(cell.yes, cell.samples, alpha);
    cell.lo = interval.lo;
    cell.hi = interval.hi;
  } else if (why_untested(cell, "it").empty()) {
    const auto summary = summary_of(cell);
    const auto count = static_cast<double>(summary.count);
    const boost::math::students_t t(count - 1.0);
    const double half = boost::math::quantile(boost::math::complement(t, alpha / 2.0)) *
                        std::sqrt(summary.variance / count);
    cell.lo = cell.value - half;
    cell.hi = cell.value + half;
  }
}

CellRow cell_from(const Measurement& one, const Options& options) {
  CellRow cell;
  cell.model = one.model;
  cell.level = one.level;
  cell.bits_per_weight = one.bits_per_weight;
  const auto told = options.bits_per_weight.find(one.level);
  if (std::isnan(cell.bits_per_weight) && told != options.bits_per_weight.end()) {
    cell.bits_per_weight = told->second;
  }
  cell.is_baseline = static_cast<std::int8_t>(one.level == options.baseline);
  cell.metric = one.metric;
  cell.role = role_of(options, one.metric);
  cell.lower_is_better = static_cast<std::int8_t>(contains(options.lower_is_better, one.metric));
  cell.yes_no = static_cast<std::int8_t>(one.yes_no || contains(options.yes_no, one.metric));
  cell.samples = one.samples;
  const auto samples = options.samples.find(one.metric);
  if (cell.samples == 0 && samples != options.samples.end()) cell.samples = samples->second;
  const double scale = contains(options.percent, one.metric) ? 100.0 : 1.0;
  cell.value = one.value / scale;
  cell.sd = one.sd / scale;
  if (cell.yes_no != 0 && !(cell.value >= 0.0 && cell.value <= 1.0)) {
    throw Error(
        ExitCode::bad_input, one.place,
        fmt::format("{} is {}, a share of yes or no is 0 to 1", printable(one.metric), one.value),
        "take it out of quality.metrics.yes_no, or add it to quality.metrics.percent");
  }
  set_count(cell, one.unit / scale);
  set_interval(cell, options.alpha);
  const double sign = cell.lower_is_better != 0 ? -1.0 : 1.0;
  cell.delta_pp = sign * one.delta_pp + 0.0;
  return cell;
}

// Positive is better; + 0.0 makes -0 a 0.
void compare_with_baseline(CellRow& cell, const CellRow& baseline) {
  const double sign = cell.lower_is_better != 0 ? -1.0 : 1.0;
  if (std::isnan(cell.delta_pp)) {
    cell.delta_pp = sign * 100.0 * (cell.value - baseline.value) + 0.0;
  }
  if (baseline.value != 0.0) cell.relative = cell.value / baseline.value;
}

void require_baseline(const std::vector<CellRow>& cells, const Options& options) {
  std::map<std::string, bool> has;
  for (const auto& cell : cells) has[cell.model] |= cell.is_baseline != 0;
  for (const auto& [model, found] : has) {
    if (found) continue;
    throw Error(ExitCode::bad_input, fmt::format("model {}", printable(model)),
                fmt::format("has no level {}, the baseline", printable(options.baseline)),
                "measure it, or name another level in quality.baseline");
  }
}

void sort(std::vector<CellRow>& cells, const Options& options) {
  std::map<std::string, std::size_t> models;
  std::map<std::pair<std::string, std::string>, std::size_t> levels;
  for (const auto& cell : cells) {
    models.emplace(cell.model, models.size());
    levels.emplace(std::pair(cell.model, cell.level), levels.size());
  }
  const auto key = [&](const CellRow& cell) {
    const double bits = std::isnan(cell.bits_per_weight) ? -1.0 : cell.bits_per_weight;
    return std::tuple(models.at(cell.model), cell.is_baseline == 0, -bits,
                      levels.at({cell.model, cell.level}), order_of(options, cell.metric));
  };
  std::stable_sort(cells.begin(), cells.end(),
                   [&](const CellRow& a, const CellRow& b) { return key(a) < key(b); });
}

// A level has one number of bits, though not every cell of it may tell.
void share_bits(std::vector<CellRow>& cells, std::span<const Measurement> measurements) {
  std::map<std::pair<std::string, std::string>, double> bits;
  for (const auto& cell : cells) {
    if (!std::isnan(cell.bits_per_weight)) {
      bits.emplace(std::pair(cell.model, cell.level), cell.bits_per_weight);
    }
  }
  for (auto& cell : cells) {
    const auto told = bits.find({cell.model, cell.level});
    if (told == bits.end()) continue;
    if (!std::isnan(cell.bits_per_weight) && cell.bits_per_weight != told->second) {
      throw Error(
          ExitCode::bad_input, measurements.front().place,
          fmt::format("level {} of {} has both {} and {} bits per weight", printable(cell.level),
                      printable(cell.model), told->second, cell.bits_per_weight),
          "a level has one number of bits; give levels that differ different names");
    }
    cell.bits_per_weight = told->second;
  }
}

}  // namespace

std::vector<CellRow> normalize(std::span<const Measurement> measurements, const Options& options) {
  std::vector<CellRow> cells;
  std::set<std::tuple<std::string, std::string, std::string>> told;
  for (const auto& one : measurements) {
    if (role_of(options, one.metric).empty()) continue;
    if (!told.emplace(one.model, one.level, one.metric).second) {
      throw Error(ExitCode::bad_input, one.place,
                  fmt::format("{} of {} at {} is told a second time", printable(one.metric),
                              printable(one.model), printable(one.level)),
                  "a model, level and metric have one value");
    }
    if (!std::isnan(one.value)) cells.push_back(cell_from(one, options));
  }
  if (cells.empty()) {
    throw Error(ExitCode::bad_input, "quality", "no metric with a role was measured",
                "name metrics of the input in quality.metrics.quality and .safety");
  }
  require_baseline(cells, options);
  share_bits(cells, measurements);
  sort(cells, options);
  std::map<std::pair<std::string, std::string>, const CellRow*> baselines;
  for (const auto& cell : cells) {
    if (cell.is_baseline != 0) baselines[{cell.model, cell.metric}] = &cell;
  }
  for (auto& cell : cells) {
    const auto baseline = baselines.find({cell.model, cell.metric});
    if (baseline != baselines.end()) compare_with_baseline(cell, *baseline->second);
  }
  return cells;
}

}  // namespace moesweep::quality
