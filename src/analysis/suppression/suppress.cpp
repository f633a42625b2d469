#include <algorithm>
#include <utility>

#include <moesweep/analysis/suppression/suppress.hpp>
#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

#include "no_op.hpp"
#include "pool_again.hpp"

namespace moesweep::suppression {
namespace {

void expect_shapes(const LayerStates& states, Pooling pooling) {
  const std::int64_t spans = states.info.samples * states.info.spans;
  expect(states.span_means.rows == spans && std::cmp_equal(states.scores.size(), spans),
         "span means or scores of other samples");
  if (pooling == Pooling::evidence_mean) return;
  expect(states.pooled.rows == states.info.samples &&
             (spans == 0 || states.pooled.columns == states.span_means.columns),
         "pooled states of another shape than the span means");
}

std::vector<double> direction_for(const LayerStates& states, const Setting& setting) {
  if (setting.mode != Mode::directional || states.info.spans == 0) return {};
  return irrelevant_direction(states.info, states.span_means);
}

void count(const SampleSpans& spans, records::SuppressionSettingRow& counts) {
  counts.spans += static_cast<std::int64_t>(spans.spans.size());
  counts.spans_dropped += std::count_if(spans.spans.begin(), spans.spans.end(),
                                        [](const SampleSpan& span) { return span.is_dropped; });
  counts.samples_all_dropped += spans.all_below_tau ? 1 : 0;
}

}  // namespace

training::FeatureMatrix baseline_features(const LayerStates& states, Pooling pooling) {
  expect_shapes(states, pooling);
  return pooling == Pooling::evidence_mean ? training::evidence_mean(states.info, states.span_means)
                                           : states.pooled;
}

Suppressed suppress(const LayerStates& states, const Setting& setting, const Names& names) {
  const auto baseline = baseline_features(states, setting.pooling);
  Suppressed out{baseline, {}};
  auto& counts = out.counts;
  counts.variant = states.info.variant;
  counts.layer = names.layer;
  counts.pooling = pooling_name(setting.pooling);
  counts.mode = mode_name(setting.mode);
  counts.parameter = setting.mode == Mode::soft_mask ? 0.0 : setting.parameter;
  counts.evidence_layer = names.evidence_layer;

  const auto direction = direction_for(states, setting);
  const SpanEdit edit(setting, direction);
  PoolAgain pool_again(states, setting, edit);
  for (std::int64_t i = 0; i < states.info.samples; ++i) {
    const SampleSpans spans = spans_of_sample(states, setting, i);
    count(spans, counts);
    if (!spans.spans.empty()) pool_again(i, spans, out.features.row(i));
  }
  counts.values_changed = count_changed(baseline, out.features);
  if (counts.values_changed > 0) return out;
  counts.structural_no_op = 1;
  counts.reason = no_op_reason(
      setting, {.spans_reach_last_token = spans_reach_last_token(states.info),
                .has_direction = std::any_of(direction.begin(), direction.end(),
                                             [](double value) { return value != 0.0; }),
                .counts = &counts});
  return out;
}

}  // namespace moesweep::suppression
