#include "schema_files.hpp"

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/engine/capacity/cluster.hpp>

namespace moesweep::jobs {

std::vector<SchemaFile> schema_files() {
  return {{"job.schema.json", config::json_schema(job_options(), "moesweep job file")},
          {"cluster.schema.json",
           config::json_schema(capacity::cluster_options(), "moesweep cluster profile")}};
}

}  // namespace moesweep::jobs
