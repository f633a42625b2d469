#include <algorithm>
#include <cmath>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/stats/correlation.hpp>
#include <moesweep/core/stats/paired.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {
namespace {

constexpr std::size_t most_exact = 50;

/// P(rank sum <= statistic): of the 2^count equally likely choices of signs, the share whose
/// positive ranks sum to at most that. Twice a rank is a whole number, with ties too; counts stay
/// below 2^50, hence exact.
double exact_lower_tail(double statistic, std::span<const double> ranks) {
  const auto count = ranks.size();
  std::vector<double> ways(count * (count + 1) + 1, 0.0);
  ways[0] = 1.0;
  std::size_t largest = 0;
  for (const double rank : ranks) {
    const auto doubled = static_cast<std::size_t>(2.0 * rank);
    for (std::size_t sum = largest + 1; sum-- > 0;) ways[sum + doubled] += ways[sum];
    largest += doubled;
  }
  double below = 0.0;
  for (std::size_t sum = 0; static_cast<double>(sum) <= 2.0 * statistic; ++sum) below += ways[sum];
  return std::ldexp(below, -checked_cast<int>(count));
}

/// Sum of t^3 - t over groups of t equal values; `sorted` ascending.
double tie_term(std::span<const double> sorted) {
  double term = 0.0;
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto last = std::upper_bound(first, sorted.end(), *first);
    const auto ties = static_cast<double>(last - first);
    term += ties * (ties * ties - 1.0);
    first = last;
  }
  return term;
}

double normal_two_sided(double statistic, double count, double ties) {
  const double mean = count * (count + 1.0) / 4.0;
  const double variance = (count * (count + 1.0) * (2.0 * count + 1.0) - 0.5 * ties) / 24.0;
  const double z = (statistic - mean) / std::sqrt(variance);
  return std::min(1.0, 2.0 * normal_cdf(-std::fabs(z)));
}

}  // namespace

Wilcoxon wilcoxon_signed_rank(std::span<const double> differences) {
  std::vector<double> sizes;
  std::vector<bool> is_positive;
  for (const double difference : differences) {
    if (difference == 0.0) continue;
    sizes.push_back(std::fabs(difference));
    is_positive.push_back(difference > 0.0);
  }
  const auto count = checked_cast<std::int64_t>(sizes.size());
  if (differences.empty()) return {};
  if (count == 0) return {0, 0.0, 1.0, true};
  double positive_sum = 0.0;
  double negative_sum = 0.0;
  const auto ranks = mid_ranks(sizes);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    (is_positive[i] ? positive_sum : negative_sum) += ranks[i];
  }
  const double statistic = std::min(positive_sum, negative_sum);
  if (sizes.size() <= most_exact) {
    return {count, statistic, std::min(1.0, 2.0 * exact_lower_tail(statistic, ranks)), true};
  }
  std::sort(sizes.begin(), sizes.end());
  return {count, statistic,
          normal_two_sided(statistic, static_cast<double>(count), tie_term(sizes)), false};
}

}  // namespace moesweep::stats
