#pragma once

#include <moesweep/core/records/table.hpp>

namespace moesweep::cli {

/// What a finished sweep says, from the tables of its results.h5: the most and least sensitive
/// tensors, the bits decided and the size they give; or what hidden states tell
/// (hidden_summary.hpp) and what the quality-safety analysis found (quality_summary.hpp).
void print_summary(const records::Tables& tables);

}  // namespace moesweep::cli
