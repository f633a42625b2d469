#pragma once
// A range of values of a parameter that the data do not contradict.

#include <moesweep/core/stats/undefined.hpp>

namespace moesweep::stats {

/// Both ends belong to it. Both are NaN where no interval can be given.
struct Interval {
  double lo = undefined;
  double hi = undefined;
};

}  // namespace moesweep::stats
