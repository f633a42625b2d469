#pragma once
// Is what was written what the plan expects?

#include <cstdint>
#include <string>

#include <moesweep/core/records/plan.hpp>

namespace moesweep::jobs {

/// |sse - planned| over the larger of the two, 0 when they are equal.
double sse_deviation(double sse, double planned);

/// Error(bad_input) naming the tensor when its squared error is beyond sse_tolerance from the
/// plan's.
void require_planned_sse(const records::PlanRow& row, double sse);

}  // namespace moesweep::jobs
