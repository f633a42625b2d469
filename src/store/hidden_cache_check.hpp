#pragma once
// What must hold in a cache beyond its shapes. All throw Error(bad_input) naming file and dataset.

#include <span>
#include <string>
#include <vector>

#include <moesweep/records/hidden_cache.hpp>

namespace moesweep::store {

/// Samples, labels, splits, clusters, citations and spans.
void check_samples(const records::HiddenCacheInfo& info, const std::string& file_name);

/// No NaN and no infinity. `values` holds equally many of each of `rows`, which `row_name` says.
void check_finite(std::span<const float> values, std::size_t rows, const std::string& row_name,
                  const std::string& dataset, const std::string& file_name);

}  // namespace moesweep::store
