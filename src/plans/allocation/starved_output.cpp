#include <algorithm>
#include <span>

#include <fmt/format.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/allocation/starved_output.hpp>
#include <moesweep/plans/plan/family.hpp>

namespace moesweep::allocation {
namespace {

using records::PlanRow;

constexpr double fewer_bits = 2.0;

Tensor tensor_of(const PlanRow& row, std::span<const std::string> expert_patterns) {
  Tensor tensor;
  tensor.name = row.tensor;
  tensor.shape = records::shape_of(row);
  // Plans of 0.2 called poolers and classifiers heads.
  tensor.role = names::role_name(names::role_of(row.tensor, tensor.shape, expert_patterns));
  return tensor;
}

/// NaN when nothing else is quantized.
double mean_bits_without(const records::Plan& plan, const std::string& left_out) {
  double bits = 0.0, params = 0.0;
  for (const auto& row : plan.rows) {
    if (row.action != "quantize" || row.tensor == left_out) continue;
    params += static_cast<double>(row.params);
    bits += static_cast<double>(row.params) * row.bits;
  }
  return bits / params;
}

}  // namespace

std::optional<StarvedOutput> starved_output(const records::Plan& plan, const OutputFacts& facts) {
  std::vector<Tensor> tensors;
  const auto expert_patterns = plan::expert_patterns_of(plan);
  for (const auto& row : plan.rows) tensors.push_back(tensor_of(row, expert_patterns));
  const auto prior = prior_of(tensors, facts, {});
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& row = plan.rows[i];
    if (row.action != "quantize" || prior[i].value < counts_much) continue;
    // Counted as the prior does, or more: then it was weighed against the rest.
    if (plan.prior == "role" && !(row.alpha < prior[i].value)) continue;
    StarvedOutput starved{row.tensor, static_cast<double>(row.bits),
                          mean_bits_without(plan, row.tensor)};
    if (starved.mean_of_rest - starved.bits >= fewer_bits) return starved;
  }
  return std::nullopt;
}

std::string StarvedOutput::text() const {
  return fmt::format(
      "{} makes the logits and has {} bits, {:.1f} fewer than the mean of the rest: on real models "
      "such plans end worse than one format for all; make the plan again with `moesweep allocate` "
      "(docs/allocation.md, \"How good are the plans?\")",
      printable(tensor), bits, mean_of_rest - bits);
}

}  // namespace moesweep::allocation
