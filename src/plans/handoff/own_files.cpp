// The plan as it is.

#include <moesweep/plans/plan/plan_file.hpp>

#include "plan_format.hpp"

namespace moesweep::handoff {
namespace {

PlanExport write_json(const records::Plan& plan) {
  return {.files = {{"plan.json", plan::plan_json(plan)}},
          .unmapped = {},
          .how_to_use =
              "plan.json is the plan as moesweep reads it (allocate, export, quantize, "
              "verify-plan)."};
}

PlanExport write_csv(const records::Plan& plan) {
  return {
      .files = {{"plan.csv", plan::plan_csv(plan)}},
      .unmapped = {},
      .how_to_use = "plan.csv has one line a tensor; its columns are those of plan.json's rows."};
}

}  // namespace

PlanFormat json_plans() {
  return {.name = "json", .write_plan = write_json};
}

PlanFormat csv_plans() {
  return {.name = "csv", .write_plan = write_csv};
}

}  // namespace moesweep::handoff
