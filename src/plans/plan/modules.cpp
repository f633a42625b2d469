#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/model/names/fit.hpp>
#include <moesweep/plans/plan/modules.hpp>
#include <moesweep/plans/plan/runtime_plan.hpp>

namespace moesweep::plan {
namespace {

using records::PlanRow;

constexpr auto from_checkpoint =
    "make the plan from this checkpoint and for this runtime (allocate --for mlx, gguf or vllm)";

formats::Encoding storage_of(const PlanRow& row) {
  return row.action == "quantize" ? formats::encoding_of(row) : formats::Encoding{};
}

std::string described(const formats::Encoding& storage) {
  return storage.keeps() ? "kept" : formats::text_of(storage);
}

Error unmapped_error(const std::vector<const RuntimeRow*>& unmapped, const RuntimePlan& mapped) {
  constexpr std::size_t shown = 5;
  std::vector<std::string> some;
  for (const auto* each : unmapped) {
    if (some.size() < shown) some.push_back(printable(each->row->tensor));
  }
  const auto more = unmapped.size() > shown ? fmt::format(" and {} more", unmapped.size() - shown)
                                            : std::string();
  return Error(
      ExitCode::bad_input, "plan",
      fmt::format("{} of {} tensors have no name in {}: {}{} ({})", unmapped.size(),
                  mapped.rows.size(), names::runtime_name(mapped.runtime), fmt::join(some, ", "),
                  more, printable(unmapped.front()->mapping.reason)),
      "name tensors as the checkpoint does, give their architecture (--architecture, "
      "--config), or leave them out (--allow-unmapped)");
}

/// An export without a single tensor is of no use.
Error nothing_mapped(const RuntimePlan& mapped) {
  std::vector<names::NamedShape> tensors;
  for (const auto& each : mapped.rows) tensors.push_back({each.row->tensor, each.shape});
  const auto& architecture = mapped.architecture;
  return Error(ExitCode::bad_usage, "architecture " + architecture.model_type,
               fmt::format("has no name for any of the {} tensors", mapped.rows.size()),
               names::remedy_for_architecture(mapped.runtime, architecture, tensors));
}

// What is stored as one module must be planned as one.
class Agreement {
 public:
  void add(const std::string& module, const PlanRow& row) {
    const auto [known, added] = rows_.emplace(module, &row);
    const auto& first = *known->second;
    if (added || storage_of(first) == storage_of(row)) return;
    throw Error(ExitCode::bad_input, printable(module),
                fmt::format("is stored in one way, but the plan has {} {} and {} {}",
                            printable(first.tensor), described(storage_of(first)),
                            printable(row.tensor), described(storage_of(row))),
                from_checkpoint);
  }

 private:
  std::map<std::string, const PlanRow*> rows_;
};

void check_action(const RuntimeRow& mapped, names::Runtime runtime) {
  const auto& row = *mapped.row;
  const auto complain = [&](const std::string& problem) {
    return Error(ExitCode::bad_input, printable(row.tensor), problem, from_checkpoint);
  };
  if (mapped.is_missed()) {
    throw complain(
        fmt::format("is dropped in the plan, but {} loads it", names::runtime_name(runtime)));
  }
  if (!mapped.is_quantized()) return;
  if (mapped.is_homeless()) {
    throw complain("is quantized in the plan, but dropped: " + mapped.mapping.reason);
  }
  if (mapped.is_unquantizable()) {
    throw complain("is quantized in the plan, but can't be: " + mapped.mapping.reason);
  }
  const auto columns = mapped.shape.back();
  if (row.group_size > 0 && columns % row.group_size != 0) {
    throw complain(
        fmt::format("has rows of {} weights, no whole groups of {}", columns, row.group_size));
  }
}

bool is_matrix(std::span<const std::int64_t> shape) {
  return std::ranges::count_if(shape, [](std::int64_t side) { return side != 1; }) >= 2;
}

// In vLLM a stack has the name of its experts' module, and its own below that.
bool holds_weights(names::Runtime runtime, const std::string& suffix) {
  if (suffix == "weight") return true;
  return runtime == names::Runtime::vllm && !suffix.empty() && suffix != "bias" &&
         suffix != "weight_scale_inv";
}

void add_modules(const RuntimeRow& mapped, Agreement& agreement, PlannedModules& planned) {
  const auto& [row, shape, mapping, tie] = mapped;
  const bool gguf = planned.runtime == names::Runtime::gguf;
  for (const auto& target : mapping.targets) {
    // A tensor that generic names quantizable has its module's name.
    const bool is_named = target.suffix.empty() && mapping.quantizable;
    if (!is_named && !holds_weights(planned.runtime, target.suffix)) continue;
    if (!is_matrix(shape) && !mapping.quantizable) continue;
    const auto name = gguf && !is_named ? target.module + ".weight" : target.module;
    agreement.add(name, *row);
    planned.modules.emplace(name, PlannedModule{storage_of(*row), row});
  }
}

}  // namespace

Error refusal(const PlanRow& row, std::string_view format, const std::string& remedy) {
  return Error(
      ExitCode::bad_usage, printable(row.tensor),
      fmt::format("is planned as {}, which {} has no word for", described(storage_of(row)), format),
      remedy);
}

PlannedModules modules_of(const records::Plan& plan, const names::Architecture& architecture,
                          names::Runtime runtime, bool allow_unmapped, CheckStorage check) {
  const auto mapped = runtime_plan(plan, runtime, architecture);
  PlannedModules planned{
      .runtime = runtime, .architecture = mapped.architecture, .modules = {}, .unmapped = {}};
  std::vector<const RuntimeRow*> unmapped;
  Agreement modules;
  Agreement ties;
  for (const auto& each : mapped.rows) {
    if (each.is_unmapped()) {
      unmapped.push_back(&each);
      continue;
    }
    check_action(each, runtime);
    if (each.is_quantized()) check(*each.row);
    if (runtime == names::Runtime::vllm && each.mapping.quantizable) {
      ties.add(each.tie, *each.row);
    }
    add_modules(each, modules, planned);
  }
  if (!unmapped.empty() && !allow_unmapped) throw unmapped_error(unmapped, mapped);
  if (!unmapped.empty() && unmapped.size() == mapped.rows.size()) throw nothing_mapped(mapped);
  for (const auto* each : unmapped) planned.unmapped.push_back(each->row->tensor);
  return planned;
}

}  // namespace moesweep::plan
