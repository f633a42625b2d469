#pragma once
// Whether two cells differ: shares by Fisher's exact test, means by Welch's.

#include <string>

#include <moesweep/analysis/quality/study.hpp>
#include <moesweep/core/stats/undefined.hpp>
#include <moesweep/core/stats/welch.hpp>

namespace moesweep::quality {

struct Difference {
  std::string test{};  ///< "fisher" or "welch"; empty when there is none
  double p = stats::undefined;
  stats::Welch welch{};  ///< of shares too, as published tables have it; baseline less level
  double cohens_d = stats::undefined;
  std::string reason{};  ///< why there is no test
};

Difference test_difference(const records::CellRow& baseline, const records::CellRow& cell);

/// Why the two cannot be compared; empty when they can.
std::string why_uncomparable(const records::CellRow& baseline, const records::CellRow& cell);
/// Are both shares, to be compared as counts?
bool are_counts(const records::CellRow& baseline, const records::CellRow& cell);

}  // namespace moesweep::quality
