#pragma once
// How the state of a token, or the mean of a span's tokens, changes with the span's score.

#include <span>
#include <vector>

#include <moesweep/analysis/suppression/setting.hpp>
#include <moesweep/analysis/training/features.hpp>
#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::suppression {

/// unit(mean of the uncited - mean of the cited train span means); all zero when the two means are
/// the same. Spans weigh alike. Throws Error(bad_input) when the train split lacks either.
std::vector<double> irrelevant_direction(const records::HiddenCacheInfo& info,
                                         const training::FeatureMatrix& span_means);

/// Soft mask or direction; a hard mask drops whole spans and edits none.
class SpanEdit {
 public:
  SpanEdit(const Setting& setting, std::vector<double> direction)
      : mode_(setting.mode), alpha_(setting.parameter), direction_(std::move(direction)) {}

  /// The edited state, in float64, of as many elements as `state`. Equal to it when score is 1.
  void apply(double score, std::span<const float> state, std::span<double> edited) const;

 private:
  Mode mode_;
  double alpha_;
  std::vector<double> direction_;
};

}  // namespace moesweep::suppression
