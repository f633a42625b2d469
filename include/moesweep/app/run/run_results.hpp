#pragma once
// The one way to the results of a run directory for commands that read them.

#include <cstdint>
#include <filesystem>
#include <string>

#include <moesweep/engine/store/results.hpp>

namespace moesweep::run {

/// Checks results.h5 and reads it. Where it is missing or damaged and the segments hold the whole
/// of a sweep, it is made again from them, and a warning says so. Otherwise throws
/// store::DamagedResults naming the file, why it was not made again, and the remedy; Error(
/// run_directory) when this is no run directory; and what store::read_results throws.
store::Results read_run_results(const std::filesystem::path& run_directory);

/// What results.h5 says of the sweep that it was made from; what is missing is 0 or no.
struct SweepCounts {
  bool is_complete = false;
  std::int64_t done = 0;
  std::int64_t failed = 0;
  std::int64_t total = 0;

  /// "3 of 4 units are done, 1 failed"
  std::string text() const;
};
/// Error(bad_input) naming `file` for what no sweep has written.
SweepCounts sweep_counts(const store::Results& results, const std::string& file);

/// The command that finishes an unfinished sweep: "`moesweep run RUN/job.toml --run-dir RUN`".
std::string how_to_finish(const std::filesystem::path& run_directory);

}  // namespace moesweep::run
