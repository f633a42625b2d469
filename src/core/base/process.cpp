#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/process.hpp>

namespace moesweep {
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

}  // namespace

ProcessIdentity process_identity() {
  ProcessIdentity self;
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  self.host = host;
  self.boot_id = first_line_of("/proc/sys/kernel/random/boot_id");
  self.pid_namespace = pid_namespace();
  self.pid = ::getpid();
  if (const auto status = status_of(self.pid)) self.start_ticks = status->start_ticks;
  return self;
}

Liveness liveness_here(std::int64_t pid, std::int64_t start_ticks) {
  const auto status = status_of(pid);
  const bool alive =
      status && status->start_ticks == start_ticks && status->state != 'Z' && status->state != 'X';
  return alive ? Liveness::alive : Liveness::dead;
}

Liveness liveness_of(const ProcessIdentity& process) {
  const auto self = process_identity();
  if (self.boot_id.empty() || process.boot_id != self.boot_id ||
      process.pid_namespace != self.pid_namespace) {
    return Liveness::unknown;
  }
  return liveness_here(process.pid, process.start_ticks);
}

}  // namespace moesweep
