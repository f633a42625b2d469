#pragma once
// Regular expressions that a checkpoint's config.json gives, matched against names of modules. They
// come from strangers, so they are matched in linear time and bounded memory (RE2), with the
// meaning that Python's re.match gives them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace moesweep::found {

/// Why a pattern is refused, as a predicate: `uses "(?=", which ...`.
class UnreadablePattern : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Beyond what any exporter writes (one pattern for all layers of all experts).
inline constexpr std::size_t longest_pattern = std::size_t{64} << 10;
/// Bytes of a compiled pattern and its automaton.
inline constexpr std::int64_t pattern_memory_bytes = std::int64_t{1} << 20;
/// In all lists of a config.json together: each module is matched against all of them.
inline constexpr std::ptrdiff_t most_patterns = 1024;

/// What Python writes and RE2 reads alike. Classes such as \w and \d are ASCII's.
class NamePattern {
 public:
  /// UnreadablePattern for what is no pattern, is too long or too large (longest_pattern,
  /// pattern_memory_bytes), or uses what RE2 lacks (lookaheads, lookbehinds, back references) or
  /// would read in another way than Python, which is named.
  explicit NamePattern(std::string_view pattern);

  /// Does it match at the beginning of `name`, wherever the match ends?
  bool matches(std::string_view name) const;

 private:
  std::shared_ptr<const re2::RE2> pattern_;
};

}  // namespace moesweep::found
