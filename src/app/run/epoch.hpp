#pragma once
// Rank 0's part of starting and ending an epoch: the run directory, the lock, what is done already.

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/app/run/platform.hpp>
#include <moesweep/core/base/ids.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>

namespace moesweep::run {

struct OpenEpoch {
  Epoch epoch;
  std::unordered_set<UnitId> done;
  std::unordered_map<UnitId, std::string>
      failed_without_run;  ///< ended the sweep twice: with the reason
};

/// Takes the lock, refuses a directory of another job, instruction set, BLAS or build
/// (Error(run_directory), naming what differs), quarantines segments and artifacts that do not
/// match their hash and reads what is done: units whose files are all as they were written.
OpenEpoch open_epoch(const store::RunDirectory& run, const jobs::Job& job, const Platform& platform,
                     int ranks, bool take_over);

/// Records how the epoch ended and returns the code to exit with: an early stop that published
/// nothing, after one that published nothing either, becomes ExitCode::no_progress.
ExitCode close_epoch(const store::RunDirectory& run, Epoch epoch, ExitCode exit_code,
                     std::int64_t units_published);

/// Runs `step`, a part of starting the epoch, and closes the epoch with the code of an Error that
/// it throws, or of what the system refuses it: left open it would read as a crash, and a batch
/// script would try for ever.
void record_if_it_fails(const store::RunDirectory& run, Epoch epoch,
                        const std::function<void()>& step);

}  // namespace moesweep::run
