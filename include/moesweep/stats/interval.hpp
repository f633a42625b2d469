#pragma once
// A range of values of a parameter that the data do not contradict.

namespace moesweep::stats {

/// Both ends belong to it. Both are NaN where no interval can be given.
struct Interval {
  double lo = 0.0;
  double hi = 0.0;
};

}  // namespace moesweep::stats
