#include "similar_names.hpp"

#include <functional>

namespace moesweep::found {
namespace {

/// Calls `use` with the name, then without its first component, and so on down to two components,
/// until it returns true.
void for_ends(std::string_view name, const std::function<bool(std::string_view)>& use) {
  while (name.find('.') != std::string_view::npos) {
    if (use(name)) return;
    name.remove_prefix(name.find('.') + 1);
  }
}

}  // namespace

SimilarNames::SimilarNames(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    for_ends(name, [&](std::string_view end) {
      const auto [place, is_new] = by_end_.try_emplace(std::string(end), name);
      if (!is_new) place->second.clear();
      return false;
    });
  }
}

std::string SimilarNames::like(std::string_view name) const {
  std::string found;
  for_ends(name, [&](std::string_view end) {
    const auto place = by_end_.find(end);
    if (place == by_end_.end()) return false;
    found = place->second;
    return true;
  });
  return found;
}

}  // namespace moesweep::found
