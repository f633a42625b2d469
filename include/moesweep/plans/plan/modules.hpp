#pragma once
// A plan in the names of a runtime.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::plan {

/// A module of the runtime with weights of two or more axes.
struct PlannedModule {
  formats::Encoding storage;
  const records::PlanRow* row = nullptr;  ///< a tensor that it is made of
};

struct PlannedModules {
  names::Runtime runtime = names::Runtime::mlx;
  names::Architecture architecture;
  std::map<std::string, PlannedModule> modules;  ///< by name; for gguf with ".weight"
  std::vector<std::string> unmapped;
};

/// What a format can say: throws with refusal() when not.
using CheckStorage = void (*)(const records::PlanRow& row);

/// Error(bad_usage) naming the row.
Error refusal(const records::PlanRow& row, std::string_view format, const std::string& remedy);

/// Error(bad_input) for tensors without a place (unless allowed), quantized ones that the runtime
/// drops or can't quantize, and tensors that the runtime stores as one but the plan does not.
PlannedModules modules_of(const records::Plan& plan, const names::Architecture& architecture,
                          names::Runtime runtime, bool allow_unmapped, CheckStorage check);

}  // namespace moesweep::plan
