#include <cmath>
#include <numeric>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/stats/leave_one_out.hpp>

#include "moments.hpp"

namespace moesweep::stats {

double statistic_of_all(const Statistic& statistic, std::int64_t elements) {
  std::vector<std::int64_t> indices(checked_cast<std::size_t>(elements));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return statistic(indices);
}

std::vector<double> leave_one_out(const Statistic& statistic, std::int64_t elements) {
  if (elements == 0) return {};
  // All but element 0; moving to the next puts the element left out before back in its place.
  std::vector<std::int64_t> indices(checked_cast<std::size_t>(elements) - 1);
  std::iota(indices.begin(), indices.end(), std::int64_t{1});
  std::vector<double> values = {statistic(indices)};
  for (std::size_t i = 0; i < indices.size(); ++i) {
    indices[i] = checked_cast<std::int64_t>(i);
    values.push_back(statistic(indices));
  }
  return values;
}

LeaveOneOutRange leave_one_out_range(const Statistic& statistic, std::int64_t elements) {
  LeaveOneOutRange range{undefined, undefined};
  for (const double value : leave_one_out(statistic, elements)) {
    range.lo = std::fmin(range.lo, value);
    range.hi = std::fmax(range.hi, value);
  }
  return range;
}

}  // namespace moesweep::stats
