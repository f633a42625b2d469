#include "evidence_examples.hpp"

#include <algorithm>

#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::jobs {
namespace {

// Appends what is known of span `slot`.
void add_span(SpanExamples& examples, const records::HiddenCacheInfo& info, std::int64_t slot) {
  examples.labels.push_back(info.cited[static_cast<std::size_t>(slot)]);
  examples.split.push_back(info.split[static_cast<std::size_t>(slot / info.spans)]);
  examples.slots.push_back(slot);
}

void require_train_spans(const SpanExamples& examples, const std::string& where) {
  if (std::find(examples.split.begin(), examples.split.end(), 0) != examples.split.end()) return;
  throw Error(ExitCode::bad_input, where, "has no span of the train split",
              "evidence heads learn from the train split");
}

}  // namespace

SpanExamples examples_of_spans(const records::HiddenCacheInfo& info,
                               const training::FeatureMatrix& span_means) {
  SpanExamples examples;
  training::FeatureMatrix features{0, span_means.columns, {}};
  for (std::int64_t slot = 0; slot < info.samples * info.spans; ++slot) {
    if (training::span_length(info, slot / info.spans, slot % info.spans) == 0) continue;
    add_span(examples, info, slot);
    const auto row = span_means.row(slot);
    features.values.insert(features.values.end(), row.begin(), row.end());
    ++features.rows;
  }
  require_train_spans(examples, info.variant);
  examples.on = standardized(std::move(features), examples.split);
  return examples;
}

SpanExamples examples_of_tokens(const store::HiddenCache& cache, const std::string& layer) {
  const auto& info = cache.info();
  auto states = cache.token_states(layer);
  SpanExamples examples;
  training::FeatureMatrix features{states.offsets.back(), info.hidden_dim,
                                   std::move(states.states)};
  // Tokens outside all spans teach nothing, not even the standardization.
  std::vector<std::int8_t> split_of_token(static_cast<std::size_t>(features.rows), -1);
  for (std::int64_t slot = 0; slot < states.samples * info.spans; ++slot) {
    if (training::span_length(info, slot / info.spans, slot % info.spans) == 0) continue;
    add_span(examples, info, slot);
    const auto first = states.offsets[static_cast<std::size_t>(slot / info.spans)];
    const auto* span = &info.span_tokens[static_cast<std::size_t>(2 * slot)];
    examples.tokens.push_back({first + span[0], first + span[1]});
    std::fill(split_of_token.begin() + first + span[0], split_of_token.begin() + first + span[1],
              examples.split.back());
  }
  require_train_spans(examples, cache.path().string());
  examples.on = standardized(std::move(features), split_of_token);
  return examples;
}

std::int64_t longest_span(const records::HiddenCacheInfo& info) {
  std::int64_t longest = 1;
  for (std::int64_t slot = 0; slot < info.samples * info.spans; ++slot) {
    longest = std::max(longest, training::span_length(info, slot / info.spans, slot % info.spans));
  }
  return longest;
}

}  // namespace moesweep::jobs
