#pragma once
// Programs of the system (sbatch, lfs), started without a shell.

#include <span>
#include <string>

namespace moesweep::launch {

struct ProcessResult {
  int exit_code = 0;   ///< 127 when there is no such program, 128 + n when signal n ended it
  std::string output;  ///< standard output and standard error, as they came
};

/// Starts arguments[0], looked up in PATH, and waits for it. Error(io_error) when no process can be
/// started.
ProcessResult run_process(std::span<const std::string> arguments);

}  // namespace moesweep::launch
