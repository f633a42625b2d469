#include "round_trip_plan.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::kernels {
namespace {

constexpr std::size_t preferred_tile = 4096;  // 16 KiB: half of a small first-level cache
constexpr std::size_t longest_shared_tile = 4 * preferred_tile;

std::size_t tile_length_for(std::size_t multiple) {
  return multiple * std::max<std::size_t>(1, preferred_tile / multiple);
}

void link_sources(std::vector<Grouping>& groupings) {
  for (std::size_t i = 0; i < groupings.size(); ++i) {
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (groupings[i].group_size % groupings[earlier].group_size == 0) {
        groupings[i].source = earlier;
      }
    }
  }
}

}  // namespace

std::vector<RoundTripPlan> plan_round_trips(std::span<const Quantizer> quantizers) {
  std::map<std::size_t, Grouping> by_size;
  for (std::size_t i = 0; i < quantizers.size(); ++i) {
    expect(quantizers[i].bits >= 2 && quantizers[i].bits <= 8, "round trip: bits outside 2..8");
    expect(quantizers[i].group_size >= 1, "round trip: group size below 1");
    const auto size = checked_cast<std::size_t>(quantizers[i].group_size);
    Grouping& grouping = by_size[size];
    grouping.group_size = size;
    grouping.quantizers.push_back(i);
  }

  std::size_t multiple = 1;
  for (const auto& entry : by_size) {
    // Both are below 2^31 here, so that the product inside lcm fits.
    multiple = std::lcm(multiple, entry.first);
    if (multiple > longest_shared_tile) break;
  }
  const bool shared = multiple <= longest_shared_tile;

  std::vector<RoundTripPlan> plans;
  for (auto& [size, grouping] : by_size) {
    if (plans.empty() || !shared) {
      plans.push_back({{}, tile_length_for(shared ? multiple : size)});
    }
    plans.back().groupings.push_back(std::move(grouping));
  }
  for (auto& plan : plans) link_sources(plan.groupings);
  return plans;
}

}  // namespace moesweep::kernels
