#pragma once

#include <moesweep/core/records/table.hpp>

namespace moesweep::cli {

/// What a quality-safety analysis found; nothing for other sweeps.
void print_quality_summary(const records::Tables& tables);

}  // namespace moesweep::cli
