#pragma once
// The same seeds with and without a suppression.

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/analysis/suppression/reduce.hpp>

namespace moesweep::suppression {

/// What the rows of a table are grouped and ordered by.
struct RunKey {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::string mode;
  double parameter = 0.0;

  auto operator<=>(const RunKey&) const = default;
};

struct PairedRuns {
  RunKey key;
  std::vector<std::int64_t> seeds;   ///< ascending, those that both sides have
  std::vector<std::string> without;  ///< predictions, one a seed
  std::vector<std::string> with;
  std::int64_t unpaired_seeds = 0;  ///< that only one side has
  std::string no_op_reason;         ///< empty unless it is a structural no-op
};

/// By key. A setting that no head was trained with is there too, without seeds, once for each
/// baseline head of its features (or with an empty head name).
std::vector<PairedRuns> pair_runs(const ReduceInput& input);

}  // namespace moesweep::suppression
