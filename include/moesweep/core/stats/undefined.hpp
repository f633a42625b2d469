#pragma once
// What a statistic is where the data do not determine it: too few values, or no spread to measure
// uncertainty by. Never 0: that would claim certainty.

#include <limits>

namespace moesweep::stats {

inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace moesweep::stats
