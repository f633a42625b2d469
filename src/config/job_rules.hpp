#pragma once
// What the keys of a job must satisfy together.

#include <moesweep/config/settings.hpp>

namespace moesweep::config {

/// Throws Error(bad_job): thresholds out of order, weights that are all zero.
void check_job_rules(const Settings& job);

}  // namespace moesweep::config
