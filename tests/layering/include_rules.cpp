#include "include_rules.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/base/text.hpp>

namespace moesweep::test {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  fs::path path;
  std::string shown;  ///< path below the source tree
  std::string module;
  bool is_public;        ///< below include/moesweep
  fs::path private_dir;  ///< src/<module>
};

ModuleNames names_after_colon(const std::string& text, const IncludeRules& rules) {
  std::istringstream words(text);
  ModuleNames names;
  for (std::string word; words >> word;) {
    if (word == "above") {
      for (const auto& [module, allowed] : rules.modules) names.insert(module);
    } else if (rules.modules.contains(word)) {
      names.insert(word);
    } else {
      throw std::runtime_error(fmt::format("\"{}\" is not a module listed above", word));
    }
  }
  return names;
}

bool is_source(const fs::path& path) {
  static const std::set<std::string> extensions = {".hpp", ".cpp", ".h", ".c",
                                                   ".cc",  ".inl", ".in"};
  return extensions.contains(path.extension().string());
}

std::vector<SourceFile> source_files(const fs::path& tree) {
  std::vector<SourceFile> files;
  for (const fs::path root : {"include/moesweep", "src"}) {
    for (const auto& entry : fs::recursive_directory_iterator(tree / root)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      const auto below = fs::relative(entry.path(), tree / root);
      const auto module =
          std::distance(below.begin(), below.end()) > 1 ? below.begin()->string() : "";
      files.push_back(
          {entry.path(), (root / below).string(), module, root != "src", tree / "src" / module});
    }
  }
  std::ranges::sort(files, {}, &SourceFile::shown);
  return files;
}

std::string project_offence(const std::string& header, const ModuleNames& allowed) {
  static const std::string prefix = "moesweep/";
  if (!header.starts_with(prefix)) return {};
  const auto module = header.substr(prefix.size(), header.find('/', prefix.size()) - prefix.size());
  if (allowed.contains(module)) return {};
  return fmt::format("module {} is not among {}", module, fmt::join(allowed, ", "));
}

std::string external_offence(const std::string& header, const std::string& module,
                             const IncludeRules& rules) {
  for (const auto& [pattern, owners] : rules.external) {
    if (matches_glob(pattern, header) && !owners.contains(module)) {
      return fmt::format("only {} may", fmt::join(owners, ", "));
    }
  }
  return {};
}

// A private header is found in its own module, or is configured from <name>.in there.
std::string private_offence(const std::string& header, const SourceFile& file) {
  if (file.is_public) return "a public header can't reach private ones";
  if (fs::exists(file.private_dir / header) || fs::exists(file.private_dir / (header + ".in"))) {
    return {};
  }
  return fmt::format("src/{} has no such private header", file.module);
}

std::string offence_of(const std::string& line, const SourceFile& file, const IncludeRules& rules) {
  static const std::regex plain(R"(^\s*#\s*include\s*(<[^>]+>|"[^"]+").*$)");
  std::smatch match;
  if (!std::regex_match(line, match, plain)) return "is not a plain file name";
  const std::string spelt = match[1];
  const auto header = spelt.substr(1, spelt.size() - 2);
  if (header.find("..") != std::string::npos) return "leads upwards";
  for (const auto& offence : {external_offence(header, file.module, rules),
                              project_offence(header, rules.modules.at(file.module)),
                              spelt.front() == '"' ? private_offence(header, file) : ""}) {
    if (!offence.empty()) return offence;
  }
  return {};
}

void check_file(const SourceFile& file, const IncludeRules& rules, IncludeReport& report) {
  static const std::regex include(R"(^\s*#\s*include\b.*$)");
  std::ifstream in(file.path);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!std::regex_match(line, include)) continue;
    ++report.includes;
    if (const auto offence = offence_of(line, file, rules); !offence.empty()) {
      report.offences.push_back(fmt::format("{}:{}: {}: {}", file.shown, number, line, offence));
    }
  }
}

}  // namespace

IncludeRules read_rules(std::istream& in) {
  IncludeRules rules;
  for (std::string line; std::getline(in, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) throw std::runtime_error("no colon in: " + line);
    const auto name = line.substr(0, colon);
    auto allowed = names_after_colon(line.substr(colon + 1), rules);
    if (name.starts_with('<') && name.ends_with('>')) {
      rules.external.emplace_back(name.substr(1, name.size() - 2), std::move(allowed));
    } else {
      allowed.insert({"base", name});
      if (!rules.modules.emplace(name, std::move(allowed)).second) {
        throw std::runtime_error("listed twice: " + name);
      }
    }
  }
  return rules;
}

IncludeReport check_includes(const fs::path& source_tree, const IncludeRules& rules) {
  IncludeReport report;
  for (const auto& file : source_files(source_tree)) {
    ++report.files;
    if (rules.modules.contains(file.module)) {
      check_file(file, rules, report);
    } else {
      report.offences.push_back(
          fmt::format("{}:1: \"{}\" is not a module of the table", file.shown, file.module));
    }
  }
  return report;
}

}  // namespace moesweep::test
