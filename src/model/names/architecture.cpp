#include <algorithm>
#include <vector>

#include <moesweep/model/names/runtime.hpp>

#include "parts.hpp"

namespace moesweep::names {

std::span<const std::string_view> known_architectures() {
  static const auto names = [] {
    std::vector<std::string_view> known;
    for (const auto& family : families()) known.push_back(family.model_type);
    known.emplace_back("generic");
    return known;
  }();
  return names;
}

bool is_known_architecture(std::string_view model_type) {
  return std::ranges::find(known_architectures(), model_type) != known_architectures().end();
}

}  // namespace moesweep::names
