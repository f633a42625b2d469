#pragma once
// The state of a run directory from its files alone: no daemon, no connection to the running ranks.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <moesweep/core/base/error.hpp>

namespace moesweep::run {

enum class RunState {
  not_started,
  running,      ///< the owner of the last epoch is alive, or its beat on another machine is fresh
  unreachable,  ///< no end recorded, the owner is on another machine and shows no sign of life
  crashed,      ///< no end recorded, the owner is dead
  stopped,      ///< ended early, resume to go on
  complete,
  some_failed,
  broken,   ///< ended with an error (disk full, ...)
  damaged,  ///< ended with all units finished; what some have left is gone since, resume to mend it
};
std::string run_state_name(RunState state);

struct UnitCounts {
  std::int64_t done = 0;
  std::int64_t failed = 0;
};

/// One start or resume.
struct Start {
  std::int32_t epoch = 0;
  std::int64_t ranks = 1;
  std::string host;       ///< of rank 0
  std::string slurm_job;  ///< empty outside Slurm
  double unix_time = 0.0;
  std::optional<ExitCode> exit_code;  ///< none when the end was not recorded
};

struct Status {
  RunState state = RunState::not_started;
  ExitCode exit_code =
      ExitCode::stopped_early;  ///< for batch scripts: an end that was not recorded counts as 75
  std::int64_t units_total = 0;
  std::int64_t units_done = 0;
  std::int64_t units_failed = 0;
  std::map<std::string, UnitCounts> by_kind;
  /// Keys of failed units and their errors, in the order in which they were started: the first is
  /// often why others failed.
  std::vector<std::pair<std::string, std::string>> failures;
  std::int64_t epochs = 0;  ///< starts and resumes so far
  std::int64_t abnormal_ends = 0;
  std::string owner;  ///< "host, pid 123" of the last epoch
  std::int64_t segments = 0;
  std::int64_t segment_bytes = 0;
  std::int64_t rotten_segments = 0;
  /// Files of finished units that are missing or of another size: "artifact <name> is missing". The
  /// units count as not done. Files of the right size are not read: verify and the next start do.
  std::vector<std::string> lost_outputs;
  std::map<std::int32_t, double> last_flush;  ///< Unix time of a rank's last segment, last epoch
  std::vector<Start> starts;                  ///< oldest first
  /// Hosts with results of an epoch that ended abnormally and none of a later one that has results.
  std::vector<std::string> nodes_lost;
  std::optional<double> units_per_second;  ///< of the last epoch
  std::optional<double> eta_seconds;       ///< while running
  std::optional<double> eta_low_seconds;   ///< 90 % interval, when the sweep gives one
  std::optional<double> eta_high_seconds;
};

Status read_status(const std::filesystem::path& run_directory);

}  // namespace moesweep::run
