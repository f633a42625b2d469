#pragma once
// Time limits as sbatch takes them.

#include <cstdint>
#include <optional>
#include <string_view>

namespace moesweep::launch {

/// Seconds of "minutes", "minutes:seconds", "hours:minutes:seconds", "days-hours",
/// "days-hours:minutes" or "days-hours:minutes:seconds" (man sbatch, --time). Nothing for anything
/// else, for 0 and for more than 10 years.
std::optional<std::int64_t> parse_time_limit(std::string_view text);

}  // namespace moesweep::launch
