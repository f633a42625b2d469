#pragma once
// One writer and one check a format.

#include <moesweep/plans/handoff/export_plan.hpp>
#include <moesweep/plans/plan/modules.hpp>

namespace moesweep::handoff {

PlanExport export_mlx(const plan::PlannedModules& planned);
PlanExport export_llama_cpp(const plan::PlannedModules& planned);
PlanExport export_compressed_tensors(const plan::PlannedModules& planned);
PlanExport export_gptqmodel(const plan::PlannedModules& planned);
PlanExport export_modelopt(const plan::PlannedModules& planned);

void check_mlx(const records::PlanRow& row);
void check_llama_cpp(const records::PlanRow& row);
void check_compressed_tensors(const records::PlanRow& row);
void check_gptqmodel(const records::PlanRow& row);
void check_modelopt(const records::PlanRow& row);

}  // namespace moesweep::handoff
