#pragma once
// The rows of a plan in the names of a runtime: what modules its tensors become there, and what the
// runtime can't do as planned. Refusals are worded by whoever needs them.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::plan {

struct RuntimeRow {
  const records::PlanRow* row = nullptr;
  std::vector<std::int64_t> shape;
  names::Mapping mapping;
  std::string tie;  ///< names::tied_module: tensors that must be planned alike

  bool is_mapped() const { return mapping.fate == names::Fate::mapped; }
  bool is_unmapped() const { return mapping.fate == names::Fate::unmapped; }
  bool is_quantized() const { return row->action == "quantize"; }
  /// The plan stores it and the runtime has no place for it.
  bool is_homeless() const { return mapping.fate == names::Fate::dropped && row->action != "drop"; }
  /// The plan leaves it out and the runtime loads it.
  bool is_missed() const { return is_mapped() && row->action == "drop"; }
  /// The plan quantizes it and the runtime has a place for it as it is alone.
  bool is_unquantizable() const { return is_mapped() && is_quantized() && !mapping.quantizable; }
};

/// One row, which has to outlive it. Error(bad_input) when its shape is none.
RuntimeRow in_runtime(const records::PlanRow& row, names::Runtime runtime,
                      const names::Architecture& architecture);

struct RuntimePlan {
  names::Runtime runtime = names::Runtime::mlx;
  names::Architecture architecture;
  std::vector<RuntimeRow> rows;  ///< the plan's, in its order
};

/// All rows of `plan`, which has to outlive it.
RuntimePlan runtime_plan(const records::Plan& plan, names::Runtime runtime,
                         const names::Architecture& architecture);

}  // namespace moesweep::plan
