#pragma once
// quantization_config of a compressed-tensors checkpoint: which scheme a module is loaded with.
// Rules: match_name and match_class of compressed_tensors.utils.match.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "name_pattern.hpp"

namespace moesweep::quantized {

/// An exact module name, "re:" and a pattern that matches from the name's start, or the name of a
/// class.
class Target {
 public:
  /// Error(bad_input) for a pattern that NamePattern refuses.
  explicit Target(const std::string& text);

  const std::string& text() const { return text_; }
  bool is_pattern() const { return pattern_.has_value(); }
  /// Classes match nothing here: a checkpoint doesn't tell them.
  bool matches(const std::string& module) const;

 private:
  std::string text_;
  std::optional<NamePattern> pattern_;
};

struct WeightScheme {
  std::string group;  ///< key in config_groups
  std::int32_t bits = 0;
  std::int32_t group_size = 0;  ///< 0: one scale a row, or a matrix
  bool symmetric = true;
};

class CompressedTensorsConfig {
 public:
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
    std::vector<Target> targets;
    WeightScheme scheme;
  };

  void add_group(const std::string& name, const nlohmann::json& group);

  bool is_there_ = false;
  std::vector<Group> groups_;
  std::vector<Target> ignored_;
};

}  // namespace moesweep::quantized
