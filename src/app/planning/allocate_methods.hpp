#pragma once
// One function a method: decisions, and what only that method knows.

#include "allocation_setting.hpp"

namespace moesweep::planning {

/// Adds plan, size, bound and floor to the report.
void allocate_budget(const AllocationSetting& setting, AllocateReport& report);
void allocate_uniform(const AllocationSetting& setting, AllocateReport& report);
void allocate_swan(const AllocationSetting& setting, AllocateReport& report);
void allocate_floor(const AllocationSetting& setting, AllocateReport& report);

/// Decisions of one format for all, and the format.
using Uniform = std::pair<allocation::Decisions, formats::Encoding>;

/// The curve, and what other methods make of as many bytes; `uniform` is the measured one.
void compare_methods(const AllocationSetting& setting, const std::optional<Uniform>& uniform,
                     AllocateReport& report);

/// The uniform format with the least error whose decisions take at most `bytes` (of modules); one
/// with a measured error before those without.
std::optional<Uniform> uniform_within(const AllocationSetting& setting, std::int64_t bytes,
                                      bool measured_only = false);

/// Why SWAN's rule has nothing to go by: what the sweep left out. Empty when it left out nothing.
std::string why_no_swan(const AllocationSetting& setting);

/// What the decisions take and cost, and of how much of it the cost is known.
PlannedSize size_of(const AllocationSetting& setting, const allocation::Decisions& decisions,
                    std::string how);

}  // namespace moesweep::planning
