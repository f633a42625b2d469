#include <utility>

#include <moesweep/plans/plan/runtime_plan.hpp>

namespace moesweep::plan {
RuntimeRow in_runtime(const records::PlanRow& row, names::Runtime runtime,
                      const names::Architecture& architecture) {
  auto shape = records::shape_of(row);
  auto mapping = names::map_tensor(runtime, architecture, row.tensor, shape);
  return {.row = &row,
          .shape = std::move(shape),
          .mapping = std::move(mapping),
          .tie = names::tied_module(runtime, architecture, row.tensor)};
}

RuntimePlan runtime_plan(const records::Plan& plan, names::Runtime runtime,
                         const names::Architecture& architecture) {
  RuntimePlan mapped{.runtime = runtime, .architecture = architecture, .rows = {}};
  mapped.rows.reserve(plan.rows.size());
  for (const auto& row : plan.rows) {
    mapped.rows.push_back(in_runtime(row, runtime, mapped.architecture));
  }
  return mapped;
}

}  // namespace moesweep::plan
