#pragma once
// Which process something belongs to, so that others can tell whether it still lives.

#include <cstdint>
#include <string>

namespace moesweep {

struct ProcessIdentity {
  std::string host;
  std::string boot_id;
  std::string pid_namespace;
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;  ///< of /proc/<pid>/stat; 0 when it could not be read
};

/// Of this process.
ProcessIdentity process_identity();

enum class Liveness { alive, dead, unknown };

/// Same boot and pid namespace: from /proc, where a zombie is dead. Elsewhere: unknown.
Liveness liveness_of(const ProcessIdentity& process);

/// The same for a process of this system (boot and pid namespace) of which no more is known.
Liveness liveness_here(std::int64_t pid, std::int64_t start_ticks);

}  // namespace moesweep
