#pragma once
// Texts of the `reason` column that a later step recognises.

#include <string_view>

namespace moesweep::sensitivity {

/// Starts the reason of a slice that was not measured (NonfinitePolicy::skip).
inline constexpr std::string_view skipped_prefix = "skipped: ";
inline constexpr std::string_view all_zero = "all weights are 0";
inline constexpr std::string_view no_variance = "variance is 0";

}  // namespace moesweep::sensitivity
