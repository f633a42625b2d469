#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/plans/plan/plan_file.hpp>

#include "formats.hpp"

namespace moesweep::handoff {
namespace {

struct PlanFormat {
  std::string_view name;
  names::Runtime runtime;
  plan::CheckStorage check;
  PlanExport (*write)(const plan::PlannedModules& planned);
};

constexpr std::array runtime_formats = {
    PlanFormat{"mlx-lm", names::Runtime::mlx, check_mlx, export_mlx},
    PlanFormat{"llama.cpp", names::Runtime::gguf, check_llama_cpp, export_llama_cpp},
    PlanFormat{"compressed-tensors", names::Runtime::vllm, check_compressed_tensors,
               export_compressed_tensors},
    PlanFormat{"gptqmodel", names::Runtime::vllm, check_gptqmodel, export_gptqmodel},
    PlanFormat{"modelopt", names::Runtime::vllm, check_modelopt, export_modelopt},
};

constexpr std::array<std::string_view, 7> format_list = {
    "mlx-lm", "llama.cpp", "compressed-tensors", "gptqmodel", "modelopt", "json", "csv"};

}  // namespace

std::span<const std::string_view> plan_formats() {
  return format_list;
}

PlanExport export_plan(const records::Plan& plan, const names::Architecture& architecture,
                       std::string_view format, bool allow_unmapped) {
  if (format == "json")
    return {
        {{"plan.json", plan::plan_json(plan)}},
        {},
        "plan.json is the plan as moesweep reads it (allocate, export, quantize, verify-plan)."};
  if (format == "csv")
    return {{{"plan.csv", plan::plan_csv(plan)}},
            {},
            "plan.csv has one line a tensor; its columns are those of plan.json's rows."};
  for (const auto& known : runtime_formats) {
    if (known.name != format) continue;
    return known.write(
        plan::modules_of(plan, architecture, known.runtime, allow_unmapped, known.check));
  }
  throw Error(ExitCode::bad_usage, std::string(format), "is no format of plans",
              fmt::format("choose one of {}", fmt::join(format_list, ", ")));
}

}  // namespace moesweep::handoff
