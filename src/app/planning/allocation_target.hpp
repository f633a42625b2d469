#pragma once
// The size that a plan has to meet, and what is possible instead.

#include <cstdint>

#include "allocation_setting.hpp"

namespace moesweep::planning {

/// --target in bytes. Error(bad_usage) when it is above `largest`, which nothing exceeds.
std::int64_t target_bytes(const AllocationSetting& setting, std::int64_t largest);

/// Error(bad_usage) for a --target below `least`: the feasible range, what is kept and why, and
/// what would make smaller plans possible.
Error too_small(const AllocationSetting& setting, std::int64_t least, std::int64_t largest);

/// With every module in the smallest or largest of its choices, headers included where plans have
/// them.
std::int64_t least_bytes(const AllocationSetting& setting);
std::int64_t largest_bytes(const AllocationSetting& setting);

/// With every module kept.
std::int64_t kept_bytes(const AllocationSetting& setting);

}  // namespace moesweep::planning
