#pragma once
// p values of a family of tests, adjusted so that the chance of any false finding is at most the
// level they are compared with. Order and length are kept; NaN (no test was possible) stays NaN
// and does not count in the family. Adjusted values are at most 1 and never below the raw ones.

#include <span>
#include <vector>

namespace moesweep::stats {

/// Step-down (Holm, Scandinavian Journal of Statistics 6, 1979): the i-th smallest of m, counted
/// from 0, times m - i, and never below the one before. Never above Bonferroni's.
std::vector<double> holm(std::span<const double> p_values);

/// Each times the size of the family.
std::vector<double> bonferroni(std::span<const double> p_values);

}  // namespace moesweep::stats
