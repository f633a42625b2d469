#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/config/settings.hpp>

#include "option_index.hpp"
#include "value_text.hpp"

namespace moesweep::config {
namespace {

/// Tables in order of first mention, "" (the top level) first: TOML wants it before any header.
std::vector<std::string_view> tables_of(std::span<const Option> options) {
  std::vector<std::string_view> tables = {""};
  for (const auto& option : options) {
    const auto table = table_of(option.key);
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(table);
  }
  return tables;
}

}  // namespace

std::string to_toml(std::span<const Option> options, const Settings& settings) {
  std::string out;
  for (const auto table : tables_of(options)) {
    bool is_first = true;
    for (const auto& option : options) {
      const auto value = settings.values().find(option.key);
      if (table_of(option.key) != table || value == settings.values().end()) continue;
      if (is_first && !table.empty()) out += fmt::format("\n[{}]\n", table);
      is_first = false;
      out += fmt::format("# {}\n{} = {}\n", option.help, leaf_of(option.key),
                         value_text(option, value->second));
    }
  }
  return out;
}

}  // namespace moesweep::config
