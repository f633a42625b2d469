#include "compressed_tensors_config.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

#include "config_size.hpp"

namespace moesweep::found {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ExitCode::bad_input, "config.json", "quantization_config: " + printable(problem));
}

std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 80;
  return std::string(text.substr(0, longest)) + (text.size() > longest ? "..." : "");
}

constexpr std::string_view pattern_prefix = "re:";

// Names of modules have dots, or are few and well known; names of classes have none.
bool is_class(const std::string& text) {
  return text.find('.') == std::string::npos && !text.empty() && text.front() >= 'A' &&
         text.front() <= 'Z';
}

}  // namespace

void Targets::add(const std::string& text) {
  if (!text.starts_with(pattern_prefix)) {
    names_.insert(text);
    if (is_class(text)) {
      has_class_ = true;
    } else {
      modules_.push_back(text);
    }
    return;
  }
  try {
    patterns_.emplace_back(std::string_view(text).substr(pattern_prefix.size()));
  } catch (const UnreadablePattern& error) {
    refuse(fmt::format("\"{}\" {}", shortened(text), error.what()));
  }
}

bool Targets::any_pattern_matches(const std::string& module) const {
  return std::ranges::any_of(patterns_,
                             [&](const NamePattern& pattern) { return pattern.matches(module); });
}

Targets CompressedTensorsConfig::targets_under(const json& object, const char* key) {
  Targets targets;
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return targets;
  if (!found->is_array()) refuse(fmt::format("\"{}\" is not a list", key));
  for (const auto& target : *found) {
    if (!target.is_string()) refuse(fmt::format("\"{}\" is not a list of texts", key));
    const auto& text = target.get_ref<const std::string&>();
    if (text.starts_with(pattern_prefix) && ++patterns_ > most_patterns) {
      refuse(fmt::format("has more than {} patterns in all its lists", most_patterns));
    }
    targets.add(text);
  }
  return targets;
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
  const auto index = groups_.size();
  for (const auto& module : made.targets.names()) group_of_name_.emplace(module, index);
  if (made.targets.has_patterns()) groups_with_patterns_.push_back(index);
  if (made.targets.has_class() && !group_with_class_) group_with_class_ = index;
  groups_.push_back(std::move(made));
}

bool CompressedTensorsConfig::ignores(const std::string& module) const {
  return ignored_.matches(module);
}

std::optional<WeightScheme> CompressedTensorsConfig::scheme_of(const std::string& module) const {
  if (const auto named = group_of_name_.find(module); named != group_of_name_.end()) {
    return groups_[named->second].scheme;
  }
  for (const auto group : groups_with_patterns_) {
    if (groups_[group].targets.any_pattern_matches(module)) return groups_[group].scheme;
  }
  if (group_with_class_) return groups_[*group_with_class_].scheme;
  return std::nullopt;
}

bool CompressedTensorsConfig::targets_by_name(const std::string& module) const {
  return group_of_name_.contains(module) ||
         std::ranges::any_of(groups_with_patterns_, [&](std::size_t group) {
           return groups_[group].targets.any_pattern_matches(module);
         });
}

std::vector<std::string> CompressedTensorsConfig::exact_names() const {
  std::vector<std::string> names;
  const auto add = [&](const Targets& targets) {
    names.insert(names.end(), targets.modules().begin(), targets.modules().end());
  };
  for (const auto& group : groups_) add(group.targets);
  add(ignored_);
  return names;
}

}  // namespace moesweep::found
