#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::allocation {
namespace {

records::PlanRow row_of(const Tensor& tensor) {
  records::PlanRow row;
  row.tensor = tensor.name;
  row.shape = shape_text(tensor.shape);
  row.dtype = dtype_name(tensor.dtype);
  row.role = tensor.role;
  row.action = "keep";
  row.bits = checked_cast<std::int32_t>(dtype_bits(tensor.dtype));
  row.params = tensor.params();
  row.bytes = tensor.kept_bytes();
  row.sse = 0.0;
  row.sum_squares = tensor.sum_squares;
  return row;
}

void drop(records::PlanRow& row) {
  row.action = "drop";
  row.bits = 0;
  row.bytes = 0;
  row.sse = std::numeric_limits<double>::quiet_NaN();
}

void quantize(records::PlanRow& row, const Problem& problem, const Tensor& tensor,
              const Encoding& format) {
  row.module = tensor.decision;
  row.action = "quantize";
  formats::set_encoding(row, format);
  row.bytes = problem.stored_bytes(tensor, format);
  const auto sse = tensor.sse.find(format);
  row.sse = sse == tensor.sse.end() ? std::numeric_limits<double>::quiet_NaN() : sse->second;
}

}  // namespace

std::vector<records::PlanRow> plan_rows(const Problem& problem, const Decisions& decisions) {
  std::vector<records::PlanRow> rows;
  for (std::size_t i = 0; i < problem.tensors.size(); ++i) {
    const auto& tensor = problem.tensors[i];
    rows.push_back(row_of(tensor));
    rows.back().term = objective_term(tensor);
    rows.back().alpha = problem.alphas[i].value;
    rows.back().reason = problem.kept_because[i];
    if (tensor.fate == names::Fate::dropped) drop(rows.back());
    if (tensor.fate == names::Fate::unmapped) {
      rows.back().reason = fmt::format("unmapped: {}", tensor.reason);
    }
  }
  for (std::size_t module = 0; module < decisions.size(); ++module) {
    const auto& [choice, reason] = decisions[module];
    for (const auto i : problem.members[module]) {
      rows[i].reason = reason;
      if (choice.encoding.keeps()) continue;
      quantize(rows[i], problem, problem.tensors[i], choice.encoding);
    }
  }
  return rows;
}

}  // namespace moesweep::allocation
