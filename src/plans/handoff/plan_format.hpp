#pragma once
// How a plan is handed to one program. A new one is its file here and its line in export_plan.cpp.

#include <string_view>

#include <moesweep/plans/handoff/export_plan.hpp>
#include <moesweep/plans/plan/modules.hpp>

namespace moesweep::handoff {

/// For a runtime, in its names (check and write), or as the plan is (write_plan).
struct PlanFormat {
  std::string_view name;  ///< of --to
  names::Runtime runtime = names::Runtime::mlx;
  plan::CheckStorage check = nullptr;
  PlanExport (*write)(const plan::PlannedModules& planned) = nullptr;
  PlanExport (*write_plan)(const records::Plan& plan) = nullptr;
};

}  // namespace moesweep::handoff
