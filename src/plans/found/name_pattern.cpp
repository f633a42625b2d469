#include "name_pattern.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <re2/re2.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep::found {
namespace {

[[noreturn]] void refuse_syntax(std::string_view piece) {
  throw UnreadablePattern(
      fmt::format("uses \"{}\", which is not supported in patterns", printable(piece)));
}

/// A group with a question mark at the front: `(?:`, `(?P<name>`, and the flags i, m and s of a
/// group, or of all where they stand at the front of the pattern.
void check_group(std::string_view rest, bool is_front) {
  if (rest.starts_with("(?:") || rest.starts_with("(?P<")) return;
  const auto end = rest.find_first_not_of("ims", 2);
  const bool has_flags = end != std::string_view::npos && end > 2;
  if (has_flags && (rest[end] == ':' || (rest[end] == ')' && is_front))) return;
  constexpr std::array<std::string_view, 4> operators = {"(?<=", "(?<!", "(?P=", "(?P>"};
  const auto* const known = std::ranges::find_if(
      operators, [&](std::string_view candidate) { return rest.starts_with(candidate); });
  refuse_syntax(known != operators.end() ? *known : rest.substr(0, 3));
}

/// Escapes that are errors in Python or something else there: classes of Unicode, quotes, bytes,
/// the end of the text.
void check_escape(std::string_view rest) {
  if (rest.size() < 2) return;  // RE2 says it
  constexpr std::string_view others = "pPQECzZ";
  if (others.find(rest[1]) != std::string_view::npos || rest.starts_with("\\x{")) {
    refuse_syntax(rest.substr(0, 2));
  }
}

/// Python and RE2 read the rest alike, or RE2 refuses it.
void refuse_other_syntax(std::string_view pattern) {
  bool in_class = false;
  std::size_t class_begin = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto rest = pattern.substr(i);
    if (rest.front() == '\\') {
      check_escape(rest);
      ++i;
    } else if (in_class) {
      if (rest.starts_with("[:")) refuse_syntax("[:");
      // The first one is itself part of the class.
      if (rest.front() == ']' && i > class_begin) in_class = false;
    } else if (rest.front() == '[') {
      in_class = true;
      class_begin = i + (rest.starts_with("[^") ? 2 : 1);
      if (rest.starts_with("[^")) ++i;
    } else if (rest.starts_with("(?")) {
      check_group(rest, i == 0);
    } else if (rest.starts_with("{,")) {
      refuse_syntax("{,");  // from 0 in Python, itself in RE2
    }
  }
}

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(pattern_memory_bytes);
  options.set_never_capture(true);
  return options;
}

std::string problem_of(const re2::RE2& pattern) {
  switch (pattern.error_code()) {
    case re2::RE2::ErrorPatternTooLarge:
      return fmt::format("needs more than {} bytes as a program", pattern_memory_bytes);
    case re2::RE2::ErrorBadPerlOp:
    case re2::RE2::ErrorBadEscape:
    case re2::RE2::ErrorRepeatOp:
    case re2::RE2::ErrorRepeatSize:
      return fmt::format("uses \"{}\", which is not supported in patterns",
                         printable(pattern.error_arg()));
    default:
      return fmt::format("is not a regular expression: {}",
                         printable(pattern.error().substr(0, 80)));
  }
}

}  // namespace

NamePattern::NamePattern(std::string_view pattern) {
  if (pattern.size() > longest_pattern) {
    throw UnreadablePattern(fmt::format("has {} bytes, more than the {} that a pattern may have",
                                        pattern.size(), longest_pattern));
  }
  refuse_other_syntax(pattern);
  pattern_ = std::make_shared<const re2::RE2>(std::string(pattern), options());
  if (!pattern_->ok()) throw UnreadablePattern(problem_of(*pattern_));
}

bool NamePattern::matches(std::string_view name) const {
  return pattern_->Match(std::string(name), 0, name.size(), re2::RE2::ANCHOR_START, nullptr, 0);
}

}  // namespace moesweep::found
