#include "patterns.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace moesweep::handoff {
namespace {

bool is_index(std::string_view component) {
  return !component.empty() &&
         std::ranges::all_of(component, [](char c) { return c >= '0' && c <= '9'; });
}

struct ByNumber {
  bool operator()(const std::string& a, const std::string& b) const {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};
using Layers = std::set<std::string, ByNumber>;

std::string one_of(const auto& alternatives) {
  if (alternatives.size() == 1) return *alternatives.begin();
  return fmt::format("({})", fmt::join(alternatives, "|"));
}

}  // namespace

std::string escaped(std::string_view text) {
  constexpr std::string_view special = R"(\^$.|?*+()[]{})";
  std::string pattern;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

LayerModule layer_module(std::string_view module) {
  std::string_view before;
  for (std::size_t start = 0; start < module.size();) {
    const auto dot = std::min(module.find('.', start), module.size());
    const auto component = module.substr(start, dot - start);
    if (is_index(component) && start > 0 && !before.ends_with("experts")) {
      const auto rest = dot == module.size() ? std::string_view() : module.substr(dot + 1);
      return {std::string(module.substr(0, start - 1)), std::string(component), escaped(rest)};
    }
    before = component;
    start = dot + 1;
  }
  return {std::string(module), {}, {}};
}

std::vector<std::string> patterns_of(const std::vector<LayerModule>& modules,
                                     const std::function<std::string(std::string_view)>& stem) {
  std::set<std::pair<std::string, std::string>> whole;
  std::map<std::string, std::map<std::string, Layers>> layers_of;  // stem, rest
  for (const auto& module : modules) {
    if (module.layer.empty()) {
      whole.emplace(module.stem, module.rest);
    } else {
      layers_of[module.stem][module.rest].insert(module.layer);
    }
  }
  std::vector<std::string> patterns;
  for (const auto& [name, rest] : whole) {
    patterns.push_back(fmt::format("^{}{}$", stem(name), rest));
  }
  for (const auto& [prefix, rests] : layers_of) {
    std::map<std::vector<std::string>, std::vector<std::string>> alike;
    for (const auto& [rest, layers] : rests) {
      alike[{layers.begin(), layers.end()}].push_back(rest);
    }
    for (const auto& [layers, names] : alike) {
      const auto end =
          names == std::vector<std::string>{""} ? std::string() : "\\." + one_of(names);
      patterns.push_back(fmt::format("^{}\\.{}{}$", stem(prefix), one_of(layers), end));
    }
  }
  return patterns;
}

}  // namespace moesweep::handoff
