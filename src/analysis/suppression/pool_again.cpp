#include "pool_again.hpp"

#include <algorithm>

#include <moesweep/core/base/error.hpp>

namespace moesweep::suppression {
namespace {

std::string place(const LayerStates& states, std::int64_t sample) {
  return states.info.variant + ", sample " +
         states.info.sample_id[static_cast<std::size_t>(sample)];
}

}  // namespace

PoolAgain::PoolAgain(const LayerStates& states, const Setting& setting, const SpanEdit& edit)
    : states_(states),
      setting_(setting),
      edit_(edit),
      sum_(static_cast<std::size_t>(states.span_means.columns)),
      edited_(sum_.size()) {}

void PoolAgain::operator()(std::int64_t sample, const SampleSpans& spans,
                           std::span<float> feature) {
  if (setting_.mode == Mode::hard_mask && !spans.any_dropped) return;
  std::fill(sum_.begin(), sum_.end(), 0.0);
  switch (setting_.pooling) {
    case Pooling::last_token:
      return last_token(sample, spans, feature);
    case Pooling::mean:
      return mean(sample, spans, feature);
    case Pooling::evidence_mean:
      return evidence_mean(spans, feature);
  }
}

void PoolAgain::last_token(std::int64_t sample, const SampleSpans& spans,
                           std::span<float> feature) {
  for (const SampleSpan& span : spans.spans) {
    if (!span.holds_last_token) continue;
    if (setting_.mode == Mode::hard_mask) {
      if (!span.is_dropped) continue;
      throw Error(ExitCode::bad_input, place(states_, sample),
                  "hard_mask drops the span that ends with the last token, and the state of the "
                  "token before it is not in the cache",
                  "use pooling mean or evidence_mean");
    }
    edit_.apply(span.score, feature, edited_);
    for (std::size_t k = 0; k < feature.size(); ++k) feature[k] = static_cast<float>(edited_[k]);
    return;
  }
}

std::int64_t PoolAgain::tokens_of(std::int64_t sample, const SampleSpans& spans) const {
  const auto& n_tokens = states_.info.n_tokens;
  if (n_tokens.empty()) {
    throw Error(ExitCode::bad_input, states_.info.variant,
                "the cache has no n_tokens, which suppression under pooling mean needs",
                "add n_tokens, or use pooling evidence_mean");
  }
  const std::int64_t tokens = n_tokens[static_cast<std::size_t>(sample)];
  std::int64_t in_spans = 0;
  for (const SampleSpan& span : spans.spans) in_spans += span.tokens;
  if (in_spans > tokens) {
    throw Error(ExitCode::bad_input, place(states_, sample),
                "its spans have " + std::to_string(in_spans) + " tokens, the sample only " +
                    std::to_string(tokens),
                "check span_tokens and n_tokens; spans must not overlap");
  }
  return tokens;
}

void PoolAgain::add_change(const SampleSpan& span, double tokens) {
  const auto old = states_.span_means.row(span.row);
  edit_.apply(span.score, old, edited_);
  const double share = static_cast<double>(span.tokens) / tokens;
  for (std::size_t k = 0; k < sum_.size(); ++k) {
    sum_[k] += share * (edited_[k] - static_cast<double>(old[k]));
  }
}

void PoolAgain::subtract(const SampleSpan& span) {
  const auto old = states_.span_means.row(span.row);
  for (std::size_t k = 0; k < sum_.size(); ++k) {
    sum_[k] -= static_cast<double>(span.tokens) * static_cast<double>(old[k]);
  }
}

void PoolAgain::mean(std::int64_t sample, const SampleSpans& spans, std::span<float> feature) {
  const auto tokens = static_cast<double>(tokens_of(sample, spans));
  if (setting_.mode != Mode::hard_mask) {
    for (const SampleSpan& span : spans.spans) add_change(span, tokens);
    for (std::size_t k = 0; k < feature.size(); ++k) {
      if (sum_[k] == 0.0) continue;
      feature[k] = static_cast<float>(static_cast<double>(feature[k]) + sum_[k]);
    }
    return;
  }
  double remaining = tokens;
  for (const SampleSpan& span : spans.spans) {
    if (!span.is_dropped) continue;
    subtract(span);
    remaining -= static_cast<double>(span.tokens);
  }
  for (std::size_t k = 0; k < feature.size(); ++k) {
    feature[k] =
        static_cast<float>((tokens * static_cast<double>(feature[k]) + sum_[k]) / remaining);
  }
}

void PoolAgain::add_edited(const SampleSpan& span) {
  const auto old = states_.span_means.row(span.row);
  if (setting_.mode == Mode::hard_mask) {
    std::copy(old.begin(), old.end(), edited_.begin());
  } else {
    edit_.apply(span.score, old, edited_);
  }
  for (std::size_t k = 0; k < sum_.size(); ++k) {
    sum_[k] += static_cast<double>(span.tokens) * edited_[k];
  }
}

void PoolAgain::evidence_mean(const SampleSpans& spans, std::span<float> feature) {
  double tokens = 0.0;
  for (const SampleSpan& span : spans.spans) {
    if (span.is_dropped) continue;
    add_edited(span);
    tokens += static_cast<double>(span.tokens);
  }
  for (std::size_t k = 0; k < feature.size(); ++k) {
    feature[k] = static_cast<float>(sum_[k] / tokens);
  }
}

}  // namespace moesweep::suppression
