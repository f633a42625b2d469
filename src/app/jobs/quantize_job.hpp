#pragma once
// kind = "quantize".

#include <memory>

#include <moesweep/app/jobs/job.hpp>

namespace moesweep::jobs {

std::unique_ptr<JobKind> open_quantize_job(const config::Settings& settings);

records::Tables reduce_quantize(const records::Tables& rows);

}  // namespace moesweep::jobs
