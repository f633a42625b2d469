#include "span_edit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::suppression {
namespace {

/// Mean of the train span means with this flag, in float64 and row order.
std::vector<double> mean_of(const records::HiddenCacheInfo& info,
                            const training::FeatureMatrix& span_means, std::int8_t cited) {
  const auto splits = training::span_splits(info);
  std::vector<double> sum(static_cast<std::size_t>(span_means.columns), 0.0);
  double count = 0.0;
  for (std::size_t i = 0; i < splits.size(); ++i) {
    if (splits[i] != static_cast<std::int8_t>(records::Split::train) || info.cited[i] != cited) {
      continue;
    }
    const auto row = span_means.row(static_cast<std::int64_t>(i));
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += static_cast<double>(row[k]);
    count += 1.0;
  }
  if (count == 0.0) {
    throw Error(
        ExitCode::bad_input, info.variant,
        cited == 1 ? "the train split has no cited span" : "the train split has no uncited span",
        "directional suppression needs both: check `cited` of the cache");
  }
  for (double& value : sum) value /= count;
  return sum;
}

}  // namespace

std::vector<double> irrelevant_direction(const records::HiddenCacheInfo& info,
                                         const training::FeatureMatrix& span_means) {
  auto direction = mean_of(info, span_means, 0);
  const auto cited = mean_of(info, span_means, 1);
  for (std::size_t k = 0; k < direction.size(); ++k) direction[k] -= cited[k];
  const double length =
      std::sqrt(std::inner_product(direction.begin(), direction.end(), direction.begin(), 0.0));
  if (length == 0.0) return direction;
  for (double& value : direction) value /= length;
  return direction;
}

void SpanEdit::apply(double score, std::span<const float> state, std::span<double> edited) const {
  expect(mode_ != Mode::hard_mask, "a hard mask edits no state");
  if (mode_ == Mode::soft_mask) {
    for (std::size_t k = 0; k < state.size(); ++k) {
      edited[k] = score * static_cast<double>(state[k]);
    }
    return;
  }
  double along = 0.0;
  for (std::size_t k = 0; k < state.size(); ++k) {
    along += static_cast<double>(state[k]) * direction_[k];
  }
  const double taken = alpha_ * (1.0 - score) * along;
  if (taken == 0.0) {  // subtracting a negative zero would change the sign of another
    std::copy(state.begin(), state.end(), edited.begin());
    return;
  }
  for (std::size_t k = 0; k < state.size(); ++k) {
    edited[k] = static_cast<double>(state[k]) - taken * direction_[k];
  }
}

}  // namespace moesweep::suppression
