#pragma once
// One effect of suppression with its uncertainty.

#include <moesweep/analysis/suppression/reduce.hpp>

#include "paired_runs.hpp"
#include "test_samples.hpp"

namespace moesweep::suppression {

/// Everything of the row but p_holm.
records::SuppressionTestRow test_of(const PairedRuns& runs, const Measure& measure,
                                    const ReduceOptions& options);

}  // namespace moesweep::suppression
