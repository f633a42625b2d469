#pragma once
// Predictions of the seeds that vote together.

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/heads.hpp>

namespace moesweep::heads {

/// Head, layer, pooling, variant: variants of one source lie side by side.
struct GroupKey {
  std::string head, layer, pooling, variant;
  bool operator<(const GroupKey& other) const {
    return std::tie(head, layer, pooling, variant) <
           std::tie(other.head, other.layer, other.pooling, other.variant);
  }
};

/// A row with the names of the group.
template <typename Row>
Row row_of(const GroupKey& key) {
  Row row;
  row.variant = key.variant;
  row.head = key.head;
  row.layer = key.layer;
  row.pooling = key.pooling;
  return row;
}

/// One string a seed, in order of seeds. Heads of spans (pooling "span") decide nothing about
/// samples and are left out.
inline std::map<GroupKey, std::vector<std::string>> group_predictions(const records::Tables& rows,
                                                                      std::size_t samples) {
  std::map<GroupKey, std::map<std::int64_t, std::string>> by_seed;
  for (auto& row : records::rows_of<records::PredictionRow>(rows)) {
    if (row.pooling == "span") continue;
    expect(row.predicted.size() == samples, "a prediction of other samples");
    by_seed[{row.head, row.layer, row.pooling, row.variant}][row.seed] = std::move(row.predicted);
  }
  std::map<GroupKey, std::vector<std::string>> groups;
  for (auto& [key, seeds] : by_seed) {
    for (auto& [seed, predicted] : seeds) groups[key].push_back(std::move(predicted));
  }
  return groups;
}

}  // namespace moesweep::heads
