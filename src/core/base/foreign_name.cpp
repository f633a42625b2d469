#include <algorithm>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/foreign_name.hpp>

namespace moesweep {
namespace {

constexpr bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_file_name && name.front() != '.' &&
         std::ranges::all_of(name, is_plain);
}

std::string plain_file_name(std::string_view text, std::size_t longest) {
  std::string name(text.substr(0, longest));
  std::ranges::replace_if(
      name, [](char c) { return !is_plain(c); }, '_');
  if (name.empty()) return "_";
  if (name.front() == '.') name.front() = '_';
  return name;
}

std::string printable_lines(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines += printable(text.substr(0, end));
    if (end == std::string_view::npos) break;
    lines += '\n';
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace moesweep
