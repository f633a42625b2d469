#pragma once
// `verify-plan --against`: what the weights of a checkpoint are, next to the original's.

#include <optional>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/plans/found/found.hpp>
#include <moesweep/plans/found/kept_values.hpp>
#include <moesweep/plans/found/measure.hpp>

#include "command.hpp"

namespace moesweep::cli {

/// A quantized tensor's error, planned and measured.
struct ErrorCheck {
  records::PlanRow row;
  std::optional<found::MeasuredError> measured;  ///< nothing: it can't be read
  std::string why;
};

/// A tensor that the plan keeps.
struct KeptCheck {
  records::PlanRow row;
  found::KeptValues values;
};

/// In the plan's order; tensors that it drops are in neither.
struct ValueChecks {
  std::vector<ErrorCheck> errors;
  std::vector<KeptCheck> kept;

  std::int64_t offenders() const;
};

struct ComparedCheckpoints {
  const checkpoint::Checkpoint& written;
  const found::Found& found;
  const checkpoint::Checkpoint& original;
  const names::Architecture& architecture;
};
/// Reads all of both checkpoints.
ValueChecks check_values(const records::Plan& plan, const ComparedCheckpoints& checkpoints);

/// ", squared errors of 7 of 7 tensors as planned, 5 of 5 kept tensors are the original's"; empty
/// when nothing was checked.
std::string values_text(const ValueChecks& checks);
/// A line with the tensors whose values nobody has looked at, and why; none without such.
void print_not_compared(const ValueChecks& checks);
/// `errors`, `kept` and `not_compared`.
void add_to(Json& document, const ValueChecks& checks);

}  // namespace moesweep::cli
