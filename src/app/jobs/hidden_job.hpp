#pragma once
// Sweeps over cached hidden states: kinds heads, suppression, probes and pipeline.

#include <memory>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/core/config/settings.hpp>

namespace moesweep::jobs {

/// Opens the caches. Error(bad_input) when one can't be used, Error(bad_job) when the job asks for
/// what they do not have.
std::unique_ptr<JobKind> open_hidden_job(const config::Settings& settings);

/// Ensembles, cascades, tests of suppression, the inversion check, the verdict and a pipeline's
/// quality stage, beside the rows of the units.
records::Tables reduce_hidden(const config::Settings& settings, const records::Tables& rows);

}  // namespace moesweep::jobs
