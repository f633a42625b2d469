#pragma once
// The samples of a job as its rows tell them, for what is computed from predictions alone.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/analysis/training/evaluation.hpp>
#include <moesweep/core/records/table.hpp>
#include <moesweep/core/stats/undefined.hpp>

namespace moesweep::training {

struct Samples {
  std::vector<std::string> label_names;  ///< by class
  std::vector<std::int8_t> label;        ///< [N]
  std::vector<std::int8_t> split;        ///< [N]
  std::vector<std::int64_t> cluster;     ///< [N], 0 .. clusters-1 in order of appearance

  /// -1 for a name that is not a class.
  std::int8_t class_named(const std::string& name) const;
  /// Positions of the samples of a split, ascending.
  std::vector<std::int64_t> of_split(std::int8_t which) const;
};

/// From cache/samples and cache/variants; empty when the rows have none.
Samples samples_of(const records::Tables& rows);

/// Mean of `values` and its standard error when samples of one cluster are not independent:
/// sqrt(C/(C-1) sum over clusters of (sum of deviations)^2)/n, with each sample a cluster of its
/// own (as when `cluster` is empty) sd/sqrt(n). NaN without values; the error also for one cluster,
/// and where clusters do not differ: an error of 0 would say that no other sample could.
struct MeanOverSamples {
  double mean = stats::undefined;
  double standard_error = stats::undefined;
};
MeanOverSamples mean_over_samples(const std::vector<double>& values,
                                  const std::vector<std::int64_t>& cluster = {});

}  // namespace moesweep::training
