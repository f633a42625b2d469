#include "sample_spans.hpp"

#include <algorithm>

#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::suppression {
namespace {

bool holds_last_token(const records::HiddenCacheInfo& info, std::int64_t sample,
                      std::int64_t span) {
  if (info.n_tokens.empty() || training::span_length(info, sample, span) <= 0) return false;
  const auto at = static_cast<std::size_t>(2 * (sample * info.spans + span));
  return info.span_tokens[at + 1] >= info.n_tokens[static_cast<std::size_t>(sample)];
}

}  // namespace

SampleSpans spans_of_sample(const LayerStates& states, const Setting& setting,
                            std::int64_t sample) {
  const auto& info = states.info;
  SampleSpans found;
  for (std::int64_t j = 0; j < info.spans; ++j) {
    const std::int64_t tokens = training::span_length(info, sample, j);
    if (tokens <= 0) continue;
    const std::int64_t row = sample * info.spans + j;
    const double score = states.scores[static_cast<std::size_t>(row)];
    expect(0.0 <= score && score <= 1.0, "an evidence score outside [0, 1]");
    const bool is_dropped = setting.mode == Mode::hard_mask && score < setting.parameter;
    found.spans.push_back({row, tokens, score, is_dropped, holds_last_token(info, sample, j)});
  }
  const auto is_dropped = [](const SampleSpan& span) { return span.is_dropped; };
  found.all_below_tau =
      !found.spans.empty() && std::all_of(found.spans.begin(), found.spans.end(), is_dropped);
  if (found.all_below_tau) {
    for (SampleSpan& span : found.spans) span.is_dropped = false;
  }
  found.any_dropped = std::any_of(found.spans.begin(), found.spans.end(), is_dropped);
  return found;
}

bool spans_reach_last_token(const records::HiddenCacheInfo& info) {
  for (std::int64_t i = 0; i < info.samples; ++i) {
    for (std::int64_t j = 0; j < info.spans; ++j) {
      if (holds_last_token(info, i, j)) return true;
    }
  }
  return false;
}

}  // namespace moesweep::suppression
