#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/plans/written/plan_rows.hpp>

namespace moesweep::written {
namespace {

constexpr std::size_t most_named = 5;

bool is_of(const records::PlanRow& row, const checkpoint::Tensor& tensor) {
  return row.shape == shape_text(tensor.shape) && row.dtype == dtype_name(tensor.dtype);
}

bool is_known(const std::string& action) {
  return action == "quantize" || action == "keep" || action == "drop";
}

}  // namespace

std::string some_of(std::span<const std::string> names) {
  const auto shown = names.first(std::min(names.size(), most_named));
  const auto text = fmt::format("{}", fmt::join(shown, ", "));
  return shown.size() == names.size() ? text
                                      : fmt::format("{} tensors ({}, ...)", names.size(), text);
}

void Refusals::add(const std::string& problem, const std::string& name) {
  names_[problem].push_back(name);
}

void Refusals::throw_if_any(const std::string& remedy) const {
  if (names_.empty()) return;
  const auto& [problem, names] = *names_.begin();
  auto text = problem;
  for (auto other = std::next(names_.begin()); other != names_.end(); ++other) {
    text += fmt::format("; {} {}", some_of(other->second), other->first);
  }
  throw Error(ExitCode::bad_input, some_of(names), text, remedy);
}

void refuse_if_any(std::span<const std::string> names, const std::string& problem,
                   const std::string& remedy) {
  if (names.empty()) return;
  throw Error(ExitCode::bad_input, some_of(names), problem, remedy);
}

const checkpoint::Tensor& require_original(const checkpoint::Checkpoint& original,
                                           const records::PlanRow& row) {
  const auto* const tensor = checkpoint::find_tensor(original, row.tensor);
  if (tensor == nullptr || tensor->shape != shape_of(row)) {
    throw Error(ExitCode::bad_input, original.directory.string(),
                fmt::format("has no tensor {} of the shape {}", row.tensor, row.shape),
                "name the checkpoint that the plan was made for");
  }
  return *tensor;
}

std::vector<const records::PlanRow*> rows_of_tensors(const checkpoint::Checkpoint& source,
                                                     const records::Plan& plan) {
  std::map<std::string_view, const records::PlanRow*> by_name;
  std::vector<std::string> twice, unknown_action, missing, different, foreign;
  for (const auto& row : plan.rows) {
    if (!by_name.emplace(row.tensor, &row).second) twice.push_back(row.tensor);
    if (!is_known(row.action)) unknown_action.push_back(row.tensor);
  }
  std::vector<const records::PlanRow*> rows;
  for (const auto& tensor : source.tensors) {
    const auto found = by_name.find(tensor.name);
    if (found == by_name.end()) {
      missing.push_back(tensor.name);
      continue;
    }
    if (!is_of(*found->second, tensor)) different.push_back(tensor.name);
    rows.push_back(found->second);
    by_name.erase(found);
  }
  for (const auto& [name, row] : by_name) foreign.emplace_back(name);
  const auto* remedy = "make a plan from a sweep of this checkpoint";
  refuse_if_any(twice, "are in the plan twice", remedy);
  refuse_if_any(unknown_action, "have an action other than quantize, keep and drop", remedy);
  refuse_if_any(missing, "are not in the plan", remedy);
  refuse_if_any(different, "have another shape or dtype in the plan", remedy);
  refuse_if_any(foreign, "are in the plan but not in the checkpoint", remedy);
  return rows;
}

}  // namespace moesweep::written
