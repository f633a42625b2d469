#pragma once
// A tensor name is a path of components joined by dots.

#include <algorithm>
#include <string_view>
#include <vector>

namespace moesweep::names {

inline std::vector<std::string_view> components_of(std::string_view name) {
  std::vector<std::string_view> components;
  while (true) {
    const auto dot = name.find('.');
    components.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return components;
    name.remove_prefix(dot + 1);
  }
}

/// What a name's leaf belongs to: the component before `.weight`, else the last one.
inline std::string_view owner_of(const std::vector<std::string_view>& components) {
  const auto last = components.back();
  return last == "weight" && components.size() > 1 ? components[components.size() - 2] : last;
}

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

inline bool is_index(std::string_view component) {
  return !component.empty() && std::all_of(component.begin(), component.end(), is_digit);
}

template <typename Range>
bool is_one_of(std::string_view component, const Range& known) {
  return std::find(std::begin(known), std::end(known), component) != std::end(known);
}

}  // namespace moesweep::names
