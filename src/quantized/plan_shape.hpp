#pragma once

#include <cstdint>
#include <vector>

#include <moesweep/records/plan.hpp>

namespace moesweep::quantized {

/// Sizes of "512x2048"; none of an empty text or "scalar". Error(bad_input) naming the tensor for
/// anything else.
std::vector<std::int64_t> shape_of(const records::PlanRow& row);

}  // namespace moesweep::quantized
