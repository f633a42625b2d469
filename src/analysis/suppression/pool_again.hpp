#pragma once
// One sample, pooled again after its spans were edited or dropped.

#include <span>
#include <string>
#include <vector>

#include "sample_spans.hpp"
#include "span_edit.hpp"

namespace moesweep::suppression {

/// Owns the scratch space of a sample. Sums are float64 in the order of the spans; a feature that
/// nothing is added to keeps its bits.
class PoolAgain {
 public:
  PoolAgain(const LayerStates& states, const Setting& setting, const SpanEdit& edit);

  /// `feature` holds the baseline of the sample and receives the result. Throws as suppress() does.
  void operator()(std::int64_t sample, const SampleSpans& spans, std::span<float> feature);

 private:
  void last_token(std::int64_t sample, const SampleSpans& spans, std::span<float> feature);
  void mean(std::int64_t sample, const SampleSpans& spans, std::span<float> feature);
  void evidence_mean(const SampleSpans& spans, std::span<float> feature);
  std::int64_t tokens_of(std::int64_t sample, const SampleSpans& spans) const;
  void add_edited(const SampleSpan& span);
  void add_change(const SampleSpan& span, double tokens);
  void subtract(const SampleSpan& span);

  const LayerStates& states_;
  const Setting& setting_;
  const SpanEdit& edit_;
  std::vector<double> sum_;
  std::vector<double> edited_;
};

}  // namespace moesweep::suppression
