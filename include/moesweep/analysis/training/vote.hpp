#pragma once
// Ensembles of heads: how many heads chose each class, and what the majority says.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace moesweep::training {

/// Who wins a tie. -1: there is no such class.
struct TieBreak {
  std::int8_t cautious_class = -1;   ///< the truth of the forbidden error (VETO): wins any tie
  std::int8_t dangerous_class = -1;  ///< its prediction (APPROVE): loses any tie
};

/// Votes [samples, classes] of heads that tell one decimal digit a sample: its class. All strings
/// are equally long and there is at least one; 1 <= classes <= 10.
std::vector<std::int32_t> vote_counts(std::span<const std::string> predictions,
                                      std::int64_t classes);

/// The class with the most votes, [samples]. Ties go to the cautious class if it is among the tied,
/// else to the lowest of them that is not the dangerous class.
std::vector<std::int8_t> majority_vote(std::span<const std::string> predictions,
                                       std::int64_t classes, const TieBreak& ties);

}  // namespace moesweep::training
