#include <map>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/stats/bootstrap.hpp>

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

Bootstrap bootstrap_mean(std::span<const double> values, std::span<const std::int64_t> cluster_of,
                         const Replicates& replicates, double alpha) {
  const auto clusters = cluster_sums(values, cluster_of);
  return bootstrap(mean_over(clusters), checked_cast<std::int64_t>(clusters.sums.size()),
                   replicates, alpha);
}

}  // namespace moesweep::stats
