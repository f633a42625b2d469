#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/jobs/containers.hpp>
#include <moesweep/core/base/error.hpp>

#include "container.hpp"

namespace moesweep::jobs {

Container mlx_container();
Container dequantized_container();

std::span<const Container> containers() {
  static const std::array all = {mlx_container(), dequantized_container()};
  return all;
}

const Container& container_named(std::string_view name) {
  const auto all = containers();
  const auto found = std::ranges::find(all, name, &Container::name);
  if (found == all.end()) bug("no such container: " + std::string(name));
  return *found;
}

std::vector<std::string> container_names() {
  std::vector<std::string> names;
  for (const auto& container : containers()) names.push_back(container.name);
  return names;
}

std::string container_help() {
  std::vector<std::string> helps;
  for (const auto& container : containers()) {
    helps.push_back(fmt::format("{}: {}", container.name, container.help));
  }
  return fmt::format("{}", fmt::join(helps, "; "));
}

}  // namespace moesweep::jobs
