#pragma once
// The three passes of a round trip over a tile, on the active target. A tile is a run of values
// that stays in the first-level cache; it starts at a group boundary and only its last group may be
// short. Arrays indexed by group hold padded_groups(groups) floats, so that kernels may write whole
// vectors.

#include <cstddef>
#include <cstdint>

#include <moesweep/model/kernels/round_trip.hpp>

#include "round_trip_steps.hpp"

namespace moesweep::kernels {

/// Room for one vector more, whatever its length (SVE and RVV: at most 2048 bits here).
constexpr std::size_t padded_groups(std::size_t groups) {
  return (groups + 63) / 64 * 64;
}

struct Tile {
  const float* values = nullptr;
  std::size_t length = 0;
  std::size_t group_size = 1;
  std::size_t groups() const { return (length + group_size - 1) / group_size; }
};

/// Structure of arrays of GroupParameters, by group.
struct GroupArrays {
  float* step = nullptr;
  float* offset = nullptr;
  float* stored_step = nullptr;
  float* stored_offset = nullptr;
};

/// Range of each group; a short last group is padded with zeros. Zeros are +0.
void group_ranges(const Tile& tile, float* lo, float* hi);

/// Steps and offsets of `groups` groups from their ranges.
void group_parameters(QuantizerFamily family, float levels, StoredAs stored, std::size_t groups,
                      const float* lo, const float* hi, const GroupArrays& out);

/// Sum of squared errors over the tile, with parameters of that family.
double tile_error(const Tile& tile, QuantizerFamily family, const GroupArrays& groups,
                  float levels);

/// Codes of the tile, by the same steps as tile_error.
void tile_codes(const Tile& tile, const GroupArrays& groups, float levels, std::uint8_t* codes);

}  // namespace moesweep::kernels
