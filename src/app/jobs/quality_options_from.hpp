#pragma once
// From the keys of a job to what the analysis is told.

#include <moesweep/analysis/quality/options.hpp>
#include <moesweep/core/config/settings.hpp>

namespace moesweep::jobs {

/// Error(bad_job) for a "name=number" that is none.
quality::Options quality_options_from(const config::Settings& settings);

}  // namespace moesweep::jobs
