#pragma once
// What `moesweep doctor` looks at: traps of launchers and file systems that would cost a sweep
// hours.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/core/base/error.hpp>

namespace moesweep::launch {

enum class Verdict : std::uint8_t { ok, warn, fail };

struct Check {
  std::string name;
  Verdict verdict = Verdict::ok;
  std::string found;                         ///< what there is, in a few words
  std::string remedy;                        ///< what to do, empty when nothing
  ExitCode exit_code = ExitCode::bad_usage;  ///< of the doctor, when this failed
};

/// Value of a variable, none when it is not set. Tests give their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

/// How many ranks MPI has against how many tasks Slurm was asked for. `world` is 1 for a process
/// that no MPI launcher started (`by_mpi` false).
Check check_world(int world, bool by_mpi, const Environment& environment);

/// CPUs of the affinity mask against what Slurm gave to a task and against the threads asked for
/// (0: no wish).
Check check_affinity(int cpus, int threads, const Environment& environment);

/// SIGUSR2, SIGTERM and SIGINT reach a handler of this process and are not blocked by what it
/// inherited.
Check check_signals();

/// Locks, exclusive links, renames, fsync, space and, on Lustre, stripes, tried in a folder made
/// for it below `directory` and removed again. `directory` must exist.
std::vector<Check> check_file_system(const std::filesystem::path& directory);

}  // namespace moesweep::launch
