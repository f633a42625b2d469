#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "allocate_methods.hpp"

namespace moesweep::pipeline {
namespace {

using allocation::Decisions;

constexpr std::size_t curve_points = 12;

PlannedSize size_of(const AllocationSetting& setting, const Decisions& decisions, std::string how) {
  return {setting.undecided_bytes + bytes_of(decisions), measured_error(decisions), std::move(how)};
}

bool has_swan(const allocation::Problem& problem) {
  return std::any_of(problem.tensors.begin(), problem.tensors.end(),
                     [](const auto& tensor) { return tensor.swan && tensor.swan->by_composite; });
}

/// SWAN says no group size: the best of those that the runtime has.
void compare_swan(const AllocationSetting& setting, std::int64_t bytes, AllocateReport& report) {
  std::vector<std::int32_t> group_sizes;
  for (const auto& format : setting.problem.constraints.runtime_formats) {
    if (std::find(group_sizes.begin(), group_sizes.end(), format.group_size) == group_sizes.end()) {
      group_sizes.push_back(format.group_size);
    }
  }
  for (const auto group_size : group_sizes) {
    const auto found = swan_within(setting.problem, group_size, setting.source.thresholds, bytes);
    if (!found || std::isnan(measured_error(found->first))) continue;
    auto size = size_of(
        setting, found->first,
        fmt::format("groups of {}, composites moved by {:+.4f}", group_size, found->second));
    const auto before = report.compared.find("swan");
    if (before != report.compared.end() && before->second.error <= size.error) continue;
    report.compared["swan"] = std::move(size);
  }
}

}  // namespace

void compare_methods(const AllocationSetting& setting, AllocateReport& report) {
  const auto& modules = setting.problem.modules;
  if (std::isnan(report.size.error)) return;
  for (const auto& corner : allocation::pareto_curve(modules, curve_points)) {
    report.curve.push_back({setting.undecided_bytes + corner.bytes, corner.error, ""});
  }
  const auto bytes = report.size.bytes - setting.undecided_bytes;
  if (const auto best = allocation::within_budget(modules, bytes)) {
    report.compared["budget"] = {setting.undecided_bytes + best->bytes, best->error, ""};
  }
  if (const auto best = uniform_within(setting, bytes, true);
      best && !std::isnan(measured_error(best->first))) {
    report.compared["uniform"] = size_of(setting, best->first, text_of(best->second));
  }
  if (has_swan(setting.problem)) compare_swan(setting, bytes, report);
}

}  // namespace moesweep::pipeline
