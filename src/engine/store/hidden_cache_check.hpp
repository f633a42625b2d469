#pragma once
// What must hold in a cache beyond its shapes. All throw Error(bad_input) naming file and dataset.

#include <span>
#include <string>
#include <vector>

#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::store {

/// Samples, labels, splits, clusters, citations and spans.
void check_samples(const records::HiddenCacheInfo& info, const std::string& file_name);

/// problem_with_dataset_name() of "L1/mean" or "skills/tone".
void check_dataset_name(const std::string& dataset, const std::string& file_name);

/// Rows of states, for messages.
struct StateRows {
  std::size_t row_values;
  std::string row_name;  ///< "sample" or "token"
  std::string dataset;
  std::string file_name;
};
/// No NaN and no infinity among `values`, which begin with value `first` of the dataset.
void check_finite(std::span<const float> values, std::size_t first, const StateRows& rows);

}  // namespace moesweep::store
