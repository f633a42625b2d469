#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/store/lock.hpp>

namespace moesweep::store {
namespace {

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string pid_namespace() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
}

struct ProcessStatus {
  char state = '?';
  std::int64_t start_ticks = 0;
};

// Fields 3 and 22 of /proc/<pid>/stat; the command name before them may contain anything, even
// parentheses.
std::optional<ProcessStatus> status_of(std::int64_t pid) {
  const auto line = first_line_of(fmt::format("/proc/{}/stat", pid));
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  ProcessStatus status;
  fields >> status.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  fields >> status.start_ticks;
  if (!fields) return std::nullopt;
  return status;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Owner this_process() {
  Owner owner;
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  owner.host = host;
  owner.boot_id = first_line_of("/proc/sys/kernel/random/boot_id");
  owner.pid_namespace = pid_namespace();
  owner.pid = ::getpid();
  if (const auto status = status_of(owner.pid)) owner.start_ticks = status->start_ticks;
  owner.slurm_job = environment("SLURM_JOB_ID");
  owner.slurm_restarts = std::strtoll(environment("SLURM_RESTART_COUNT").c_str(), nullptr, 10);
  return owner;
}

Liveness liveness_of(const Owner& owner) {
  const auto self = this_process();
  if (self.boot_id.empty() || owner.boot_id != self.boot_id ||
      owner.pid_namespace != self.pid_namespace) {
    return Liveness::unknown;
  }
  const auto status = status_of(owner.pid);
  const bool alive = status && status->start_ticks == owner.start_ticks && status->state != 'Z' &&
                     status->state != 'X';
  return alive ? Liveness::alive : Liveness::dead;
}

}  // namespace moesweep::store
