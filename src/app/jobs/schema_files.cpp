#include "schema_files.hpp"

#include <moesweep/core/config/settings.hpp>

namespace moesweep::config {

std::vector<SchemaFile> schema_files() {
  return {{"job.schema.json", json_schema(job_options(), "moesweep job file")},
          {"cluster.schema.json", json_schema(cluster_options(), "moesweep cluster profile")}};
}

}  // namespace moesweep::config
