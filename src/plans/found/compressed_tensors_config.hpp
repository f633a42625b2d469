#pragma once
// quantization_config of a compressed-tensors checkpoint: which scheme a module is loaded with.
// Rules: match_name and match_class of compressed_tensors.utils.match.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <nlohmann/json.hpp>

#include "name_pattern.hpp"

namespace moesweep::found {

/// A list of targets: exact module names, "re:" and a pattern that matches from the name's start,
/// and names of classes, which match nothing here: a checkpoint doesn't tell them.
class Targets {
 public:
  /// Error(bad_input) for a pattern that NamePattern refuses.
  void add(const std::string& text);

  bool any_pattern_matches(const std::string& module) const;
  bool matches(const std::string& module) const {
    return names_.contains(module) || any_pattern_matches(module);
  }
  bool has_patterns() const { return !patterns_.empty(); }
  bool has_class() const { return has_class_; }
  const std::unordered_set<std::string>& names() const { return names_; }
  /// Names that could be modules', in the order of the list.
  const std::vector<std::string>& modules() const { return modules_; }

 private:
  std::vector<std::string> modules_;
  std::unordered_set<std::string> names_;  ///< those of modules and classes
  bool has_class_ = false;
  std::vector<NamePattern> patterns_;
};

struct WeightScheme {
  std::string group;  ///< key in config_groups
  std::int32_t bits = 0;
  std::int32_t group_size = 0;  ///< 0: one scale a row, or a matrix
  bool symmetric = true;
};

class CompressedTensorsConfig {
 public:
  /// Error(bad_input) for what cannot be read so, and for more than most_patterns patterns.
  explicit CompressedTensorsConfig(const nlohmann::json& config);

  bool is_there() const { return is_there_; }
  bool ignores(const std::string& module) const;
  /// Names before patterns before classes, as the library sorts targets. A class is taken to match
  /// every module. Nothing when no target does.
  std::optional<WeightScheme> scheme_of(const std::string& module) const;
  /// A target that speaks of this very name or matches it as a pattern.
  bool targets_by_name(const std::string& module) const;
  /// Exact names: those of targets that could be modules, and of `ignore`.
  std::vector<std::string> exact_names() const;

 private:
  struct Group {
    Targets targets;
    WeightScheme scheme;
  };

  Targets targets_under(const nlohmann::json& object, const char* key);
  void add_group(const std::string& name, const nlohmann::json& group);

  bool is_there_ = false;
  std::ptrdiff_t patterns_ = 0;  ///< in all lists
  // Each module is looked up: not in every group.
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::size_t> group_of_name_;  ///< the first that lists it
  std::vector<std::size_t> groups_with_patterns_;
  std::optional<std::size_t> group_with_class_;  ///< the first
  Targets ignored_;
};

}  // namespace moesweep::found
