#include <map>
#include <numeric>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/bootstrap.hpp>

#include "moments.hpp"

namespace moesweep::stats {

ClusterSums cluster_sums(std::span<const double> values, std::span<const std::int64_t> cluster_of) {
  if (cluster_of.empty()) {
    return {{values.begin(), values.end()}, std::vector<double>(values.size(), 1.0)};
  }
  expect(values.size() == cluster_of.size(), "a value without a cluster");
  struct Total {
    double sum = 0.0;
    double count = 0.0;
  };
  std::map<std::int64_t, Total> totals;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& total = totals[cluster_of[i]];
    total.sum += values[i];
    total.count += 1.0;
  }
  ClusterSums clusters;
  for (const auto& [cluster, total] : totals) {
    clusters.sums.push_back(total.sum);
    clusters.counts.push_back(total.count);
  }
  return clusters;
}

Statistic mean_over(const ClusterSums& clusters) {
  return [&clusters](std::span<const std::int64_t> indices) {
    double sum = 0.0;
    double count = 0.0;
    for (const auto index : indices) {
      const auto cluster = checked_cast<std::size_t>(index);
      sum += clusters.sums[cluster];
      count += clusters.counts[cluster];
    }
    return sum / count;
  };
}

std::vector<double> leave_one_out_means(const ClusterSums& clusters) {
  const double sum = std::accumulate(clusters.sums.begin(), clusters.sums.end(), 0.0);
  const double count = std::accumulate(clusters.counts.begin(), clusters.counts.end(), 0.0);
  std::vector<double> means(clusters.sums.size());
  for (std::size_t i = 0; i < means.size(); ++i) {
    means[i] = (sum - clusters.sums[i]) / (count - clusters.counts[i]);
  }
  if (means.size() == 1) means.front() = undefined;
  return means;
}

Bootstrap bootstrap_mean(std::span<const double> values, std::span<const std::int64_t> cluster_of,
                         const Replicates& replicates, double alpha) {
  const auto clusters = cluster_sums(values, cluster_of);
  const auto elements = checked_cast<std::int64_t>(clusters.sums.size());
  const auto mean = mean_over(clusters);
  if (elements == 0) return summarize_bootstrap(undefined, {}, {}, alpha);
  return summarize_bootstrap(statistic_of_all(mean, elements), leave_one_out_means(clusters),
                             bootstrap_replicates(mean, elements, replicates), alpha);
}

}  // namespace moesweep::stats
