#include "option_index.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>

#include "value_text.hpp"

namespace moesweep::config {
namespace {

constexpr std::size_t longest_typo = 200;  // edit distances of longer keys help nobody

void add_once(std::vector<std::string>& names, std::string_view name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

}  // namespace

std::string_view table_of(std::string_view key) {
  const auto dot = key.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

std::string_view leaf_of(std::string_view key) {
  const auto dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

bool knows_kind(const Option& option, std::string_view kind) {
  const auto& kinds = option.kinds;
  return kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

OptionIndex::OptionIndex(std::span<const Option> options) {
  for (const auto& option : options) options_.push_back(&option);
}

OptionIndex::OptionIndex(std::span<const Option> options, std::string_view kind) {
  for (const auto& option : options) {
    if (knows_kind(option, kind)) options_.push_back(&option);
  }
}

const Option* OptionIndex::find(std::string_view key) const {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [&](const Option* option) { return option->key == key; });
  return found == options_.end() ? nullptr : *found;
}

bool OptionIndex::is_table(std::string_view key) const {
  return std::any_of(options_.begin(), options_.end(), [&](const Option* option) {
    return option->key.size() > key.size() && option->key[key.size()] == '.' &&
           option->key.starts_with(key);
  });
}

void OptionIndex::refuse_unknown(std::string_view key, std::string place) const {
  throw Error(ExitCode::bad_job, std::move(place),
              fmt::format("unknown key \"{}\"", shortened(key)), remedy_for(key));
}

std::string OptionIndex::remedy_for(std::string_view key) const {
  const auto meant = [](std::string_view name) {
    return fmt::format("did you mean \"{}\"?", name);
  };
  const auto table = is_table(table_of(key)) ? table_of(key) : std::string_view{};
  std::vector<std::string> in_table;  // first parts of what may stand in the table
  std::vector<std::string> all;
  const auto prefix = table.empty() ? std::string() : std::string(table) + ".";
  for (const auto* option : options_) {
    if (option->key.starts_with(prefix)) {
      const auto rest = std::string_view(option->key).substr(prefix.size());
      add_once(in_table, rest.substr(0, rest.find('.')));
    }
    add_once(all, option->key);
    for (auto parent = table_of(option->key); !parent.empty(); parent = table_of(parent)) {
      add_once(all, parent);
    }
  }
  if (key.size() <= longest_typo) {
    for (const auto& name : all) {
      if (leaf_of(name) == leaf_of(key)) return meant(name);
    }
    if (const auto near = nearest_name(leaf_of(key), in_table)) return meant(prefix + *near);
    // Within a known table the common prefix alone would make every key of it look near.
    if (const auto near = nearest_name(key, all); near && table.empty()) return meant(*near);
  }
  return table.empty() ? fmt::format("valid at the top: {}", fmt::join(in_table, ", "))
                       : fmt::format("valid in [{}]: {}", table, fmt::join(in_table, ", "));
}

}  // namespace moesweep::config
