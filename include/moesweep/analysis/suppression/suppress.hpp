#pragma once
// Suppression of irrelevant evidence in cached hidden states: a post-hoc edit of the states, which
// are not propagated through the model again. A span j of score s_j in [0, 1] is
//   soft_mask     h <- s_j h for each of its tokens
//   hard_mask     dropped when s_j < tau; a sample all of whose spans would be is left as it is
//   directional   h <- h - alpha (1 - s_j) (h.u) u, u = unit(mean of the uncited - mean of the
//                 cited span means of the train split, of this layer)
// and the sample is then pooled again:
//   last_token    the state of the last token
//   mean          + sum over spans of (tokens / n) (new - old span mean); hard_mask: the mean of
//                 the n - dropped tokens that remain
//   evidence_mean the mean of the (new or remaining) span means, weighted by their tokens
// All three edits are linear in h, so a span's mean changes as its tokens would.

#include <span>
#include <string>

#include <moesweep/analysis/suppression/setting.hpp>
#include <moesweep/analysis/training/features.hpp>
#include <moesweep/core/records/hidden_cache.hpp>
#include <moesweep/core/records/suppression.hpp>

namespace moesweep::suppression {

/// One layer of one variant; refers to what the caller holds.
struct LayerStates {
  const records::HiddenCacheInfo& info;
  const training::FeatureMatrix& pooled;      ///< [N, d] of last_token or mean; unused (may be
                                              ///< empty) for evidence_mean
  const training::FeatureMatrix& span_means;  ///< [N * S, d]
  std::span<const double> scores;             ///< [N * S]; of spans that are there in [0, 1]
};

/// Where the counts belong; only copied.
struct Names {
  std::string layer;
  std::string evidence_layer;
};

struct Suppressed {
  training::FeatureMatrix features;  ///< [N, d], not standardized
  records::SuppressionSettingRow counts;
};

/// Whether the last token of any sample lies in one of its spans.
bool spans_reach_last_token(const records::HiddenCacheInfo& info);

/// Features without suppression, equal bit for bit to those of a suppression that changes nothing.
/// Throws Error(bad_input) naming a sample without spans for evidence_mean.
training::FeatureMatrix baseline_features(const LayerStates& states, Pooling pooling);

/// Features with suppression, and what changed. A span that covers the last token changes
/// last_token as it changes any token; hard_mask cannot then know the token before it, and throws
/// Error(bad_input) naming the sample. So do missing or too few n_tokens for pooling mean, and a
/// train split without cited or uncited spans for directional.
Suppressed suppress(const LayerStates& states, const Setting& setting, const Names& names);

}  // namespace moesweep::suppression
