#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/config/settings.hpp>

#include "convert.hpp"
#include "value_text.hpp"

namespace moesweep::config {
namespace {

std::string type_cell(const Option& option) {
  std::string cell(type_text(option.type));
  if (!option.choices.empty()) cell += fmt::format(" of {}", fmt::join(option.choices, ", "));
  const bool has_choices = !option.choices.empty();
  const auto bound = [&](double value) {
    return option.type == ValueType::size ? size_text(static_cast<std::int64_t>(value))
                                          : fmt::format("{}", value);
  };
  if (option.minimum && !has_choices) cell += fmt::format(", at least {}", bound(*option.minimum));
  if (option.maximum && !has_choices) cell += fmt::format(", at most {}", bound(*option.maximum));
  return cell;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string markdown_reference(std::span<const Option> options) {
  std::string out = "| key | type | default | help |\n|---|---|---|---|\n";
  for (const auto& option : options) {
    const auto default_cell = option.default_value
                                  ? fmt::format("`{}`", value_text(option, *option.default_value))
                                  : std::string(option.may_be_absent ? "none" : "required");
    out += fmt::format("| `{}` | {} | {} | {} |\n", option.key, escaped(type_cell(option)),
                       escaped(default_cell), escaped(option.help));
  }
  return out;
}

}  // namespace moesweep::config
