#pragma once
// Text that users write and read: sizes, durations, name patterns, suggestions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moesweep {

/// "256MiB", "16 GiB", "1e9" is refused, "1048576" is bytes. Units: B KiB MiB GiB TiB (powers of
/// 1024) and KB MB GB TB (powers of 1000). Nothing when malformed or beyond 2^63-1.
std::optional<std::int64_t> parse_size(std::string_view text);

/// 1536 -> "1.50 KiB".
std::string format_size(std::int64_t bytes);
/// 93784.0 -> "1 d 02:03:04", 12.34 -> "12.3 s".
std::string format_duration(double seconds);
/// 403397928944 -> "403,397,928,944".
std::string format_count(std::int64_t count);

/// Shell-style pattern over the whole text: `*` any run (dots and slashes too), `?` one character.
/// Quadratic at worst (no exponential backtracking).
bool matches_glob(std::string_view pattern, std::string_view text);

/// The parts between separators, empty ones too; none of an empty text.
std::vector<std::string> split_text(std::string_view text, char separator);

/// Case-insensitive (ASCII) substring search.
bool contains_ignoring_case(std::string_view text, std::string_view part);

/// The candidate with the smallest edit distance to `name`, when it is close enough to be a typo.
std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> candidates);

/// Order of names with a number in them: "L2" before "L10".
bool is_before_by_number(std::string_view a, std::string_view b);

}  // namespace moesweep
