#pragma once
// Modules that have the same name but for what it begins with: a wrong prefix is the usual reason
// why a plan was ignored.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace moesweep::found {

class SimilarNames {
 public:
  explicit SimilarNames(const std::vector<std::string>& names);
  /// The only name with the longest common end of at least two components; empty when there is
  /// none, or more than one.
  std::string like(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> by_end_;  // empty: several names end so
};

}  // namespace moesweep::found
