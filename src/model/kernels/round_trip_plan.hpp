#pragma once
// Which group sizes a set of quantizers needs, and how long a tile serves them all.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::kernels {

/// One group size. `source` indexes an earlier grouping whose size divides this one: a range is
/// then the range of its ranges.
struct Grouping {
  std::size_t group_size = 1;
  std::optional<std::size_t> source;
  std::vector<std::size_t> quantizers;  ///< indices of those with this group size
};

/// Groupings that share tiles, ascending; tile_length is a multiple of every group size.
struct RoundTripPlan {
  std::vector<Grouping> groupings;
  std::size_t tile_length = 0;
};

/// Usually one plan; one for each group size where their common multiple is too long for a tile.
std::vector<RoundTripPlan> plan_round_trips(std::span<const Quantizer> quantizers);

}  // namespace moesweep::kernels
