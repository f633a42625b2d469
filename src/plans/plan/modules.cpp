#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/model/names/fit.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/plan/modules.hpp>

namespace moesweep::plan {
namespace {

using records::PlanRow;

constexpr auto from_checkpoint =
    "make the plan from this checkpoint and for this runtime (allocate --for mlx, gguf or vllm)";

Storage storage_of(const PlanRow& row) {
  if (row.action != "quantize") return {};
  return {row.quantizer, row.bits, row.group_size};
}

std::string described(const Storage& storage) {
  if (storage.quantizer.empty()) return "kept";
  return fmt::format("{} {} bits group {}", storage.quantizer, storage.bits, storage.group_size);
}

names::Architecture with_layers(names::Architecture architecture, const records::Plan& plan) {
  if (architecture.layers > 0) return architecture;
  for (const auto& row : plan.rows) {
    architecture.layers = std::max(architecture.layers, names::layers_shown_by(row.tensor));
  }
  return architecture;
}

struct Unmapped {
  std::string tensor;
  std::string reason;
};

Error unmapped_error(const std::vector<Unmapped>& unmapped, std::size_t rows,
                     names::Runtime runtime) {
  constexpr std::size_t shown = 5;
  std::vector<std::string> some;
  for (const auto& [tensor, reason] : unmapped) {
    if (some.size() < shown) some.push_back(printable(tensor));
  }
  const auto more = unmapped.size() > shown ? fmt::format(" and {} more", unmapped.size() - shown)
                                            : std::string();
  return Error(ExitCode::bad_input, "plan",
               fmt::format("{} of {} tensors have no name in {}: {}{} ({})", unmapped.size(), rows,
                           names::runtime_name(runtime), fmt::join(some, ", "), more,
                           printable(unmapped.front().reason)),
               "name tensors as the checkpoint does, give their architecture (--architecture, "
               "--config), or leave them out (--allow-unmapped)");
}

/// An export without a single tensor is of no use.
Error nothing_mapped(const records::Plan& plan, const names::Architecture& architecture,
                     names::Runtime runtime) {
  std::vector<std::vector<std::int64_t>> shapes;
  for (const auto& row : plan.rows) shapes.push_back(shape_of(row));
  std::vector<names::NamedShape> tensors;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    tensors.push_back({plan.rows[i].tensor, shapes[i]});
  }
  return Error(ExitCode::bad_usage, "architecture " + architecture.model_type,
               fmt::format("has no name for any of the {} tensors", plan.rows.size()),
               names::remedy_for_architecture(runtime, architecture, tensors));
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

void check_action(const PlanRow& row, const names::Mapping& mapping,
                  std::span<const std::int64_t> shape, names::Runtime runtime) {
  const auto complain = [&](const std::string& problem) {
    return Error(ExitCode::bad_input, printable(row.tensor), problem, from_checkpoint);
  };
  if (row.action == "drop" && mapping.fate == names::Fate::mapped) {
    throw complain(
        fmt::format("is dropped in the plan, but {} loads it", names::runtime_name(runtime)));
  }
  if (row.action != "quantize") return;
  if (mapping.fate == names::Fate::dropped) {
    throw complain("is quantized in the plan, but dropped: " + mapping.reason);
  }
  if (!mapping.quantizable) {
    throw complain("is quantized in the plan, but can't be: " + mapping.reason);
  }
  if (row.group_size > 0 && shape.back() % row.group_size != 0) {
    throw complain(
        fmt::format("has rows of {} weights, no whole groups of {}", shape.back(), row.group_size));
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

void add_modules(const PlanRow& row, const names::Mapping& mapping, bool matrix,
                 Agreement& agreement, PlannedModules& planned) {
  const bool gguf = planned.runtime == names::Runtime::gguf;
  for (const auto& target : mapping.targets) {
    // A tensor that generic names quantizable has its module's name.
    const bool is_named = target.suffix.empty() && mapping.quantizable;
    if (!is_named && !holds_weights(planned.runtime, target.suffix)) continue;
    if (!matrix && !mapping.quantizable) continue;
    const auto name = gguf && !is_named ? target.module + ".weight" : target.module;
    agreement.add(name, row);
    planned.modules.emplace(name, PlannedModule{storage_of(row), &row});
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
  PlannedModules planned{.runtime = runtime,
                         .architecture = with_layers(architecture, plan),
                         .modules = {},
                         .unmapped = {}};
  std::vector<Unmapped> unmapped;
  Agreement modules;
  Agreement ties;
  for (const auto& row : plan.rows) {
    const auto shape = shape_of(row);
    const auto mapping = names::map_tensor(runtime, planned.architecture, row.tensor, shape);
    if (mapping.fate == names::Fate::unmapped) {
      unmapped.push_back({row.tensor, mapping.reason});
      continue;
    }
    check_action(row, mapping, shape, runtime);
    if (row.action == "quantize") check(row);
    if (runtime == names::Runtime::vllm && mapping.quantizable) {
      ties.add(names::tied_module(runtime, planned.architecture, row.tensor), row);
    }
    add_modules(row, mapping, is_matrix(shape), modules, planned);
  }
  if (!unmapped.empty() && !allow_unmapped) {
    throw unmapped_error(unmapped, plan.rows.size(), runtime);
  }
  if (!unmapped.empty() && unmapped.size() == plan.rows.size()) {
    throw nothing_mapped(plan, planned.architecture, runtime);
  }
  for (auto& [tensor, reason] : unmapped) planned.unmapped.push_back(std::move(tensor));
  return planned;
}

}  // namespace moesweep::plan
