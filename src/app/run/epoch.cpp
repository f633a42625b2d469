#include "epoch.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <new>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/engine/comm/session.hpp>
#include <moesweep/engine/store/quarantine.hpp>
#include <moesweep/engine/store/scan.hpp>

#include "events.hpp"
#include "lost_outputs.hpp"
#include "recorded_job.hpp"

namespace moesweep::run {
namespace {

// A unit that was in flight at this many abnormal ends is taken to cause them.
constexpr int abnormal_ends_to_blame = 2;

std::vector<std::string> input_lines(const jobs::Job& job) {
  std::vector<std::string> lines;
  for (const auto& input : job.inputs) lines.push_back(input.name + " " + input.hash.hex());
  return lines;
}

store::EpochStart describe_start(const jobs::Job& job, const Platform& platform, int ranks) {
  return {store::this_process(),
          job.fingerprint.hex(),
          input_lines(job),
          platform.isa,
          platform.blas,
          platform.build,
          ranks,
          checked_cast<std::int64_t>(job.plan.size()),
          unix_time()};
}

// `started_with` is what the user may go back to; by default, what describes the sweep.
[[noreturn]] void refuse(const store::RunDirectory& run, const std::string& what,
                         std::string_view started_with = {}) {
  const bool written_checkpoint = run.root.filename() == ".moesweep";
  if (started_with.empty()) started_with = written_checkpoint ? "arguments" : "job";
  throw Error(ExitCode::run_directory, run.root.string(), "holds another sweep: " + what,
              fmt::format("use a new {}, or the {} it was started with",
                          written_checkpoint ? "OUT" : "--run-dir", started_with));
}

void refuse_other_inputs(const store::RunDirectory& run, const std::vector<std::string>& recorded,
                         const std::vector<std::string>& now) {
  for (std::size_t i = 0; i < std::max(recorded.size(), now.size()); ++i) {
    const auto& before = i < recorded.size() ? recorded[i] : "absent";
    const auto& here = i < now.size() ? now[i] : "absent";
    if (before != here) {
      refuse(run, fmt::format("input {} here, {} in the run directory", here, before));
    }
  }
}

// By name: a fingerprint alone would not tell the user what to change back.
void refuse_other_job(const store::RunDirectory& run, const jobs::Job& job,
                      const store::EpochStart& first, const store::EpochStart& now) {
  if (now.fingerprint != first.fingerprint) {
    const auto recorded = recorded_job(run, {{Epoch{1}, first, std::nullopt}});
    const auto differences = jobs::differences(job.settings, recorded);
    // Another format or kind has other inputs too: the setting says more than their hashes.
    if (differences.empty()) refuse_other_inputs(run, first.inputs, now.inputs);
    refuse(run, fmt::format("{}", fmt::join(differences, "; ")));
  }
  const auto compare = [&](const char* what, const std::string& here, const std::string& there) {
    if (here != there) refuse(run, fmt::format("{} {} here, {} there", what, here, there), what);
  };
  compare("instruction set", now.isa, first.isa);
  compare("BLAS", now.blas, first.blas);
  compare("build", now.build, first.build);
}

/// Other hosts take a sweep without a beat for abandoned, and reading may take its time.
class BeatWhileReading {
 public:
  BeatWhileReading(const store::RunDirectory& run, Epoch epoch) : run_(run), epoch_(epoch) {}
  void operator()() {
    const double now = unix_time();
    if (now - last_ < every_seconds) return;
    last_ = now;
    store::beat(run_.lock(), epoch_, ++count_, {now, 0, -1.0, -1.0, -1.0});
  }

 private:
  static constexpr double every_seconds = 2.0;
  const store::RunDirectory& run_;
  Epoch epoch_;
  double last_ = 0.0;
  std::int64_t count_ = 0;
};

/// A shard stays until it is replaced: runtimes load what is in its folder.
std::string set_aside(const LostOutput& lost) {
  if (!lost.is_artifact()) return {};
  if (!std::filesystem::exists(link_status_of(lost.path))) return {};
  return fmt::format("moved to {}, ", store::quarantine(lost.path).parent_path().string());
}

/// Units whose files are gone or damaged are not done.
void forget_lost_outputs(OpenEpoch& open, const store::RunDirectory& run,
                         const store::SegmentScan& scan, const jobs::Job& job) {
  const LookOptions options{.look = store::Look::bytes,
                            .job = &job.settings,
                            .on_looked = BeatWhileReading(run, open.epoch)};
  for (const auto& lost : lost_outputs(run, scan, options)) {
    spdlog::warn("{}: {}{} runs again", lost.text(), set_aside(lost), lost.key);
    append_event(run.events(), "output_lost",
                 {{"unit", lost.key}, {"file", lost.file.name}, {"problem", lost.problem}});
    open.done.erase(lost.unit);
  }
}

void read_standings(OpenEpoch& open, const store::RunDirectory& run, const jobs::Job& job) {
  const auto scan = store::scan_segments(run.segments(), store::Rotten::quarantine);
  refuse_foreign_units(scan, job.fingerprint.hex());
  for (const auto& name : scan.rotten)
    append_event(run.events(), "quarantined", {{"segment", name}});
  for (const auto& [id, unit] : scan.units) {
    if (unit.row.status == "done") open.done.insert(id);
  }
  forget_lost_outputs(open, run, scan, job);
  // Once recorded as done or failed, a unit starts with a clean slate: resuming retries it, also
  // one whose file is lost.
  const auto recorded_in = [&](UnitId id) {
    const auto found = scan.units.find(id);
    return found == scan.units.end() ? Epoch{0} : Epoch{found->second.last_epoch};
  };
  for (const auto& [id, ends] : store::abnormal_ends(run.lock(), recorded_in)) {
    if (ends < abnormal_ends_to_blame || open.done.contains(id)) continue;
    open.failed_without_run[id] =
        fmt::format("was being computed when the sweep ended abnormally {} times", ends);
  }
}

}  // namespace

OpenEpoch open_epoch(const store::RunDirectory& run, const jobs::Job& job, const Platform& platform,
                     int ranks, bool take_over) {
  store::create_run_directory(run);
  const auto start = describe_start(job, platform, ranks);
  const auto epochs = store::read_epochs(run.lock());
  if (!epochs.empty()) refuse_other_job(run, job, epochs.front().start, start);
  OpenEpoch open;
  store::AcquireOptions acquire;
  acquire.take_over = take_over;
  open.epoch = store::acquire(run.lock(), start, acquire);
  record_if_it_fails(run, open.epoch, [&] {
    store::remove_leftovers(run, open.epoch);
    if (!is_recorded(run, job)) publish_file(run.job(), jobs::to_toml(job.settings));
    read_standings(open, run, job);
  });
  append_event(run.events(), "started",
               {{"epoch", open.epoch.value},
                {"host", start.owner.host},
                {"ranks", ranks},
                {"isa", start.isa},
                {"blas", start.blas},
                {"build", start.build},
                {"mpi", comm::mpi_version()},
                {"slurm_job", start.owner.slurm_job},
                {"units_done_before", open.done.size()},
                {"record", nlohmann::json::parse(store::encode_start(start))}});
  return open;
}

void record_if_it_fails(const store::RunDirectory& run, Epoch epoch,
                        const std::function<void()>& step) {
  catch_failures(step, [&](const Error& error) {
    close_epoch(run, epoch, error.exit_code(), 0);
    throw error;
  });
}

ExitCode close_epoch(const store::RunDirectory& run, Epoch epoch, ExitCode exit_code,
                     std::int64_t units_published) {
  const auto epochs = store::read_epochs(run.lock());
  if (exit_code == ExitCode::stopped_early && units_published == 0 && epochs.size() >= 2) {
    const auto& previous = epochs[epochs.size() - 2].end;
    if (previous && previous->units_published == 0) exit_code = ExitCode::no_progress;
  }
  store::record_end(run.lock(), epoch, {exit_code, units_published, unix_time()});
  append_event(run.events(), "ended",
               {{"epoch", epoch.value},
                {"exit_code", static_cast<int>(exit_code)},
                {"units_published", units_published}});
  return exit_code;
}

}  // namespace moesweep::run
