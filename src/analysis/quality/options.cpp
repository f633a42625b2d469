#include <algorithm>

#include <moesweep/analysis/quality/options.hpp>

namespace moesweep::quality {

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string role_of(const Options& options, const std::string& metric) {
  if (contains(options.quality, metric)) return "quality";
  if (contains(options.safety, metric)) return "safety";
  if (contains(options.capability, metric)) return "capability";
  return {};
}

}  // namespace moesweep::quality
