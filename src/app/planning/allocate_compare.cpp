#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "allocate_methods.hpp"
#include "allocation_swept.hpp"

namespace moesweep::planning {
namespace {

using allocation::Decisions;

constexpr std::size_t curve_points = 12;

bool has_swan(const allocation::Problem& problem) {
  return std::any_of(problem.tensors.begin(), problem.tensors.end(),
                     [](const auto& tensor) { return tensor.swan && tensor.swan->by_composite; });
}

/// A measured error beats one that is not known; of two that are not, the one that is known for
/// more parameters.
bool is_better(const PlannedSize& a, const PlannedSize& b) {
  if (std::isnan(a.error) != std::isnan(b.error)) return std::isnan(b.error);
  if (!std::isnan(a.error)) return a.error < b.error;
  return a.measured_share() > b.measured_share();
}

/// SWAN says no group size: the best of those that were swept.
void compare_swan(const AllocationSetting& setting, std::int64_t bytes, AllocateReport& report) {
  std::set<std::int32_t> group_sizes;
  for (const auto& format : setting.problem.constraints.runtime_formats) {
    if (setting.swept.contains(format)) group_sizes.insert(format.group_size);
  }
  for (const auto group_size : group_sizes) {
    const auto found = swan_within(setting.problem, group_size, setting.source.thresholds, bytes);
    if (!found) continue;
    auto size = size_of(
        setting, found->first,
        fmt::format("groups of {}, composites moved by {:+.4f}", group_size, found->second));
    const auto before = report.compared.find("swan");
    if (before != report.compared.end() && !is_better(size, before->second)) continue;
    report.compared["swan"] = std::move(size);
  }
}

PlannedSize size_of(const AllocationSetting& setting, const allocation::Allocation& allocation) {
  return size_of(setting, decisions_of(setting.problem, allocation, ""), "");
}

}  // namespace

void compare_methods(const AllocationSetting& setting, const std::optional<Uniform>& uniform,
                     AllocateReport& report) {
  const auto& problem = setting.problem;
  if (!has_measurements(setting)) return;
  if (!problem.fixed_unmeasured.empty()) {
    report.notes.emplace_back(
        "what other methods make of as many bytes is not known: a fixed role was not measured of "
        "every tensor");
    return;
  }
  for (const auto& corner : allocation::pareto_curve(problem.modules, curve_points)) {
    report.curve.push_back(size_of(setting, corner));
  }
  const auto bytes = report.size.bytes - setting.undecided_bytes;
  if (const auto best = allocation::within_budget(problem.modules, bytes)) {
    report.compared["budget"] = size_of(setting, *best);
  }
  if (uniform) {
    report.compared["uniform"] = size_of(setting, uniform->first, how_text(uniform->second));
  }
  if (has_swan(problem)) compare_swan(setting, bytes, report);
}

}  // namespace moesweep::planning
