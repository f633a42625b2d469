#pragma once
// Caches of hidden states from arrays of numpy and safetensors.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::jobs {

/// Shares of samples by split, drawn within each label. Clusters stay whole.
struct RandomSplit {
  double train = 0.7;
  double calibration = 0.1;
  double test = 0.2;  ///< the three sum to 1; train and test are above 0
  std::uint64_t seed = 0;
};

struct ImportOptions {
  std::filesystem::path source;  ///< .npz, folder of .npy or .safetensors
  std::filesystem::path out;     ///< <variant>.h5
  /// Our name ("labels", "L1/mean") -> the array that holds it. Other arrays go by their own name.
  std::map<std::string, std::string> renamed;
  std::vector<std::string> label_names;  ///< by class; empty: "0", "1", ...
  std::string model;
  std::int64_t bits = 0;
  std::int64_t group_size = 0;
  std::int64_t model_bytes = 0;
  std::optional<RandomSplit> random_split;  ///< instead of an array `split`
  std::filesystem::path sample_ids;         ///< text file, one a line, instead of an array
};

struct ImportedCache {
  records::HiddenCacheInfo info;
  std::vector<std::string> datasets;  ///< states that were written, as <layer>/<name>
  std::vector<std::string> unused;    ///< arrays of the source that mean nothing to a cache
  std::int64_t bytes = 0;             ///< of the file
};

/// Arrays are named as the datasets of a cache: labels, split, sample_id (generated as s000000 when
/// missing), cluster, n_tokens, cited, span_tokens, <layer>/<pooling>, <layer>/span_mean,
/// <layer>/states with offsets, skills/<name>. One array of states is in memory at a time.
/// Error(bad_input) for what store::HiddenCache would refuse and for hostile sources,
/// Error(bad_usage) for options that do not fit the source.
ImportedCache import_cache(const ImportOptions& options);

}  // namespace moesweep::jobs
