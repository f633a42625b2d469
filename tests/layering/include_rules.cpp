#include "include_rules.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/text.hpp>

namespace moesweep::test {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  fs::path path;
  std::string shown;  ///< path below the source tree
  std::string layer;
  std::string module;
  bool is_public;        ///< below include/moesweep
  fs::path private_dir;  ///< src/<layer>/<module>
};

/// Edges that the tree uses.
using Edges = std::map<std::string, ModuleNames>;

ModuleNames names_after_colon(const std::string& text, const IncludeRules& rules) {
  std::istringstream words(text);
  ModuleNames names;
  for (std::string word; words >> word;) {
    if (!rules.modules.contains(word)) {
      throw std::runtime_error(fmt::format("\"{}\" is not a module listed above", word));
    }
    names.insert(word);
  }
  return names;
}

bool is_source(const fs::path& path) {
  static const std::set<std::string> extensions = {".hpp", ".cpp", ".h", ".c",
                                                   ".cc",  ".inl", ".in"};
  return extensions.contains(path.extension().string());
}

/// The i-th folder of a path, "" where only the file's name is left.
std::string folder_at(const fs::path& below, std::ptrdiff_t i) {
  return std::distance(below.begin(), below.end()) > i + 1 ? std::next(below.begin(), i)->string()
                                                           : "";
}

std::vector<SourceFile> source_files(const fs::path& tree) {
  std::vector<SourceFile> files;
  for (const fs::path root : {"include/moesweep", "src"}) {
    for (const auto& entry : fs::recursive_directory_iterator(tree / root)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      const auto below = fs::relative(entry.path(), tree / root);
      const auto layer = folder_at(below, 0);
      const auto module = folder_at(below, 1);
      files.push_back({entry.path(), (root / below).string(), layer, module, root != "src",
                       tree / "src" / layer / module});
    }
  }
  std::ranges::sort(files, {}, &SourceFile::shown);
  return files;
}

/// Of <moesweep/layer/module/name.hpp>; remembers the edge where it is one of the table.
std::string project_offence(const fs::path& header, const SourceFile& file,
                            const IncludeRules& rules, Edges& used) {
  if (folder_at(header, 0) != "moesweep") return {};
  const auto layer = folder_at(header, 1);
  const auto module = folder_at(header, 2);
  const auto home = rules.layers.find(module);
  if (home == rules.layers.end() || home->second != layer) {
    return fmt::format("{}/{} is not in the table", layer, module);
  }
  if (module == file.module) return {};
  const auto& allowed = rules.modules.at(file.module);
  if (!allowed.contains(module)) {
    return fmt::format("module {} is not among {}", module, fmt::join(allowed, ", "));
  }
  used[file.module].insert(module);
  return {};
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
  return fmt::format("src/{}/{} has no such private header", file.layer, file.module);
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

std::string offence_of(std::string_view operand, const SourceFile& file, const IncludeRules& rules,
                       Edges& used) {
  const bool quoted = operand.starts_with('"');
  const auto end = operand.find(quoted ? '"' : '>', 1);
  if ((!quoted && !operand.starts_with('<')) || end == std::string_view::npos) {
    return "is not a plain file name";
  }
  const std::string header(operand.substr(1, end - 1));
  if (header.find("..") != std::string::npos) return "leads upwards";
  for (const auto& offence :
       {external_offence(header, file.module, rules), project_offence(header, file, rules, used),
        quoted ? private_offence(header, file) : ""}) {
    if (!offence.empty()) return offence;
  }
  return {};
}

void check_file(const SourceFile& file, const IncludeRules& rules, Edges& used,
                IncludeReport& report) {
  std::ifstream in(file.path);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const auto operand = included(line);
    if (!operand) continue;
    ++report.includes;
    if (const auto offence = offence_of(*operand, file, rules, used); !offence.empty()) {
      report.offences.push_back(
          fmt::format("{}:{}: #include {}: {}", file.shown, number, *operand, offence));
    }
  }
}

/// What the table says and the tree doesn't have.
void add_ghosts(const fs::path& tree, const IncludeRules& rules, const Edges& used,
                std::vector<std::string>& offences) {
  for (const auto& [module, allowed] : rules.modules) {
    if (!fs::is_directory(tree / "src" / rules.layers.at(module) / module) &&
        !fs::is_directory(tree / "include/moesweep" / rules.layers.at(module) / module)) {
      offences.push_back(fmt::format("{}: there is no such module", module));
      continue;
    }
    const auto found = used.find(module);
    for (const auto& other : allowed) {
      if (found != used.end() && found->second.contains(other)) continue;
      offences.push_back(fmt::format("{}: {} is never included", module, other));
    }
  }
}

}  // namespace

IncludeRules read_rules(std::istream& in) {
  IncludeRules rules;
  std::string layer;
  std::set<std::string> layers;
  for (std::string line; std::getline(in, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (line.starts_with('[') && line.ends_with(']')) {
      layer = line.substr(1, line.size() - 2);
      if (!layers.insert(layer).second) throw std::runtime_error("a layer twice: " + layer);
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string::npos) throw std::runtime_error("no colon in: " + line);
    const auto name = line.substr(0, colon);
    auto allowed = names_after_colon(line.substr(colon + 1), rules);
    if (name.starts_with('<') && name.ends_with('>')) {
      rules.external.emplace_back(name.substr(1, name.size() - 2), std::move(allowed));
      continue;
    }
    if (layer.empty()) throw std::runtime_error("in no layer: " + name);
    if (!rules.modules.emplace(name, std::move(allowed)).second) {
      throw std::runtime_error("listed twice: " + name);
    }
    rules.layers.emplace(name, layer);
  }
  return rules;
}

IncludeReport check_includes(const fs::path& source_tree, const IncludeRules& rules) {
  IncludeReport report;
  Edges used;
  for (const auto& file : source_files(source_tree)) {
    ++report.files;
    const auto home = rules.layers.find(file.module);
    if (home != rules.layers.end() && home->second == file.layer) {
      check_file(file, rules, used, report);
    } else {
      report.offences.push_back(fmt::format("{}:1: \"{}/{}\" is not a module of the table",
                                            file.shown, file.layer, file.module));
    }
  }
  add_ghosts(source_tree, rules, used, report.offences);
  return report;
}

}  // namespace moesweep::test
