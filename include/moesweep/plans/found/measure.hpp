#pragma once
// The error of weights as they were written, against the original's.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/plans/found/found.hpp>

namespace moesweep::found {

/// Whether weights of this format can be measured: MLX affine, compressed-tensors packed symmetric
/// integers, and plain checkpoints with dequantized values.
bool is_measurable(Format format);

struct MeasuredError {
  /// Sum of (w - w')^2: the difference in binary32, squares and sum in float64. w' is
  /// (q*scale)+bias for MLX and q*scale for compressed-tensors, each one binary32 step; for plain
  /// checkpoints what the plan's quantizer gives, before it is rounded to the stored dtype.
  double sse = 0;
  /// Plain checkpoints: weights that are not the rounded w'.
  std::int64_t different = 0;
};

/// Reads both checkpoints in blocks of rows; about 16 MiB for a call. Safe to use from many
/// threads.
class Measurement {
 public:
  /// `found` is what find_modules says of `written`. All three stay alive as long as this. Groups
  /// of plain checkpoints ran along the rows that the sweep has seen: `expert_patterns` are its.
  Measurement(const checkpoint::Checkpoint& written, const Found& found,
              const checkpoint::Checkpoint& original, const names::Architecture& architecture,
              std::vector<std::string> expert_patterns = {"experts"});
  ~Measurement();
  Measurement(const Measurement&) = delete;
  Measurement& operator=(const Measurement&) = delete;

  /// Of a tensor that the plan quantizes; nothing when it isn't stored so (compare() tells why).
  /// Error(bad_input) when the original has no such tensor of this shape.
  std::optional<MeasuredError> measure(const records::PlanRow& row) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What is wrong with a measured error; empty when it is the planned one to 1e-6 of it, or the plan
/// knows none.
std::string why_not_planned(const records::PlanRow& row, const MeasuredError& measured);

}  // namespace moesweep::found
