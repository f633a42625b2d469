#pragma once
// From the keys of a job to what the analysis is told.

#include <moesweep/config/settings.hpp>
#include <moesweep/quality/options.hpp>

namespace moesweep::pipeline {

/// Error(bad_job) for a "name=number" that is none.
quality::Options quality_options_from(const config::Settings& settings);

}  // namespace moesweep::pipeline
