#include <cmath>
#include <vector>

#include <moesweep/base/error.hpp>
#include <moesweep/stats/correlation.hpp>
#include <moesweep/stats/roc.hpp>

#include "moments.hpp"

namespace moesweep::stats {

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

}  // namespace moesweep::stats
