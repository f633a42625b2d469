#include "document.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/utf8.hpp>

#include "nesting.hpp"
#include "overloaded.hpp"
#include "value_text.hpp"

namespace moesweep::config {
namespace {

constexpr std::size_t deepest_nesting = 16;

std::size_t line_at(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

void check_text(std::string_view toml, const std::string& file_name) {
  const auto refuse = [&](std::size_t line, std::string problem, std::string remedy) {
    throw Error(ExitCode::bad_job, fmt::format("{}:{}", file_name, line), std::move(problem),
                std::move(remedy));
  };
  if (const auto nul = toml.find('\0'); nul != std::string_view::npos) {
    refuse(line_at(toml, nul), "contains a NUL byte", "this is not a text file");
  }
  if (const auto offset = first_invalid_utf8(toml)) {
    const auto byte = static_cast<unsigned char>(toml[*offset]);
    refuse(line_at(toml, *offset), fmt::format("byte 0x{:02x} is not UTF-8", byte),
           "save the file as UTF-8");
  }
  if (const auto line = line_nested_deeper_than(toml, deepest_nesting)) {
    refuse(*line, fmt::format("nested deeper than {}", deepest_nesting),
           "no key needs more than three parts");
  }
}

toml::table parse_toml(std::string_view toml, const std::string& file_name) {
  check_text(toml, file_name);
  try {
    return toml::parse(toml);
  } catch (const toml::parse_error& error) {
    throw Error(ExitCode::bad_job, fmt::format("{}:{}", file_name, error.source().begin.line),
                fmt::format("not valid TOML: {}", error.description()));
  }
}

class Flattener {
 public:
  /// `file_name` empty: entries of --set.
  Flattener(const OptionIndex& options, const std::string& file_name)
      : options_(options), file_name_(file_name) {}

  std::vector<Entry> flatten(const toml::table& root) {
    visit(root, "");
    std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) {
      return a.position.line != b.position.line ? a.position.line < b.position.line
                                                : a.position.column < b.position.column;
    });
    std::vector<Entry> entries;
    for (auto& found : found_) entries.push_back(std::move(found.entry));
    return entries;
  }

 private:
  struct Found {
    Entry entry;
    toml::source_position position;
  };

  void visit(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const auto key = prefix + key_text(name.str());
      if (const auto* inner = node.as_table(); inner != nullptr && options_.is_table(key)) {
        visit(*inner, key + ".");
        continue;
      }
      const auto position = node.source().begin;
      found_.push_back({{key, place(position), &node}, position});
    }
  }

  std::string place(toml::source_position position) const {
    return file_name_.empty() ? "--set" : fmt::format("{}:{}", file_name_, position.line);
  }

  const OptionIndex& options_;
  const std::string& file_name_;
  std::vector<Found> found_;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool may_stand_without_quotes(const Option* option) {
  return option != nullptr && (option->type == ValueType::text || option->type == ValueType::path ||
                               option->type == ValueType::size);
}

/// `value` in TOML syntax, or as text when it has none: then the type of the key decides.
toml::table parse_override(std::string_view key, std::string_view value, const Option* option) {
  const auto as_text = [&] { return toml::parse(fmt::format("{} = {}", key, quoted_toml(value))); };
  const bool is_quoted = value.starts_with('"') || value.starts_with('\'');
  if (may_stand_without_quotes(option) && !is_quoted) return as_text();
  const bool is_one_value =
      is_plain_text(value) && !line_nested_deeper_than(value, deepest_nesting);
  if (!is_one_value) return as_text();
  try {
    return toml::parse(fmt::format("{} = {}", key, value));
  } catch (const toml::parse_error&) {
    return as_text();
  }
}

template <typename Element>
toml::array array_of(const std::vector<Element>& list) {
  toml::array array;
  for (const auto& element : list) array.push_back(element);
  return array;
}

void insert(toml::table& root, const GivenValue& given) {
  const auto add = [&](const auto& value) { root.insert(given.key, value); };
  const auto add_list = [&](const auto& list) { root.insert(given.key, array_of(list)); };
  std::visit(Overloaded{[&](const IntegerList& list) { add_list(list); },
                        [&](const NumberList& list) { add_list(list); },
                        [&](const TextList& list) { add_list(list); }, add},
             given.value);
}

}  // namespace

Document read_document(std::string_view toml, const std::string& file_name,
                       const OptionIndex& options) {
  Document document{parse_toml(toml, file_name), {}};
  document.entries = Flattener(options, file_name).flatten(document.root);
  return document;
}

Document read_override(std::string_view text, const OptionIndex& options) {
  const auto equals = text.find('=');
  const auto key = trimmed(text.substr(0, equals));
  if (equals == std::string_view::npos || key.empty()) {
    throw Error(ExitCode::bad_usage, "--set",
                fmt::format("\"{}\" is not key=value", shortened(text)),
                "write for example --set sensitivity.bits=[2,4]");
  }
  const auto value = trimmed(text.substr(equals + 1));
  if (first_invalid_utf8(text)) {
    throw Error(ExitCode::bad_job, "--set",
                fmt::format("the value of {} is not UTF-8", shortened(key)));
  }
  const auto* option = options.find(key);
  if (option == nullptr && !options.is_table(key)) options.refuse_unknown(key, "--set");
  Document document{parse_override(key, value, option), {}};
  document.entries = Flattener(options, "").flatten(document.root);
  return document;
}

Document document_of(std::span<const GivenValue> given) {
  Document document;
  for (const auto& value : given) {
    const auto* text = std::get_if<std::string>(&value.value);
    if (text != nullptr && first_invalid_utf8(*text)) {
      throw Error(ExitCode::bad_job, value.place,
                  fmt::format("the value of {} is not UTF-8", value.key));
    }
    expect(!document.root.contains(value.key), "a key is given once");
    insert(document.root, value);
    document.entries.push_back({value.key, value.place, document.root.get(value.key)});
  }
  return document;
}

}  // namespace moesweep::config
