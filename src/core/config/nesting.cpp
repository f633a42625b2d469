#include "nesting.hpp"

#include <algorithm>
#include <vector>

namespace moesweep::config {
namespace {

/// One past the string that opens at `begin`; a string on one line ends at the end of the line,
/// where TOML refuses it.
std::size_t end_of_string(std::string_view toml, std::size_t begin) {
  const char quote = toml[begin];
  const std::string_view fence(toml.substr(begin, 3));
  const bool multi_line = fence == std::string_view(quote == '"' ? "\"\"\"" : "'''");
  std::size_t i = begin + (multi_line ? 3 : 1);
  while (i < toml.size()) {
    if (quote == '"' && toml[i] == '\\') {
      i = std::min(i + 2, toml.size());
    } else if (!multi_line) {
      if (toml[i] == '\n') return i;
      if (toml[i++] == quote) return i;
    } else if (toml.substr(i, 3) == fence) {
      i += 3;
      // Up to two quotes before the fence belong to the text: """a""""" is a"".
      for (int extra = 0; extra < 2 && i < toml.size() && toml[i] == quote; ++extra) ++i;
      return i;
    } else {
      ++i;
    }
  }
  return toml.size();
}

/// What is open at the place reached: dots since the last separator, for every open bracket.
class Depth {
 public:
  void take(char c) {
    if (c == '[' || c == '{') {
      dots_.push_back(0);
    } else if ((c == ']' || c == '}') && dots_.size() > 1) {
      all_dots_ -= dots_.back();
      dots_.pop_back();
    } else if (c == ',' || c == '\n') {
      all_dots_ -= dots_.back();
      dots_.back() = 0;
    } else if (c == '.') {
      ++dots_.back();
      ++all_dots_;
    }
  }
  std::size_t value() const { return dots_.size() - 1 + all_dots_; }

 private:
  std::vector<std::size_t> dots_{0};
  std::size_t all_dots_ = 0;
};

}  // namespace

std::optional<std::size_t> line_nested_deeper_than(std::string_view toml, std::size_t limit) {
  Depth depth;
  std::size_t line = 1;
  for (std::size_t i = 0; i < toml.size();) {
    const char c = toml[i];
    if (c == '"' || c == '\'') {
      const auto end = end_of_string(toml, i);
      line += static_cast<std::size_t>(std::count(&toml[i], toml.data() + end, '\n'));
      i = end;
      continue;
    }
    if (c == '#') {
      i = std::min(toml.find('\n', i), toml.size());
      continue;
    }
    depth.take(c);
    if (depth.value() > limit) return line;
    if (c == '\n') ++line;
    ++i;
  }
  return std::nullopt;
}

}  // namespace moesweep::config
