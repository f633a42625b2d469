#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <tuple>

#include <fmt/format.h>
#include <sys/stat.h>

#include <moesweep/app/run/status.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/retried.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/engine/store/scan.hpp>

#include "events.hpp"
#include "lost_outputs.hpp"

namespace moesweep::run {
namespace {

// As the lock does: a beat that stands still this long is no sign of life.
constexpr double beat_seconds = 90.0;

RunState state_of(const store::EpochRecord& last, const std::optional<store::Outlook>& outlook) {
  if (!last.end) {
    switch (store::liveness_of(last.start.owner)) {
      case store::Liveness::alive:
        return RunState::running;
      case store::Liveness::dead:
        return RunState::crashed;
      case store::Liveness::unknown:
        return outlook && unix_time() - outlook->unix_time < beat_seconds ? RunState::running
                                                                          : RunState::unreachable;
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
  std::vector<const records::UnitRow*> failed;
  for (const auto& [id, unit] : scan.units) {
    const auto& row = unit.row;
    const bool done = row.status == "done";
    ++(done ? status.units_done : status.units_failed);
    auto& kind = status.by_kind[row.kind];
    ++(done ? kind.done : kind.failed);
    if (!done) failed.push_back(&row);
    if (row.epoch == last.value && done) ++done_in_last_epoch;
  }
  std::ranges::sort(failed, {}, [](const auto* row) { return std::tie(row->started, row->key); });
  for (const auto* row : failed) status.failures.emplace_back(row->key, row->error);
  status.segments = scan.segments;
  status.segment_bytes = scan.bytes;
  status.rotten_segments = static_cast<std::int64_t>(scan.rotten.size());
  return done_in_last_epoch;
}

// By size alone: reading them is what verify and a start do.
void forget_lost_outputs(Status& status, const store::RunDirectory& run, store::SegmentScan& scan) {
  for (const auto& lost : lost_outputs(run, scan, {.look = store::Look::size})) {
    status.lost_outputs.push_back(lost.text());
    scan.units.erase(lost.unit);
  }
}

// An end says what was on disk then.
void notice_damage(Status& status) {
  const bool was_whole =
      status.state == RunState::complete || status.state == RunState::some_failed;
  if (!was_whole || status.units_done + status.units_failed >= status.units_total) return;
  status.state = RunState::damaged;
  status.exit_code = ExitCode::stopped_early;
}

// A segment is named e<epoch>-r<rank>-...; its time is the file server's.
void read_flushes(Status& status, const std::filesystem::path& segments, Epoch last) {
  const auto prefix = fmt::format("e{:04}-r", last.value);
  for (const auto& name : names_in_folder(segments)) {
    if (!name.starts_with(prefix)) continue;
    const auto path = segments / name;
    struct stat file {};
    if (retried([&] { return ::stat(path.c_str(), &file); }) != 0) {
      if (errno == ENOENT) continue;  // set aside in the meantime
      throw unreadable(path, errno);
    }
    const auto rank =
        static_cast<std::int32_t>(std::strtol(name.c_str() + prefix.size(), nullptr, 10));
    const double time =
        static_cast<double>(file.st_mtim.tv_sec) + 1e-9 * static_cast<double>(file.st_mtim.tv_nsec);
    auto& latest = status.last_flush[rank];
    latest = std::max(latest, time);
  }
}

void describe_starts(Status& status, const std::vector<store::EpochRecord>& epochs) {
  for (const auto& [epoch, start, end] : epochs) {
    status.starts.push_back({epoch.value, start.ranks, start.owner.host, start.owner.slurm_job,
                             start.unix_time, end ? std::optional(end->exit_code) : std::nullopt});
  }
}

void find_lost_nodes(Status& status, const store::SegmentScan& scan) {
  std::map<std::string, std::int32_t> last_seen;  // epoch by host
  std::int32_t last_with_results = 0;
  for (const auto& [id, unit] : scan.units) {
    auto& epoch = last_seen[unit.row.host];
    epoch = std::max(epoch, unit.row.epoch);
    last_with_results = std::max(last_with_results, unit.row.epoch);
  }
  std::map<std::int32_t, bool> ended_abnormally;
  for (const auto& start : status.starts) ended_abnormally[start.epoch] = !start.exit_code;
  for (const auto& [host, epoch] : last_seen) {
    if (ended_abnormally[epoch] && epoch < last_with_results) status.nodes_lost.push_back(host);
  }
}

void estimate_end(Status& status, const store::EpochRecord& last, std::int64_t done_in_last_epoch,
                  const std::optional<store::Outlook>& outlook) {
  const double until = last.end ? last.end->unix_time : unix_time();
  const double seconds = until - last.start.unix_time;
  if (done_in_last_epoch > 0 && seconds > 0.0)
    status.units_per_second = static_cast<double>(done_in_last_epoch) / seconds;
  if (status.state != RunState::running) return;
  if (outlook && outlook->eta_seconds >= 0.0) {  // by cost, which counts of units do not know
    const double age = unix_time() - outlook->unix_time;
    status.eta_seconds = std::max(0.0, outlook->eta_seconds - age);
    status.eta_low_seconds = std::max(0.0, outlook->eta_low_seconds - age);
    status.eta_high_seconds = std::max(0.0, outlook->eta_high_seconds - age);
  } else if (status.units_per_second) {
    const auto left = status.units_total - status.units_done - status.units_failed;
    status.eta_seconds = static_cast<double>(left) / *status.units_per_second;
  }
}

}  // namespace

std::string run_state_name(RunState state) {
  constexpr std::array names = {"not started",       "running", "unreachable",
                                "crashed",           "stopped", "complete",
                                "some units failed", "broken",  "damaged"};
  return names[static_cast<std::size_t>(state)];
}

Status read_status(const std::filesystem::path& run_directory) {
  const store::RunDirectory run{run_directory};
  store::require_run_directory(run);
  Status status;
  const auto epochs = store::read_epochs(run.lock());
  if (epochs.empty()) return status;
  const auto& last = epochs.back();
  const auto outlook = store::last_outlook(run.lock(), last.epoch);
  status.state = state_of(last, outlook);
  if (last.end) status.exit_code = last.end->exit_code;
  status.units_total = last.start.units;
  status.epochs = last.epoch.value;
  status.abnormal_ends =
      std::count_if(epochs.begin(), epochs.end(),
                    [](const auto& epoch) { return !epoch.end || epoch.end->by_unlock; }) -
      (status.state == RunState::running ? 1 : 0);
  status.owner = fmt::format("{}, pid {}", last.start.owner.host, last.start.owner.pid);
  auto scan = store::scan_segments(run.segments(), store::Rotten::leave_in_place);
  forget_lost_outputs(status, run, scan);
  describe_starts(status, epochs);
  find_lost_nodes(status, scan);
  read_flushes(status, run.segments(), last.epoch);
  const auto done_in_last_epoch = count_units(status, scan, last.epoch);
  notice_damage(status);
  estimate_end(status, last, done_in_last_epoch, outlook);
  return status;
}

}  // namespace moesweep::run
