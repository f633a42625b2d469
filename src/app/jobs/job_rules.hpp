#pragma once
// What the keys of a job must satisfy together.

#include <moesweep/core/config/settings.hpp>

namespace moesweep::jobs {

/// Throws Error(bad_job): thresholds out of order, weights that are all zero.
void check_job_rules(const config::Settings& job);

/// Those of jobs over cached hidden states: a baseline that is no variant, stages without what they
/// need, a head that does not fit the task.
void check_hidden_rules(const config::Settings& job);

/// Those of the quality-safety analysis: one input, metrics with one role each, a stage that has
/// the heads it reads.
void check_quality_rules(const config::Settings& job);

}  // namespace moesweep::jobs
