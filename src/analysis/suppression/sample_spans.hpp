#pragma once
// The spans of one sample, and which of them a hard mask drops.

#include <cstdint>
#include <vector>

#include <moesweep/analysis/suppression/setting.hpp>
#include <moesweep/analysis/suppression/suppress.hpp>

namespace moesweep::suppression {

struct SampleSpan {
  std::int64_t row;     ///< in span means and scores
  std::int64_t tokens;  ///< > 0
  double score;
  bool is_dropped;
  bool holds_last_token;
};

struct SampleSpans {
  std::vector<SampleSpan> spans;  ///< those that are there
  bool all_below_tau = false;     ///< then none is dropped
  bool any_dropped = false;
};

SampleSpans spans_of_sample(const LayerStates& states, const Setting& setting, std::int64_t sample);

}  // namespace moesweep::suppression
