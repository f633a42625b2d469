#include "relaxed_change.hpp"

#include <algorithm>
#include <limits>

namespace moesweep::allocation {

// The last corner is open: with steps left it goes on at the slope of the next one, which is
// steeper than the truth on the way up and flatter on the way down.
std::vector<RelaxedChange::Corner> RelaxedChange::corners_from(auto first, auto last,
                                                               const std::vector<bool>& decided,
                                                               std::int64_t reach,
                                                               double slope_at_end) {
  std::vector<Corner> corners;
  Corner next;
  for (; first != last; ++first) {
    if (decided[first->module]) continue;
    next.slope = first->slope;
    corners.push_back(next);
    if (next.bytes > reach) return corners;
    next.bytes += first->bytes;
    next.error += first->gain;
  }
  next.slope = slope_at_end;
  corners.push_back(next);
  return corners;
}

double RelaxedChange::at(const std::vector<Corner>& corners, std::int64_t bytes) {
  const auto after = std::upper_bound(
      corners.begin(), corners.end(), bytes,
      [](std::int64_t value, const Corner& corner) { return value < corner.bytes; });
  const auto& corner = *std::prev(after);
  const auto beyond = bytes - corner.bytes;
  // Not 0 * infinity.
  return beyond == 0 ? corner.error : corner.error + corner.slope * static_cast<double>(beyond);
}

RelaxedChange::RelaxedChange(std::span<const Step> taken, std::span<const Step> left,
                             const std::vector<bool>& decided, std::int64_t reach)
    : up_(corners_from(left.begin(), left.end(), decided, reach, 0.0)),
      down_(corners_from(taken.rbegin(), taken.rend(), decided, reach,
                         std::numeric_limits<double>::infinity())) {}

double RelaxedChange::least_added_error(std::int64_t bytes) const {
  return bytes >= 0 ? -at(up_, bytes) : at(down_, -bytes);
}

}  // namespace moesweep::allocation
