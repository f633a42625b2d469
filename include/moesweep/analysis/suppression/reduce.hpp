#pragma once
// What suppression does on the test split. Seeds are not samples: the primary inference asks what
// new samples would show; statistics over seeds say only that the runs repeat on these samples.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/suppression.hpp>
#include <moesweep/core/stats/bootstrap.hpp>

namespace moesweep::suppression {

struct ReduceInput {
  std::vector<records::SampleRow> samples;               ///< of the caches, any order
  std::vector<records::PredictionRow> without;           ///< baseline heads, any order
  std::vector<records::SuppressedPredictionRow> with;    ///< any order
  std::vector<records::SuppressionSettingRow> settings;  ///< any order
};

struct ReduceOptions {
  std::vector<std::string> label_names;  ///< by class
  std::string forbidden_truth;           ///< empty: there is no forbidden error
  std::string forbidden_predicted;
  std::int64_t replicates = stats::default_replicates;
  std::uint64_t seed = 0;  ///< of the bootstrap, the same for every row: they are paired
};

struct Reduced {
  std::vector<records::SuppressionPairRow> pairs;
  std::vector<records::SuppressionTestRow> tests;
};

/// For each variant, head, layer, pooling, mode and parameter (in that order) one test row for
/// accuracy over the test samples and, if there is a forbidden error, one for its rate over those
/// of the forbidden truth. d_i is the mean over paired seeds of (with - without), 0 or 1 each;
/// `effect` its mean. Student's t is over samples, or over clusters when samples name them: then
/// over the influence values effect + G/n sum_{i in c}(d_i - effect) of the G clusters, which is
/// the cluster-robust variance of the mean. McNemar's test compares the two majority votes. Holm
/// over all rows that have a p. A structural no-op has its reason and no number; neither has a
/// setting whose heads are missing.
Reduced reduce(const ReduceInput& input, const ReduceOptions& options);

}  // namespace moesweep::suppression
