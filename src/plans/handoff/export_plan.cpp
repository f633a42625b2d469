#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plan_format.hpp"

namespace moesweep::handoff {

PlanFormat mlx_plans();
PlanFormat llama_cpp_plans();
PlanFormat compressed_tensors_plans();
PlanFormat gptqmodel_plans();
PlanFormat modelopt_plans();
PlanFormat json_plans();
PlanFormat csv_plans();

namespace {

std::span<const PlanFormat> formats() {
  static const std::array all = {mlx_plans(),       llama_cpp_plans(), compressed_tensors_plans(),
                                 gptqmodel_plans(), modelopt_plans(),  json_plans(),
                                 csv_plans()};
  return all;
}

}  // namespace

std::span<const std::string_view> plan_formats() {
  static const auto names = [] {
    std::vector<std::string_view> all;
    for (const auto& format : formats()) all.push_back(format.name);
    return all;
  }();
  return names;
}

PlanExport export_plan(const records::Plan& plan, const names::Architecture& architecture,
                       std::string_view format, bool allow_unmapped) {
  for (const auto& known : formats()) {
    if (known.name != format) continue;
    if (known.write_plan != nullptr) return known.write_plan(plan);
    return known.write(
        plan::modules_of(plan, architecture, known.runtime, allow_unmapped, known.check));
  }
  throw Error(ExitCode::bad_usage, std::string(format), "is no format of plans",
              fmt::format("choose one of {}", fmt::join(plan_formats(), ", ")));
}

}  // namespace moesweep::handoff
