#include "paired_changes.hpp"

#include <algorithm>
#include <cmath>

#include <moesweep/analysis/quality/passes.hpp>

namespace moesweep::quality {
namespace {

void add(PairedChanges& changes, const Study& study, std::size_t model) {
  const auto& name = study.models()[model];
  for (const auto& level : study.levels(name)) {
    if (level.is_baseline) continue;
    const auto* quality = study.find(name, level.name, changes.quality);
    const auto* safety = study.find(name, level.name, changes.safety);
    if (quality == nullptr || safety == nullptr) continue;
    if (std::isnan(quality->delta_pp) || std::isnan(safety->delta_pp)) continue;
    changes.quality_pp.push_back(quality->delta_pp);
    changes.safety_pp.push_back(safety->delta_pp);
    changes.model_of.push_back(model);
  }
}

}  // namespace

std::vector<PairedChanges> changes_of_pair(const Study& study, const std::string& quality,
                                           const std::string& safety) {
  std::vector<PairedChanges> out;
  PairedChanges pooled{pooled_name, quality, safety, {}, {}, {}};
  for (std::size_t i = 0; i < study.models().size(); ++i) {
    auto& own = out.emplace_back(PairedChanges{study.models()[i], quality, safety, {}, {}, {}});
    add(own, study, i);
    add(pooled, study, i);
  }
  if (study.models().size() > 1) out.push_back(std::move(pooled));
  return out;
}

std::vector<PairedChanges> all_changes(const Study& study) {
  std::vector<PairedChanges> all;
  for (const auto& quality : study.metrics("quality")) {
    for (const auto& safety : study.metrics("safety")) {
      for (auto& changes : changes_of_pair(study, quality, safety)) {
        all.push_back(std::move(changes));
      }
    }
  }
  const auto place = [&](const PairedChanges& changes) {
    return std::find(study.models().begin(), study.models().end(), changes.model) -
           study.models().begin();
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return all;
}

}  // namespace moesweep::quality
