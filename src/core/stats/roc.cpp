#include <algorithm>
#include <cmath>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/correlation.hpp>
#include <moesweep/core/stats/roc.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {
namespace {

/// How far each score of one class lies above the other: the share of that class below it, equal
/// ones counting half (DeLong's structural components, from ranks as Sun and Xu, IEEE Signal
/// Processing Letters 21, 2014).
std::vector<double> shares_below(std::span<const double> ranks_in_all,
                                 std::span<const double> own_scores, std::size_t others) {
  const auto ranks_in_own = mid_ranks(own_scores);
  std::vector<double> shares;
  for (std::size_t i = 0; i < ranks_in_own.size(); ++i) {
    shares.push_back((ranks_in_all[i] - ranks_in_own[i]) / static_cast<double>(others));
  }
  return shares;
}

/// Of the mean of the values; 0 when they are equal.
double variance_of_mean(std::span<const double> values) {
  if (is_constant(values)) return 0.0;
  const auto count = static_cast<double>(values.size());
  return squares_about(values, mean_of(values)) / (count - 1.0) / count;
}

struct Classes {
  std::vector<double> scores[2];
  std::vector<double> ranks[2];  ///< among all
};

Classes classes_of(std::span<const double> scores, std::span<const std::int8_t> positive) {
  Classes classes;
  const auto ranks = mid_ranks(scores);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::size_t which = positive[i] == 0 ? 0 : 1;
    classes.scores[which].push_back(scores[i]);
    classes.ranks[which].push_back(ranks[i]);
  }
  return classes;
}

double logistic(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

}  // namespace

double roc_auc(std::span<const double> scores, std::span<const std::int8_t> positive) {
  expect(scores.size() == positive.size(), "a score without a class");
  const auto ranks = mid_ranks(scores);
  double rank_sum = 0.0;
  double positives = 0.0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (positive[i] == 0) continue;
    rank_sum += ranks[i];
    positives += 1.0;
  }
  const double negatives = static_cast<double>(ranks.size()) - positives;
  if (positives == 0.0 || negatives == 0.0) return undefined;
  return (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives);
}

Interval roc_auc_interval(std::span<const double> scores, std::span<const std::int8_t> positive,
                          double alpha) {
  expect(0.0 < alpha && alpha < 1.0, "a level outside of (0, 1)");
  const double auc = roc_auc(scores, positive);
  if (std::isnan(auc)) return {};
  const auto classes = classes_of(scores, positive);
  const auto negatives = classes.scores[0].size();
  const auto positives = classes.scores[1].size();
  const auto smaller = static_cast<double>(std::min(negatives, positives));
  if (auc == 1.0) return {std::exp(std::log(alpha) / smaller), 1.0};
  if (auc == 0.0) return {0.0, -std::expm1(std::log(alpha) / smaller)};
  if (smaller < 2.0) return {};
  const double variance =
      variance_of_mean(shares_below(classes.ranks[1], classes.scores[1], negatives)) +
      variance_of_mean(shares_below(classes.ranks[0], classes.scores[0], positives));
  if (variance == 0.0) return {};
  const double middle = std::log(auc) - std::log1p(-auc);
  const double half_width =
      normal_critical(alpha / 2.0) * std::sqrt(variance) / (auc * (1.0 - auc));
  return {logistic(middle - half_width), logistic(middle + half_width)};
}

}  // namespace moesweep::stats
