#include "value_text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "overloaded.hpp"

namespace moesweep::config {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

std::string quoted_toml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string key_text(std::string_view part) {
  const bool bare = !part.empty() && std::all_of(part.begin(), part.end(), is_bare);
  return bare ? std::string(part) : quoted_toml(part);
}

std::string number_text(double value) {
  auto text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string size_text(std::int64_t bytes) {
  constexpr std::array<std::string_view, 4> units = {"TiB", "GiB", "MiB", "KiB"};
  std::int64_t unit_bytes = std::int64_t{1} << 40;
  for (const auto unit : units) {
    if (bytes != 0 && bytes % unit_bytes == 0) {
      return fmt::format("\"{}{}\"", bytes / unit_bytes, unit);
    }
    unit_bytes >>= 10;
  }
  return fmt::format("{}", bytes);
}

std::string value_text(const Option& option, const Value& value) {
  return std::visit(
      Overloaded{
          [](bool given) { return std::string(given ? "true" : "false"); },
          [&](std::int64_t given) {
            return option.type == ValueType::size ? size_text(given) : fmt::format("{}", given);
          },
          [](double given) { return number_text(given); },
          [](const std::string& given) { return quoted_toml(given); },
          [](const IntegerList& given) { return fmt::format("[{}]", fmt::join(given, ", ")); },
          [](const NumberList& given) {
            TextList elements;
            for (const auto element : given) elements.push_back(number_text(element));
            return fmt::format("[{}]", fmt::join(elements, ", "));
          },
          [](const TextList& given) {
            TextList quoted;
            for (const auto& text : given) quoted.push_back(quoted_toml(text));
            return fmt::format("[{}]", fmt::join(quoted, ", "));
          },
      },
      value);
}

std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 80;
  if (text.size() <= longest) return std::string(text);
  auto end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace moesweep::config
