#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/nearest_pattern.hpp>
#include <moesweep/core/base/text.hpp>

namespace moesweep {
namespace {

constexpr std::string_view wildcards = "*?";

/// Runs of `length` components that follow one another in a name.
void add_runs(const std::string& name, std::size_t length, std::set<std::string>& runs) {
  const auto components = split_text(name, '.');
  for (std::size_t first = 0; first + length <= components.size(); ++first) {
    std::string run = components[first];
    for (std::size_t i = 1; i < length; ++i) run += "." + components[first + i];
    runs.insert(std::move(run));
  }
}

}  // namespace

std::optional<std::string> nearest_pattern(std::string_view pattern,
                                           std::span<const std::string> names) {
  const auto first = pattern.find_first_not_of("*?.");
  if (first == std::string_view::npos) return std::nullopt;
  const auto last = pattern.find_last_not_of("*?.") + 1;
  const auto text = pattern.substr(first, last - first);
  // A wildcard inside stands for text that no name has.
  if (text.find_first_of(wildcards) != std::string_view::npos) return std::nullopt;
  const auto length = static_cast<std::size_t>(std::ranges::count(text, '.')) + 1;
  std::set<std::string> runs;
  for (const auto& name : names) add_runs(name, length, runs);
  const auto nearest = nearest_name(text, std::vector<std::string>(runs.begin(), runs.end()));
  if (!nearest) return std::nullopt;
  return std::string(pattern.substr(0, first)) + *nearest + std::string(pattern.substr(last));
}

bool is_component_of(std::string_view pattern, std::span<const std::string> names) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    const auto components = split_text(name, '.');
    return std::ranges::find(components, pattern) != components.end();
  });
}

std::string remedy_for_pattern(std::string_view pattern, std::span<const std::string> names) {
  const auto nearest = nearest_pattern(pattern, names);
  return nearest ? fmt::format("did you mean \"{}\"?", printable(*nearest))
                 : "list the names with `moesweep inspect`";
}

}  // namespace moesweep
