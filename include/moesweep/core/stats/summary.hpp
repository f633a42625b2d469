#pragma once
// What tests of means need to know of a sample.

#include <cstdint>
#include <span>

#include <moesweep/core/stats/undefined.hpp>

namespace moesweep::stats {

/// The mean is NaN without samples, the variance with fewer than two.
struct Summary {
  std::int64_t count = 0;
  double mean = undefined;
  double variance = undefined;  ///< with divisor count - 1
};

/// No NaN among the values. Equal values give their value and 0 without rounding.
Summary summarize(std::span<const double> values);

/// Of `successes` ones and count - successes zeros; 0 <= successes <= count.
Summary summarize_binary(std::int64_t successes, std::int64_t count);

/// From published numbers; `sd` is the sample standard deviation, ignored for count < 2.
Summary summary_of(std::int64_t count, double mean, double sd);

}  // namespace moesweep::stats
