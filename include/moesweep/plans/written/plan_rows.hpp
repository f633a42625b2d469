#pragma once
// The rows of a plan, matched with the tensors of the checkpoint that it must be of.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::written {

/// The row of each tensor of `source`, in its order. Error(bad_input), naming the tensors, when the
/// two do not have the same tensors with the same shapes and dtypes, or for an unknown action.
std::vector<const records::PlanRow*> rows_of_tensors(const checkpoint::Checkpoint& source,
                                                     const records::Plan& plan);

/// The row's tensor. Error(bad_input) when the checkpoint has no such tensor of this shape.
const checkpoint::Tensor& require_original(const checkpoint::Checkpoint& original,
                                           const records::PlanRow& row);

/// How the row quantizes, where that is affine or rtn with 2 to 8 bits; nothing otherwise.
std::optional<kernels::Quantizer> quantizer_of(const records::PlanRow& row);

/// "a, b, c, d, e (7 more)".
std::string some_of(std::span<const std::string> names);

/// Error(bad_input) unless `names` is empty: "<names> <problem>".
void refuse_if_any(std::span<const std::string> names, const std::string& problem,
                   const std::string& remedy);

}  // namespace moesweep::written
