#pragma once
// Evidence spans of a cache: which are there, and the features that are made of them.

#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/analysis/training/features.hpp>
#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::training {

/// Tokens of span j of sample i; 0 when the sample has no such span.
std::int64_t span_length(const records::HiddenCacheInfo& info, std::int64_t i, std::int64_t j);

/// Split of each span, [N * S]: its sample's, -1 where there is no span.
std::vector<std::int8_t> span_splits(const records::HiddenCacheInfo& info);

/// Mean of the span means of a sample, weighted by their tokens, in float64: [N, d] of
/// `span_means` [N * S, d]. Throws Error(bad_input) naming a sample without any span.
FeatureMatrix evidence_mean(const records::HiddenCacheInfo& info, const FeatureMatrix& span_means);

}  // namespace moesweep::training
