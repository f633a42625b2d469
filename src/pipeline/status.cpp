#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <moesweep/pipeline/status.hpp>
#include <moesweep/store/lock.hpp>
#include <moesweep/store/run_directory.hpp>
#include <moesweep/store/scan.hpp>

#include "events.hpp"

namespace moesweep::pipeline {
namespace {

RunState state_of(const store::EpochRecord& last) {
  if (!last.end) {
    switch (store::liveness_of(last.start.owner)) {
      case store::Liveness::alive:
        return RunState::running;
      case store::Liveness::dead:
        return RunState::crashed;
      case store::Liveness::unknown:
        return RunState::unreachable;
    }
  }
  switch (last.end->exit_code) {
    case ExitCode::complete:
      return RunState::complete;
    case ExitCode::some_failed:
      return RunState::some_failed;
    case ExitCode::stopped_early:
    case ExitCode::no_progress:
      return RunState::stopped;
    default:
      return RunState::broken;
  }
}

// Returns how many units the last epoch has done.
std::int64_t count_units(Status& status, const store::SegmentScan& scan, Epoch last) {
  std::int64_t done_in_last_epoch = 0;
  for (const auto& [id, unit] : scan.units) {
    const auto& row = unit.row;
    const bool done = row.status == "done";
    ++(done ? status.units_done : status.units_failed);
    auto& kind = status.by_kind[row.kind];
    ++(done ? kind.done : kind.failed);
    if (!done) status.failures.emplace(row.key, row.error);
    if (row.epoch != last.value) continue;
    auto& latest = status.last_publication[row.rank];
    latest = std::max(latest, row.started + row.seconds);
    done_in_last_epoch += done ? 1 : 0;
  }
  status.segments = scan.segments;
  status.segment_bytes = scan.bytes;
  status.rotten_segments = static_cast<std::int64_t>(scan.rotten.size());
  return done_in_last_epoch;
}

void estimate_end(Status& status, const store::EpochRecord& last, std::int64_t done_in_last_epoch) {
  const double until = last.end ? last.end->unix_time : unix_time();
  const double seconds = until - last.start.unix_time;
  if (done_in_last_epoch == 0 || seconds <= 0.0) return;
  status.units_per_second = static_cast<double>(done_in_last_epoch) / seconds;
  const auto left = status.units_total - status.units_done - status.units_failed;
  if (status.state == RunState::running) {
    status.eta_seconds = static_cast<double>(left) / *status.units_per_second;
  }
}

}  // namespace

std::string run_state_name(RunState state) {
  constexpr std::array names = {"not started", "running",  "unreachable",       "crashed",
                                "stopped",     "complete", "some units failed", "broken"};
  return names[static_cast<std::size_t>(state)];
}

Status read_status(const std::filesystem::path& run_directory) {
  const store::RunDirectory run{run_directory};
  store::require_run_directory(run);
  Status status;
  const auto epochs = store::read_epochs(run.lock());
  if (epochs.empty()) return status;
  const auto& last = epochs.back();
  status.state = state_of(last);
  if (last.end) status.exit_code = last.end->exit_code;
  status.units_total = last.start.units;
  status.epochs = last.epoch.value;
  status.abnormal_ends =
      std::count_if(epochs.begin(), epochs.end(), [](const auto& epoch) { return !epoch.end; }) -
      (status.state == RunState::running ? 1 : 0);
  status.owner = fmt::format("{}, pid {}", last.start.owner.host, last.start.owner.pid);
  const auto scan = store::scan_segments(run.segments(), store::Rotten::leave_in_place);
  estimate_end(status, last, count_units(status, scan, last.epoch));
  return status;
}

}  // namespace moesweep::pipeline
