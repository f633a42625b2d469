#pragma once
// Additive attention over the tokens of a span: from [tokens, d] to one vector a span.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "dense.hpp"

namespace moesweep::training {

/// Scores v . tanh(W h + b), softmax within the span, weighted mean of h.
template <typename Real>
class Attention {
 public:
  Attention(std::int64_t inputs, std::int64_t width) : scores_of(inputs, width), v(width) {}

  /// Span i has the tokens first[i] .. first[i+1]-1 of `tokens` [.., d], at least one. Fills pooled
  /// [spans, d].
  void forward(const Real* tokens, std::span<const std::int64_t> first, Real* pooled) {
    const auto width = scores_of.outputs;
    const auto d = scores_of.inputs;
    hidden_.resize(checked_cast<std::size_t>(first.back() * width));
    shares_.resize(checked_cast<std::size_t>(first.back()));
    scores_of.forward(tokens, first.back(), hidden_.data());
    for (auto& value : hidden_) value = std::tanh(value);
    for (std::int64_t t = 0; t < first.back(); ++t) {
      Real score{0};
      for (std::int64_t j = 0; j < width; ++j) score += hidden_at(t, j) * v.value[at(j)];
      shares_[at(t)] = score;
    }
    for (std::size_t i = 0; i + 1 < first.size(); ++i) {
      softmax(first[i], first[i + 1]);
      Real* out = pooled + static_cast<std::int64_t>(i) * d;
      std::fill_n(out, d, Real{0});
      for (auto t = first[i]; t < first[i + 1]; ++t) {
        for (std::int64_t k = 0; k < d; ++k) out[k] += shares_[at(t)] * tokens[t * d + k];
      }
    }
  }

  /// From the gradient by pooled [spans, d]; after forward() of the same tokens.
  void backward(const Real* tokens, std::span<const std::int64_t> first, const Real* d_pooled,
                GradientSink<Real>& sink) {
    const auto width = scores_of.outputs;
    const auto d = scores_of.inputs;
    score_slopes_.resize(shares_.size());
    for (std::size_t i = 0; i + 1 < first.size(); ++i) {
      const Real* by_pooled = d_pooled + static_cast<std::int64_t>(i) * d;
      Real mean{0};
      for (auto t = first[i]; t < first[i + 1]; ++t) {
        Real slope{0};
        for (std::int64_t k = 0; k < d; ++k) slope += by_pooled[k] * tokens[t * d + k];
        score_slopes_[at(t)] = slope;
        mean += shares_[at(t)] * slope;
      }
      for (auto t = first[i]; t < first[i + 1]; ++t) {
        score_slopes_[at(t)] = shares_[at(t)] * (score_slopes_[at(t)] - mean);
      }
    }
    v_gradient_.assign(checked_cast<std::size_t>(width), Real{0});
    for (std::int64_t t = 0; t < first.back(); ++t) {
      for (std::int64_t j = 0; j < width; ++j) {
        Real& hidden = hidden_at(t, j);
        v_gradient_[at(j)] += score_slopes_[at(t)] * hidden;
        hidden = score_slopes_[at(t)] * v.value[at(j)] * (Real{1} - hidden * hidden);
      }
    }
    scores_of.backward(tokens, first.back(), hidden_.data(), sink);
    sink.take(v, 0, v_gradient_);
  }

  Dense<Real> scores_of;  ///< W and b
  Parameter<Real> v;

 private:
  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
  Real& hidden_at(std::int64_t token, std::int64_t j) {
    return hidden_[at(token * scores_of.outputs + j)];
  }

  // Of the scores in shares_[begin, end), in place.
  void softmax(std::int64_t begin, std::int64_t end) {
    const auto scores = std::span(shares_).subspan(at(begin), at(end - begin));
    const Real largest = *std::max_element(scores.begin(), scores.end());
    Real sum{0};
    for (auto& score : scores) sum += score = std::exp(score - largest);
    for (auto& score : scores) score /= sum;
  }

  std::vector<Real> hidden_;        ///< [tokens, width], tanh(W h + b), then gradients before tanh
  std::vector<Real> shares_;        ///< [tokens]
  std::vector<Real> score_slopes_;  ///< [tokens]
  std::vector<Real> v_gradient_;
};

}  // namespace moesweep::training
