#include <cstdlib>

#include <fmt/format.h>

#include <moesweep/engine/store/lock.hpp>

namespace moesweep::store {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Owner this_process() {
  return {process_identity(), environment("SLURM_JOB_ID"),
          std::strtoll(environment("SLURM_RESTART_COUNT").c_str(), nullptr, 10)};
}

std::string describe(const Owner& owner) {
  if (owner.host.empty()) return "a process that is not known any more";
  return fmt::format("process {} on {}", owner.pid, owner.host) +
         (owner.slurm_job.empty() ? "" : " (Slurm job " + owner.slurm_job + ")");
}

}  // namespace moesweep::store
