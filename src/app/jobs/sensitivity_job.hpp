#pragma once
// kind = "sensitivity".

#include <memory>

#include <moesweep/app/jobs/job.hpp>

namespace moesweep::jobs {

std::unique_ptr<JobKind> open_sensitivity_job(const config::Settings& settings);

records::Tables reduce_sensitivity(const config::Settings& settings, records::Tables rows);

}  // namespace moesweep::jobs
