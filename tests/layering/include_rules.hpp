#pragma once
// Compares the #include lines of include/moesweep/<module> and src/<module> with a table.

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
  std::map<std::string, ModuleNames> modules;  ///< what each may include, itself and base too
  std::vector<std::pair<std::string, ModuleNames>> external;  ///< glob of a header, who may use it
};

/// Lines `module: modules...` and `<glob>: modules...`; # starts a comment. std::runtime_error for
/// anything else, and for a module that is not listed.
IncludeRules read_rules(std::istream& in);

struct IncludeReport {
  std::size_t files = 0;
  std::size_t includes = 0;
  std::vector<std::string> offences;  ///< "src/sweep/plan.cpp:7: ..."
};

/// Reads every C and C++ file of the modules below `source_tree`.
IncludeReport check_includes(const std::filesystem::path& source_tree, const IncludeRules& rules);

}  // namespace moesweep::test
