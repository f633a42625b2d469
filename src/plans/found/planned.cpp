#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/found/compare.hpp>
#include <moesweep/plans/plan/runtime_plan.hpp>

#include "module_tensors.hpp"

namespace moesweep::found {
namespace {

/// Part of a row's numbers that falls to a target with some of the rows.
struct Share {
  std::int64_t rows = 1;
  std::int64_t of = 1;

  std::int64_t part(std::int64_t whole) const {
    // In 128 bits: a whole may be near 2^63.
    return static_cast<std::int64_t>(static_cast<__int128>(whole) * rows / of);
  }
};

Share share_of(const names::RuntimeTensor& target, const std::vector<std::int64_t>& shape) {
  if (target.rows < 0 || shape.empty()) return {};
  // Of no rows nothing falls to anyone.
  return {target.rows, std::max<std::int64_t>(1, shape[shape.size() < 2 ? 0 : shape.size() - 2])};
}

bool stored_alike(const PlannedModule& module, const records::PlanRow& row) {
  return module.encoding == formats::encoding_of(row) && module.dropped == (row.action == "drop");
}

class Planner {
 public:
  explicit Planner(names::Runtime runtime) : runtime_(runtime) {}

  void add(const plan::RuntimeRow& mapped) {
    const auto& row = *mapped.row;
    const auto& shape = mapped.shape;
    const auto& mapping = mapped.mapping;
    if (!mapped.is_mapped()) return add_without_place(mapped);
    for (const auto& target : mapping.targets) {
      if (is_unstacked(row, target, shape)) {
        add_experts(row, target, shape);
      } else {
        // "weight" is what a module is about; a bias stands for itself.
        const auto name =
            target.suffix == "weight" ? target.module : tensor_name(target.module, target.suffix);
        add_part(name, row, shape, share_of(target, shape), mapping);
      }
    }
  }

  std::vector<PlannedModule> modules() {
    std::vector<PlannedModule> modules;
    for (auto& [name, module] : modules_) modules.push_back(std::move(module));
    return modules;
  }

 private:
  PlannedModule& module_named(const std::string& name, const records::PlanRow& row) {
    auto& module = modules_[name];
    if (module.tensors.empty()) {
      module.name = name;
      module.encoding = formats::encoding_of(row);
      module.dropped = row.action == "drop";
    } else if (!stored_alike(module, row) && module.problem.empty()) {
      module.problem = fmt::format("the plan stores {} and {} of it differently",
                                   module.tensors.front(), row.tensor);
    }
    module.tensors.push_back(row.tensor);
    return module;
  }

  void add_part(const std::string& name, const records::PlanRow& row,
                const std::vector<std::int64_t>& shape, const Share& share,
                const names::Mapping& mapping) {
    auto& module = module_named(name, row);
    module.columns = shape.empty() ? 1 : shape.back();
    module.params += share.part(row.params);
    module.bytes += share.part(row.bytes);
    if (module.encoding.keeps() || mapping.quantizable || !module.problem.empty()) return;
    module.problem = "is planned quantized, and the runtime can't hold it so" +
                     (mapping.reason.empty() ? "" : ": " + mapping.reason);
  }

  /// compressed-tensors has a module for each matrix of a fused stack.
  bool is_unstacked(const records::PlanRow& row, const names::RuntimeTensor& target,
                    const std::vector<std::int64_t>& shape) const {
    return runtime_ == names::Runtime::vllm && row.action == "quantize" && shape.size() == 3 &&
           (target.suffix == "gate_up_proj" || target.suffix == "down_proj");
  }

  void add_experts(const records::PlanRow& row, const names::RuntimeTensor& target,
                   const std::vector<std::int64_t>& shape) {
    constexpr std::int64_t most_experts = 1 << 16;
    if (shape[0] > most_experts) {
      throw Error(ExitCode::bad_input, fmt::format("tensor {} of the plan", row.tensor),
                  fmt::format("has {} experts", shape[0]), "give the plan as it was allocated");
    }
    const std::vector<std::string_view> projections =
        target.suffix == "down_proj" ? std::vector<std::string_view>{"down_proj"}
                                     : std::vector<std::string_view>{"gate_proj", "up_proj"};
    const Share share{1, shape[0] * static_cast<std::int64_t>(projections.size())};
    names::Mapping quantizable;
    quantizable.quantizable = true;
    for (std::int64_t expert = 0; expert < shape[0]; ++expert) {
      for (const auto projection : projections) {
        add_part(fmt::format("{}.{}.{}", target.module, expert, projection), row, shape, share,
                 quantizable);
      }
    }
  }

  void add_without_place(const plan::RuntimeRow& mapped) {
    const auto& row = *mapped.row;
    const auto& reason = mapped.mapping.reason;
    auto& module = module_named(row.tensor, row);
    if (row.action == "drop") return;
    const auto* const what =
        mapped.is_homeless() ? "the runtime leaves it out" : "no name is known";
    module.problem =
        fmt::format("{} for {} in {}{}", what, row.tensor, names::runtime_name(runtime_),
                    reason.empty() ? "" : ": " + reason);
  }

  names::Runtime runtime_;
  std::map<std::string, PlannedModule> modules_;
};

}  // namespace

std::vector<PlannedModule> planned_modules(const records::Plan& plan, names::Runtime runtime,
                                           const names::Architecture& architecture) {
  const auto mapped = plan::runtime_plan(plan, runtime, architecture);
  Planner planner(runtime);
  for (const auto& row : mapped.rows) planner.add(row);
  return planner.modules();
}

}  // namespace moesweep::found
