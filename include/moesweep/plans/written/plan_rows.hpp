#pragma once
// The rows of a plan, matched with the tensors of the checkpoint that it must be of.

#include <map>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>

namespace moesweep::written {

/// The row of each tensor of `source`, in its order. Error(bad_input), naming the tensors, when the
/// two do not have the same tensors with the same shapes and dtypes, or for an unknown action.
std::vector<const records::PlanRow*> rows_of_tensors(const checkpoint::Checkpoint& source,
                                                     const records::Plan& plan);

/// The row's tensor. Error(bad_input) when the checkpoint has no such tensor of this shape.
const checkpoint::Tensor& require_original(const checkpoint::Checkpoint& original,
                                           const records::PlanRow& row);

/// "12 tensors (a, b, c, d, e, ...)"; up to five are named without a count.
std::string some_of(std::span<const std::string> names);

/// Tensors that cannot be written as planned, by reason.
class Refusals {
 public:
  /// `problem` goes on from the tensors' names: "are stored ...".
  void add(const std::string& problem, const std::string& name);
  /// Error(bad_input) with every reason, how many tensors it is of, and some of them.
  void throw_if_any(const std::string& remedy) const;

 private:
  std::map<std::string, std::vector<std::string>> names_;  // by problem
};

/// Error(bad_input) unless `names` is empty: "<names> <problem>".
void refuse_if_any(std::span<const std::string> names, const std::string& problem,
                   const std::string& remedy);

}  // namespace moesweep::written
