#pragma once
// Statistics as functions of chosen elements, and what leaving one out does to them.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <moesweep/core/stats/undefined.hpp>

namespace moesweep::stats {

/// A number from elements chosen by index, with repetitions; must not depend on their order
/// beyond rounding, nor change anything.
using Statistic = std::function<double(std::span<const std::int64_t> indices)>;

double statistic_of_all(const Statistic& statistic, std::int64_t elements);

/// Element i of the result is the statistic without element i.
std::vector<double> leave_one_out(const Statistic& statistic, std::int64_t elements);

/// Smallest and largest value when one is left out, NaN passed over; NaN if no other is there.
struct LeaveOneOutRange {
  double lo = undefined;
  double hi = undefined;
};
LeaveOneOutRange leave_one_out_range(const Statistic& statistic, std::int64_t elements);

}  // namespace moesweep::stats
