#pragma once
// The values of tensors that a plan keeps, as they were written, against the original's.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/plans/found/found.hpp>

namespace moesweep::found {

struct KeptValues {
  std::int64_t different = 0;  ///< weights that are not the original's
  /// Largest difference among them: infinite when one of the two is not finite, 0 when only a sign
  /// of zero differs; nothing when all are equal, or not floating-point.
  std::optional<double> largest;
  std::string why;           ///< what is wrong; empty when nothing is
  std::string not_compared;  ///< why some of its values were not looked at; empty when all were
};

/// Reads both checkpoints in blocks of rows; about 16 MiB for a call. Safe to use from many
/// threads.
class KeptComparison {
 public:
  /// `found` is what find_modules says of `written`. Everything stays alive as long as this.
  KeptComparison(const checkpoint::Checkpoint& written, const Found& found,
                 const checkpoint::Checkpoint& original, const names::Architecture& architecture);
  ~KeptComparison();
  KeptComparison(const KeptComparison&) = delete;
  KeptComparison& operator=(const KeptComparison&) = delete;

  /// Of a tensor that the plan keeps: bit for bit after what the runtime's loader makes of it
  /// (names::Transform: an axis moved, 1 added in binary32 and rounded to the dtype), rows and
  /// places in stacks too. In another floating-point dtype the values must be equal in binary32.
  /// Error(bad_input) when the original has no such tensor of this shape.
  KeptValues compare(const records::PlanRow& row) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moesweep::found
