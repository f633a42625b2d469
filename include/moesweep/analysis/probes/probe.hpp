#pragma once
// A linear probe: can this skill be read off the states of this layer?

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/analysis/training/features.hpp>
#include <moesweep/core/records/hidden_cache.hpp>
#include <moesweep/core/records/probes.hpp>

namespace moesweep::probes {

enum class ProbeKind : std::uint8_t { logistic, ridge };

/// As in job files and tables.
std::string_view probe_name(ProbeKind kind);
/// Nothing for a name that is none.
std::optional<ProbeKind> parse_probe(std::string_view name);

/// What a probe learns from, one row a sample or span.
struct ProbeData {
  training::FeatureMatrix features;  ///< [rows, d], not standardized
  std::vector<std::int8_t> labels;   ///< [rows], 0 .. classes-1 where the split is not -1
  std::vector<std::int8_t> split;    ///< [rows], a Split; -1: left out
  std::vector<std::int64_t> group;   ///< [rows]: rows of one group are not independent
  std::int64_t classes = 0;          ///< 2 to 10
};

/// A skill of samples. A label of -1 leaves its sample out; clusters are groups. Throws
/// Error(bad_input) naming `skill` when the labels are not one a sample or name no class.
ProbeData data_of_samples(const records::HiddenCacheInfo& info, training::FeatureMatrix features,
                          std::vector<std::int8_t> labels, std::int64_t classes,
                          const std::string& skill);

/// The skill "evidence": is this span cited? From `span_means` [N * S, d]; spans that are not there
/// are left out, those of one sample (or cluster) are a group.
ProbeData data_of_spans(const records::HiddenCacheInfo& info, training::FeatureMatrix span_means);

/// Names of a probe, copied into its rows.
struct ProbePlace {
  std::string variant;
  std::string layer;
  std::int32_t layer_index = 0;  ///< 0 is the bottom
  std::string skill;
  std::string pooling;
};

struct ProbeOptions {
  ProbeKind kind = ProbeKind::logistic;
  double l2 = 0.01;  ///< > 0 for ridge
};

struct ProbeResult {
  std::vector<records::ProbeRow> layers;  ///< one a split that has rows
  std::vector<records::ProbePredictionRow> predictions;
  bool converged = false;
};

/// Fits on the train split, standardized by it, and predicts every split. The standard error of an
/// accuracy is over groups (cluster-robust); the loss of ridge is NaN. Throws Error(bad_input) when
/// the train split has fewer than two classes.
ProbeResult run_probe(ProbeData data, const ProbePlace& place, const ProbeOptions& options);

}  // namespace moesweep::probes
