#pragma once
// kind = "quality_safety", and the stage quality of a pipeline.

#include <memory>

#include <moesweep/app/jobs/job.hpp>

namespace moesweep::jobs {

/// Reads the matrix or the results of the heads; of samples the size alone. Error(bad_input) when
/// the input can't be used.
std::unique_ptr<JobKind> open_quality_job(const config::Settings& settings);

records::Tables reduce_quality(const config::Settings& settings, const records::Tables& rows);

/// What the stage quality of a pipeline adds to the tables of its heads: made at aggregation, it
/// takes no longer than reading them. Empty when the job has no such stage.
records::Tables quality_stage(const config::Settings& settings, const records::Tables& tables);

}  // namespace moesweep::jobs
