#include "round_trip_kernel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "round_trip_kernel.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first.
#include <hwy/highway.h>

#include "round_trip-inl.h"

#if HWY_ONCE

namespace moesweep::kernels {

HWY_EXPORT(tile_group_ranges);
HWY_EXPORT(parameters_of_groups);
HWY_EXPORT(error_of_tile);
HWY_EXPORT(codes_of_tile);

void group_ranges(const Tile& tile, float* lo, float* hi) {
  HWY_DYNAMIC_DISPATCH(tile_group_ranges)(tile, lo, hi);
}

void group_parameters(QuantizerFamily family, float levels, StoredAs stored, std::size_t groups,
                      const float* lo, const float* hi, const GroupArrays& out) {
  HWY_DYNAMIC_DISPATCH(parameters_of_groups)(family, levels, stored, groups, lo, hi, out);
}

double tile_error(const Tile& tile, QuantizerFamily family, const GroupArrays& groups,
                  float levels) {
  return HWY_DYNAMIC_DISPATCH(error_of_tile)(tile, family, groups, levels);
}

void tile_codes(const Tile& tile, const GroupArrays& groups, float levels, std::uint8_t* codes) {
  HWY_DYNAMIC_DISPATCH(codes_of_tile)(tile, groups, levels, codes);
}

}  // namespace moesweep::kernels

#endif  // HWY_ONCE
