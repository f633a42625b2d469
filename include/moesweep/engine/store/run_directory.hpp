#pragma once
// The folder of one sweep.

#include <filesystem>
#include <string>

#include <moesweep/core/base/ids.hpp>

namespace moesweep::store {

struct RunDirectory {
  std::filesystem::path root;

  std::filesystem::path job() const { return root / "job.toml"; }
  std::filesystem::path lock() const { return root / "lock"; }
  std::filesystem::path segments() const { return root / "segments"; }
  std::filesystem::path artifacts() const { return root / "artifacts"; }
  std::filesystem::path results() const { return root / "results.h5"; }
  std::filesystem::path events() const { return root / "events.jsonl"; }
};

/// Creates the folders that are missing. Error(run_directory) when that is impossible or `root`
/// holds something that is not a run (a non-empty folder without lock/).
void create_run_directory(const RunDirectory& run);

/// Removes the temporary files of writers that were killed, and the space that earlier epochs have
/// reserved for ends that they never recorded. What a living process writes stays. Call while
/// holding the lock, as the owner of `epoch`.
void remove_leftovers(const RunDirectory& run, Epoch epoch);

/// Error(run_directory) unless `root` holds a run. job.toml may be missing: a start that was killed
/// has the lock before it writes that.
void require_run_directory(const RunDirectory& run);

}  // namespace moesweep::store
