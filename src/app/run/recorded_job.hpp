#pragma once
// RUN/job.toml against the fingerprint that the first start recorded: people edit and delete files.

#include <string_view>
#include <vector>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/engine/store/scan.hpp>

namespace moesweep::run {

/// The job that the segments of `run` belong to. Error(run_directory) when job.toml is missing or
/// is not the one that the sweep was started with.
config::Settings recorded_job(const store::RunDirectory& run,
                              const std::vector<store::EpochRecord>& epochs);

/// Whether job.toml is there and says what `job` says, paths included: where a checkpoint is
/// written may change from start to start.
bool is_recorded(const store::RunDirectory& run, const jobs::Job& job);

/// Error(bad_input) naming a segment with units of another sweep, copied here by someone.
void refuse_foreign_units(const store::SegmentScan& scan, std::string_view fingerprint_hex);

}  // namespace moesweep::run
