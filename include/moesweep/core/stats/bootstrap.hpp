#pragma once
// Bootstrap by counter: the elements of replicate r are a function of (seed, r) alone, so any
// threads or ranks may share the replicates out in any way, and the same seed resamples paired
// analyses alike.

#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/core/stats/interval.hpp>
#include <moesweep/core/stats/leave_one_out.hpp>

namespace moesweep::stats {

inline constexpr std::int64_t default_replicates = 10'000;

/// Replicates `first` to `first + count - 1` of the stream of `seed`.
struct Replicates {
  std::uint64_t seed = 0;
  std::int64_t first = 0;
  std::int64_t count = default_replicates;
};

/// Fills `indices` with draws from 0 .. indices.size() - 1 with replacement. Draw i is the high
/// half of the product of the size and a 64-bit word, word i % 2 of Philox 4x32-10 with key `seed`
/// and counter (i / 2, replicate low, replicate high, "boot"); its bias is below size / 2^64. Fewer
/// than 2^33 draws.
void draw_resample(std::uint64_t seed, std::int64_t replicate, std::span<std::int64_t> indices);

/// The statistic of each replicate of `elements` elements, in order of the replicates.
std::vector<double> bootstrap_replicates(const Statistic& statistic, std::int64_t elements,
                                         const Replicates& replicates);

/// Values added up by cluster: what is resampled when samples of a cluster are alike.
struct ClusterSums {
  std::vector<double> sums;
  std::vector<double> counts;  ///< none is 0
};

/// cluster_of[i] >= 0 is the cluster of values[i]; numbers need not be dense, clusters are kept in
/// order of their number. An empty `cluster_of` makes each value a cluster.
ClusterSums cluster_sums(std::span<const double> values, std::span<const std::int64_t> cluster_of);

/// Mean over all samples of the chosen clusters: sum of sums over sum of counts, so a cluster
/// weighs as many samples as it has. The result refers to `clusters`, which has to outlive it.
Statistic mean_over(const ClusterSums& clusters);

/// The mean without each cluster in turn: leave_one_out(mean_over(clusters)) but for rounding, in
/// time linear in the clusters. NaN without the only one.
std::vector<double> leave_one_out_means(const ClusterSums& clusters);

/// Quantile q in [0, 1] of ascending values by linear interpolation between order statistics
/// (type 7 of Hyndman and Fan, numpy's default). NaN of none.
double quantile(std::span<const double> ascending, double q);

/// Quantiles alpha/2 and 1 - alpha/2 of the replicates. NaN replicates (the statistic did not
/// exist) are left out. NaN of none, and where all are equal: resampling a constant says nothing.
Interval percentile_interval(std::span<const double> replicates, double alpha);

/// Bias-corrected and accelerated interval (Efron, JASA 82, 1987): bias from the share of
/// replicates below `observed`, equal ones counting half, acceleration from the leave-one-out
/// values. NaN are left out of both. Replicates that are all equal give NaN; so do replicates that
/// all lie on one side of `observed`, as the bias is unbounded, and infinite leave-one-out values.
Interval bca_interval(std::span<const double> replicates, double observed,
                      std::span<const double> leave_one_out, double alpha);

struct Bootstrap {
  std::int64_t elements = 0;   ///< clusters that were resampled
  std::int64_t undefined = 0;  ///< replicates whose statistic is NaN
  double observed = stats::undefined;
  double standard_error =
      stats::undefined;  ///< sample sd of the replicates; NaN when all are equal
  Interval percentile;
  Interval bca;
};

/// Intervals from replicates that were computed elsewhere, all of them or by parts; there are as
/// many elements as leave-one-out values. With fewer than two, intervals and standard error are
/// NaN: one element says nothing about another.
Bootstrap summarize_bootstrap(double observed, std::span<const double> leave_one_out,
                              std::span<const double> replicates, double alpha);

/// The same, observed and leave-one-out values computed here (`elements` times the statistic).
Bootstrap summarize_bootstrap(const Statistic& statistic, std::int64_t elements,
                              std::span<const double> replicates, double alpha);

/// All in one thread.
Bootstrap bootstrap(const Statistic& statistic, std::int64_t elements, const Replicates& replicates,
                    double alpha);

/// Of the mean; `cluster_of` as in cluster_sums.
Bootstrap bootstrap_mean(std::span<const double> values, std::span<const std::int64_t> cluster_of,
                         const Replicates& replicates, double alpha);

}  // namespace moesweep::stats
