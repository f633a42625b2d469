#pragma once
// A sweep of heads as input of the quality-safety analysis.

#include <vector>

#include <moesweep/analysis/quality/measurement.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::jobs {

/// Metrics of the test split, levels are the variants and models the heads with their layer and
/// pooling: `accuracy` and `forbidden_error_rate` of the vote, and where thresholds were chosen
/// `cascade_accuracy` and `cascade_forbidden_error_rate`. Empty without heads.
std::vector<quality::Measurement> measurements_of_heads(const records::Tables& tables);

/// Fills in the roles and directions that the job leaves open.
void complete_for_heads(quality::Options& options);

/// The variant that the others are compared with; empty without heads.
std::string baseline_of_heads(const records::Tables& tables);

/// The analysis of the heads in `tables`; none without heads.
records::Tables quality_of_heads(const records::Tables& tables, quality::Options options);

}  // namespace moesweep::jobs
