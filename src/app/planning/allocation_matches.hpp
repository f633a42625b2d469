#pragma once
// Options of `moesweep allocate` that nothing in the checkpoint answers to are mistakes.

#include "allocation_setting.hpp"

namespace moesweep::planning {

/// Error(bad_usage) for a pattern of --protect that is in no tensor's name, lines of --alpha (each
/// named) whose pattern matches no tensor, and a role of --alpha, --min-bits or --role that no
/// tensor has; the nearest match is named. Error(bad_usage) for a --role of which no tensor can be
/// quantized.
void require_matches(const AllocationSetting& setting, const allocation::Alpha& alpha);

/// Error(bad_usage) unless the source's architecture, which --architecture named, knows the names
/// of tensors that hold at least half of the parameters; names the known one that fits best.
void require_fit(const AllocationSource& source, names::Runtime runtime);

}  // namespace moesweep::planning
