#include <moesweep/app/jobs/job_file.hpp>

#include "job_rules.hpp"

namespace moesweep::jobs {

config::Settings parse_job(std::string_view toml, const std::filesystem::path& file_name,
                           std::span<const std::string> overrides) {
  auto job = config::parse_settings(job_options(), toml, file_name, overrides);
  check_job_rules(job);
  return job;
}

config::Settings load_job(const std::filesystem::path& file,
                          std::span<const std::string> overrides) {
  auto job = config::load_settings(job_options(), file, overrides);
  check_job_rules(job);
  return job;
}

config::Settings job_of(std::span<const config::GivenValue> given, const std::string& name) {
  auto job = config::settings_of(job_options(), given, name);
  check_job_rules(job);
  return job;
}

std::string to_toml(const config::Settings& job) {
  return config::to_toml(job_options(), job);
}

Hash128 job_fingerprint(const config::Settings& job, std::span<const config::InputHash> inputs) {
  return config::fingerprint("moesweep job", job_options(), job, inputs);
}

std::vector<std::string> differences(const config::Settings& job,
                                     const config::Settings& recorded) {
  return config::differences(job_options(), job, recorded);
}

}  // namespace moesweep::jobs
