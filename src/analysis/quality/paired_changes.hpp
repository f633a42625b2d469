#pragma once
// Changes of a quality and a safety metric, level by level.

#include <string>
#include <vector>

#include <moesweep/analysis/quality/study.hpp>

namespace moesweep::quality {

struct PairedChanges {
  std::string model;  ///< pooled_name for all
  std::string quality;
  std::string safety;
  std::vector<double> quality_pp;  ///< of levels that have both, baseline left out
  std::vector<double> safety_pp;
  std::vector<std::size_t> model_of;  ///< position in study.models()
};

/// Of one pair: each model, and all together when there are several.
std::vector<PairedChanges> changes_of_pair(const Study& study, const std::string& quality,
                                           const std::string& safety);
/// Of all pairs, quality by quality; of all pairs model by model, pooled last.
std::vector<PairedChanges> all_changes(const Study& study);

}  // namespace moesweep::quality
