#include "compressed_tensors_config.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/base/error.hpp>

#include "config_json.hpp"

namespace moesweep::quantized {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ExitCode::bad_input, "config.json", "quantization_config: " + printable(problem));
}

std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 80;
  return std::string(text.substr(0, longest)) + (text.size() > longest ? "..." : "");
}

std::vector<Target> targets_under(const json& object, const char* key) {
  std::vector<Target> targets;
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return targets;
  if (!found->is_array()) refuse(fmt::format("\"{}\" is not a list", key));
  for (const auto& target : *found) {
    if (!target.is_string()) refuse(fmt::format("\"{}\" is not a list of texts", key));
    targets.emplace_back(target.get<std::string>());
  }
  const auto patterns = std::ranges::count_if(targets, &Target::is_pattern);
  if (patterns > most_patterns) {
    refuse(fmt::format("\"{}\" has {} patterns, more than {}", key, patterns, most_patterns));
  }
  return targets;
}

bool any_matches(const std::vector<Target>& targets, const std::string& module, bool patterns) {
  return std::ranges::any_of(targets, [&](const Target& target) {
    return target.is_pattern() == patterns && target.matches(module);
  });
}

// Names of modules have dots, or are few and well known; names of classes have none.
bool is_class(const Target& target) {
  const auto& text = target.text();
  return !target.is_pattern() && text.find('.') == std::string::npos && !text.empty() &&
         text.front() >= 'A' && text.front() <= 'Z';
}

}  // namespace

Target::Target(const std::string& text) : text_(text) {
  constexpr std::string_view prefix = "re:";
  if (!text.starts_with(prefix)) return;
  try {
    pattern_.emplace(std::string_view(text).substr(prefix.size()));
  } catch (const UnreadablePattern& error) {
    refuse(fmt::format("\"{}\" {}", shortened(text), error.what()));
  }
}

bool Target::matches(const std::string& module) const {
  return pattern_ ? pattern_->matches(module) : text_ == module;
}

CompressedTensorsConfig::CompressedTensorsConfig(const json& config) {
  const auto found = config.find("quantization_config");
  if (found == config.end()) return;
  if (!found->is_object()) refuse("is no object");
  is_there_ = true;
  ignored_ = targets_under(*found, "ignore");
  const auto groups = found->find("config_groups");
  if (groups == found->end()) return;
  if (!groups->is_object()) refuse("\"config_groups\" is no object");
  for (const auto& [name, group] : groups->items()) add_group(name, group);
}

void CompressedTensorsConfig::add_group(const std::string& name, const json& group) {
  if (!group.is_object()) refuse(fmt::format("\"{}\" is no object", name));
  Group made{.targets = targets_under(group, "targets"), .scheme = {.group = name}};
  const auto weights = group.find("weights");
  if (weights != group.end() && weights->is_object()) {
    made.scheme.bits = size_under(*weights, "num_bits", 8);
    // -1 is the library's word for one scale a row.
    const auto size = weights->find("group_size");
    if (size != weights->end() && *size != -1) {
      made.scheme.group_size = size_under(*weights, "group_size", 0);
    }
    made.scheme.symmetric = weights->value("symmetric", json(true)) == true;
  }
  groups_.push_back(std::move(made));
}

bool CompressedTensorsConfig::ignores(const std::string& module) const {
  return any_matches(ignored_, module, false) || any_matches(ignored_, module, true);
}

std::optional<WeightScheme> CompressedTensorsConfig::scheme_of(const std::string& module) const {
  for (const bool patterns : {false, true}) {
    for (const auto& group : groups_) {
      if (any_matches(group.targets, module, patterns)) return group.scheme;
    }
  }
  for (const auto& group : groups_) {
    if (std::ranges::any_of(group.targets, is_class)) return group.scheme;
  }
  return std::nullopt;
}

bool CompressedTensorsConfig::targets_by_name(const std::string& module) const {
  return std::ranges::any_of(groups_, [&](const Group& group) {
    return any_matches(group.targets, module, false) || any_matches(group.targets, module, true);
  });
}

std::vector<std::string> CompressedTensorsConfig::exact_names() const {
  std::vector<std::string> names;
  const auto add = [&](const std::vector<Target>& targets) {
    for (const auto& target : targets) {
      if (!target.is_pattern() && !is_class(target)) names.push_back(target.text());
    }
  };
  for (const auto& group : groups_) add(group.targets);
  add(ignored_);
  return names;
}

}  // namespace moesweep::quantized
