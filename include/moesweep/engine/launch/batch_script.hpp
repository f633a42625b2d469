#pragma once
// The sbatch script of one sweep on one cluster.

#include <filesystem>
#include <string>

#include <moesweep/core/config/settings.hpp>

namespace moesweep::launch {

struct BatchJob {
  std::string name;                     ///< [A-Za-z0-9._-]+, as the job file's name is
  std::filesystem::path program;        ///< absolute; the profile's `program` goes before it
  std::filesystem::path job_file;       ///< absolute, read at every start
  std::filesystem::path run_directory;  ///< absolute; holds the script and Slurm's log in submit/
};

/// Error(bad_job) naming the place in the profile: a time limit that is none or no longer than the
/// signal and the margin before its end, a variable without a name, an option of sbatch that is
/// malformed or that the script sets itself, several ranks without a launcher, more nodes at least
/// than at most.
void check_profile(const config::Settings& cluster);

/// The script, for a profile that check_profile accepts. Error(bad_usage) for a path with control
/// characters, and for a run directory with a backslash (sbatch would take the name of its log
/// differently).
std::string render_batch_script(const BatchJob& job, const config::Settings& cluster);

}  // namespace moesweep::launch
