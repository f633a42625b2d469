#pragma once
// What each runtime makes of an exported plan, by that runtime's own rules of matching, written
// anew from its documentation and source. `matches` counts the patterns that speak of a module.

#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "plan_samples.hpp"

namespace moesweep::test {

struct Found {
  std::optional<Setting> setting;  ///< nothing: no entry speaks of it; no quantizer: kept
  int matches = 0;
};

struct Rule {
  std::string pattern;
  std::regex regex;
  Setting setting;
};

/// Exact paths; what is not listed takes the globals.
class MlxRules {
 public:
  explicit MlxRules(const std::string& json);
  Found find(const std::string& module) const;
  Setting globals;

 private:
  std::vector<std::pair<std::string, Setting>> modules_;
};

/// White space between `pattern=type`, patterns in lower case, searched for anywhere, first match
/// wins. `quantizer` is the type's name.
class LlamaCppRules {
 public:
  explicit LlamaCppRules(const std::string& text);
  Found find(const std::string& tensor) const;

 private:
  std::vector<Rule> rules_;
};

/// Targets and `ignore`, `re:` matched from the beginning of the name; targets in sorted order.
class CompressedTensorsRules {
 public:
  explicit CompressedTensorsRules(const std::string& json);
  Found find(const std::string& module) const;
  std::string format;

 private:
  std::vector<Rule> ignore_;
  std::vector<Rule> targets_;
};

/// First match from the beginning of the name; "-:" keeps.
class GptqmodelRules {
 public:
  explicit GptqmodelRules(const std::string& json);
  Found find(const std::string& module) const;

 private:
  std::vector<Rule> rules_;
};

/// Wildcards over the whole name of a quantizer; the last match wins, and "*" is the base.
class ModeloptRules {
 public:
  explicit ModeloptRules(const std::string& python);
  Found find(const std::string& quantizer) const;

 private:
  std::vector<std::pair<std::string, Setting>> entries_;
};

}  // namespace moesweep::test
