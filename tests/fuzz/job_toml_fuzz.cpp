// A job file, and what it means once it is parsed.

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/config/settings.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  fuzz::parses_or_refuses(
      [&] {
        const auto job = jobs::parse_job(fuzz::text_of(data, size), "job.toml");
        fuzz::require(!jobs::to_toml(job).empty());
      },
      {ExitCode::bad_job});
  return 0;
}
