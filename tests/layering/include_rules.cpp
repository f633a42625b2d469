#include "include_rules.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>

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

// What stands after `#include`, or nothing when the line is something else.
std::optional<std::string_view> included(std::string_view line) {
  const auto skip_blanks = [&] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
  };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  constexpr std::string_view directive = "include";
  if (!line.starts_with(directive)) return std::nullopt;
  line.remove_prefix(directive.size());
  skip_blanks();
  return line;
}

std::string offence_of(std::string_view operand, const SourceFile& file,
                       const IncludeRules& rules) {
  const bool quoted = operand.starts_with('"');
  const auto end = operand.find(quoted ? '"' : '>', 1);
  if ((!quoted && !operand.starts_with('<')) || end == std::string_view::npos) {
    return "is not a plain file name";
  }
  const std::string header(operand.substr(1, end - 1));
  if (header.find("..") != std::string::npos) return "leads upwards";
  for (const auto& offence : {external_offence(header, file.module, rules),
                              project_offence(header, rules.modules.at(file.module)),
                              quoted ? private_offence(header, file) : ""}) {
    if (!offence.empty()) return offence;
  }
  return {};
}

void check_file(const SourceFile& file, const IncludeRules& rules, IncludeReport& report) {
  std::ifstream in(file.path);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const auto operand = included(line);
    if (!operand) continue;
    ++report.includes;
    if (const auto offence = offence_of(*operand, file, rules); !offence.empty()) {
      report.offences.push_back(
          fmt::format("{}:{}: #include {}: {}", file.shown, number, *operand, offence));
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
