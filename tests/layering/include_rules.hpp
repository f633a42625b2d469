#pragma once
// Compares the #include lines of include/moesweep/<layer>/<module> and src/<layer>/<module> with a
// table of the edges between modules.

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace moesweep::test {

using ModuleNames = std::set<std::string>;

struct IncludeRules {
  std::map<std::string, std::string> layers;                  ///< layer of each module
  std::map<std::string, ModuleNames> modules;                 ///< what each includes besides itself
  std::vector<std::pair<std::string, ModuleNames>> external;  ///< glob of a header, who may use it
};

/// Lines `[layer]`, `module: modules...` and `<glob>: modules...`; # starts a comment.
/// std::runtime_error for anything else, for a module that is listed twice or below the one that
/// includes it, and for a module before the first layer.
IncludeRules read_rules(std::istream& in);

struct IncludeReport {
  std::size_t files = 0;
  std::size_t includes = 0;
  /// "src/engine/sweep/plan.cpp:7: ...", then modules and edges of the table that the tree lacks.
  std::vector<std::string> offences;
};

/// Reads every C and C++ file of the modules below `source_tree`.
IncludeReport check_includes(const std::filesystem::path& source_tree, const IncludeRules& rules);

}  // namespace moesweep::test
