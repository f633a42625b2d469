#pragma once
// Spans as the examples of evidence heads.

#include <string>
#include <vector>

#include <moesweep/analysis/training/trainer.hpp>
#include <moesweep/engine/store/hidden_cache.hpp>

#include "hidden_inputs.hpp"

namespace moesweep::jobs {

/// One example a span that is there.
struct SpanExamples {
  StandardizedFeatures on;                   ///< a row a span, or a token
  std::vector<training::TokenRange> tokens;  ///< rows of each span; empty when a row is a span
  std::vector<std::int8_t> labels;           ///< cited
  std::vector<std::int8_t> split;
  std::vector<std::int64_t> slots;  ///< position among [N * S]
};

SpanExamples examples_of_spans(const records::HiddenCacheInfo& info,
                               const training::FeatureMatrix& span_means);

/// Of the samples whose token states are cached.
SpanExamples examples_of_tokens(const store::HiddenCache& cache, const std::string& layer);

/// Tokens of the longest span.
std::int64_t longest_span(const records::HiddenCacheInfo& info);

}  // namespace moesweep::jobs
