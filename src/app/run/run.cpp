#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/app/run/aggregate.hpp>
#include <moesweep/app/run/run.hpp>
#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/core/records/units.hpp>
#include <moesweep/engine/capacity/machine.hpp>
#include <moesweep/engine/capacity/rates.hpp>
#include <moesweep/engine/capacity/resources.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/engine/sweep/drive.hpp>

#include "agree.hpp"
#include "epoch.hpp"
#include "events.hpp"
#include "segment_sink.hpp"
#include "signals.hpp"
#include "unit_runner.hpp"

namespace moesweep::run {
namespace {

constexpr double beat_every_seconds = 2.0;

capacity::RankResources resources_of(comm::Session& session, const config::Settings& settings,
                                     const RunOptions& options) {
  const int mine = capacity::fair_threads(session);
  const auto memory = capacity::fair_memory(session);
  const auto asked =
      options.threads.value_or(static_cast<int>(settings.integer("resources.threads")));
  capacity::RankResources out;
  out.threads = asked > 0 ? asked : mine;
  out.memory_bytes = settings.integer("resources.memory");
  if (out.memory_bytes == 0) {
    out.memory_bytes = memory.bytes;
    out.memory_source = memory.source;
  }
  if (asked > parallel::available_cpus()) {
    spdlog::warn(
        "{} threads on {} CPUs of the affinity mask: mpirun binds a rank to one core unless told "
        "`--bind-to none`",
        asked, parallel::available_cpus());
  }
  return out;
}

void check_ranks(const comm::Comm& comm, const RunOptions& options) {
  if (!options.expect_ranks || *options.expect_ranks == comm.size()) return;
  throw Error(ExitCode::bad_usage, "--expect-ranks",
              fmt::format("{} ranks were expected, MPI has {}", *options.expect_ranks, comm.size()),
              "start the program with the launcher of the MPI it was built with");
}

// Every rank must have what rank 0 has: one job, one checkpoint, one instruction set, one build.
void require_same_everywhere(comm::Session& session, const char* what, const std::string& mine,
                             const char* remedy) {
  const auto of_rank0 = session.share(mine);
  agree(session, [&] {
    if (mine == of_rank0) return;
    throw Error(ExitCode::bad_input,
                fmt::format("rank {} on {}", session.comm().rank().value, capacity::host_name()),
                fmt::format("has another {} than rank 0: {}, not {}", what, mine, of_rank0),
                remedy);
  });
}

// Progress and beat while the sweep runs, on rank 0.
class Observer {
 public:
  Observer(const store::RunDirectory& run, Epoch epoch, const RunOptions& options)
      : run_(run), epoch_(epoch), options_(options) {}

  void operator()(const sweep::CoordinatorState& state, double now) {
    last_ = sweep::progress(state, now);
    published_ = state.done - state.done_before;
    bytes_read_ = state.bytes_read;
    declined_ = state.declined;
    if (options_.on_progress) options_.on_progress(last_);
    if (now - last_beat_ >= beat_every_seconds) {
      last_beat_ = now;
      store::beat(run_.lock(), epoch_, ++beats_, outlook());
    }
  }
  const sweep::Progress& last() const { return last_; }
  std::int64_t published() const { return published_; }
  std::int64_t bytes_read() const { return bytes_read_; }
  std::int64_t declined() const { return declined_; }

 private:
  store::Outlook outlook() const {
    return {unix_time(), last_.computed, last_.eta_seconds.value_or(-1.0),
            last_.eta_low_seconds.value_or(-1.0), last_.eta_high_seconds.value_or(-1.0)};
  }

  const store::RunDirectory& run_;
  Epoch epoch_;
  const RunOptions& options_;
  sweep::Progress last_;
  std::int64_t published_ = 0;
  std::int64_t bytes_read_ = 0;
  std::int64_t declined_ = 0;
  double last_beat_ = -beat_every_seconds;
  std::int64_t beats_ = 0;
};

// Everything that compute threads touch. Leaked on purpose when the sweep must leave at once: units
// may still be running then, nothing waits for them, and they end with the process.
struct RankWork {
  RankWork(jobs::Job prepared, const store::RunDirectory& run, Epoch epoch, Rank rank,
           const capacity::RankResources& resources, double flush_interval)
      : job(std::move(prepared)),
        notes(run.lock(), epoch, rank, resources.threads),
        sink(job.plan, capacity::host_name(), {run.segments(), epoch, rank, flush_interval}),
        runner(job, notes, run.artifacts(), resources.threads) {}
  jobs::Job job;
  store::InFlightNotes notes;
  SegmentSink sink;
  UnitRunner runner;
};

void warn_of_serialized_blas(comm::Session& session, const Platform& platform, int threads) {
  if (platform.blas_is_reentrant || threads == 1) return;
  if (session.comm().rank() != comm::coordinator_rank) return;
  spdlog::warn(
      "{} is not safe to call from several threads: spectra are computed one at a time; "
      "install libopenblas0-pthread or another thread-safe BLAS",
      platform.blas);
}

jobs::Job prepare_on_all(comm::Session& session, const RunOptions& options) {
  std::optional<jobs::Job> job;
  agree(session, [&] {
    check_ranks(session.comm(), options);
    if (options.no_job) throw *options.no_job;
    job = jobs::prepare_job(options.job, capacity::Rates{});
    if (session.comm().rank() == comm::coordinator_rank) {
      for (const auto& warning : job->kind->warnings()) spdlog::warn("{}", printable(warning));
    }
  });
  require_same_everywhere(session, "job or checkpoint", job->fingerprint.hex(),
                          "make sure that every node reads the same files");
  require_same_everywhere(session, "instruction set", options.platform.isa,
                          "set resources.isa to one that all nodes have");
  require_same_everywhere(session, "BLAS", options.platform.blas,
                          "use one installation on all nodes");
  require_same_everywhere(session, "build", options.platform.build, "use one binary on all nodes");
  return std::move(*job);
}

/// The first is often why the others failed.
std::string describe_failures(const std::vector<records::FailureRow>& failures) {
  if (failures.empty()) return {};
  const auto& first = failures.front();
  const auto more = failures.size() - 1;
  return fmt::format("unit {} failed: {}{}", first.key, first.error,
                     more == 0 ? "" : fmt::format(" ({} more units failed)", more));
}

// What the end needs of the work, when its compute threads are gone.
std::unique_ptr<jobs::JobKind> end_work(std::unique_ptr<RankWork> work) {
  auto kind = std::move(work->job.kind);
  work.reset();  // ends the I/O thread: HDF5 is this thread's from here on
  return kind;
}

// The part of the end that is rank 0's: what is complete becomes results.h5. Only then is the end
// recorded, so that no sweep is called complete whose results could not be written.
void finish(const store::RunDirectory& run, RunReport& report, Epoch epoch,
            const jobs::JobKind* kind, const Observer& observer, const RunOptions& options) {
  report.progress = observer.last();
  report.bytes_read = observer.bytes_read();
  report.units_declined = observer.declined();
  if (options.deadline && report.units_declined > 0) {
    report.unused_seconds = std::max(0.0, *options.deadline - unix_time());
    append_event(run.events(), "tail_unused",
                 {{"epoch", epoch.value},
                  {"seconds", report.unused_seconds},
                  {"units_declined", report.units_declined}});
  }
  if (report.exit_code == ExitCode::complete || report.exit_code == ExitCode::some_failed) {
    const auto aggregate = [&] {
      Reduce reduce;
      if (kind != nullptr) {
        reduce = [kind](records::Tables rows) { return kind->reduce(std::move(rows)); };
      }
      auto made = write_aggregate(run.root, reduce);
      if (report.exit_code == ExitCode::complete && kind != nullptr) {
        report.of_kind = kind->finish(made.tables);
      }
      report.digest = made.digest;
      const auto failures = records::rows_of<records::FailureRow>(made.tables);
      report.error = describe_failures(failures);
      if (report.exit_code == ExitCode::some_failed && kind != nullptr) kind->explain(failures);
      report.tables = std::move(made.tables);
    };
    catch_failures(aggregate, [&](const Error& error) {
      report.exit_code = error.exit_code();
      report.error = error.what();
    });
  }
  report.exit_code = close_epoch(run, epoch, report.exit_code, observer.published());
}

// What fails in the loop of messages itself leaves ranks that wait for each other: the epoch is
// closed, and all of them end.
sweep::RankResult drive_or_close(RankWork& work, comm::Comm& comm, const sweep::RankInputs& inputs,
                                 const store::RunDirectory& run, Epoch epoch,
                                 const Observer& observer) {
  sweep::RankResult ended;
  const auto drive = [&] { ended = sweep::drive(comm, work.runner, work.sink, inputs); };
  catch_failures(drive, [&](const Error& error) {
    if (comm.rank() == comm::coordinator_rank) {
      close_epoch(run, epoch, error.exit_code(), observer.published());
    }
    if (comm.size() == 1) throw error;
    spdlog::error("{}", printable(error.what()));
    comm::abort_all(static_cast<int>(error.exit_code()));
  });
  return ended;
}

ExitCode share_exit_code(comm::Session& session, ExitCode of_rank0) {
  return static_cast<ExitCode>(
      std::stoi(session.share(std::to_string(static_cast<int>(of_rank0)))));
}

}  // namespace

RunReport run(comm::Session& session, const RunOptions& options) {
  const double begin = unix_time();
  auto& comm = session.comm();
  const bool is_root = comm.rank() == comm::coordinator_rank;
  if (comm.size() > 1) die_with_parent();

  auto job = prepare_on_all(session, options);
  const auto resources = resources_of(session, job.settings, options);
  warn_of_serialized_blas(session, options.platform, resources.threads);
  store::RunDirectory run;
  OpenEpoch open;
  agree(session, [&] {
    run.root = std::filesystem::absolute(options.run_directory);
    jobs::require_memory(job.plan, resources.memory_bytes, resources.memory_source);
    job.kind->run_in(run.root);
    if (!is_root) return;
    open = open_epoch(run, job, options.platform, comm.size(), options.take_over);
    record_if_it_fails(run, open.epoch, [&] { job.kind->begin(); });
  });
  const Epoch epoch{
      static_cast<std::int32_t>(std::stol(session.share(std::to_string(open.epoch.value))))};

  std::unique_ptr<RankWork> work;
  const auto prepare_work = [&] {
    const double interval = capacity::flush_seconds(job.settings, comm.size());
    work = std::make_unique<RankWork>(std::move(job), run, epoch, comm.rank(), resources, interval);
  };
  const auto prepare_all = [&] { agree(session, prepare_work); };
  if (is_root)
    record_if_it_fails(run, epoch, prepare_all);
  else
    prepare_all();
  Observer observer(run, epoch, options);
  sweep::RankInputs inputs;
  inputs.plan = &work->job.plan;
  inputs.worker = {resources.threads, resources.memory_bytes, capacity::host_name(),
                   options.deadline, options.deadline_margin_seconds};
  inputs.stop_requested = requested_stop;
  inputs.done = std::move(open.done);
  inputs.failed_without_run = std::move(open.failed_without_run);
  inputs.observe = std::ref(observer);
  const auto ended = drive_or_close(*work, comm, inputs, run, epoch, observer);

  RunReport report;
  report.exit_code = ended.exit_code;
  report.error = ended.error;
  std::unique_ptr<jobs::JobKind> kind;
  // Their threads are not joined: the program ends with _exit.
  if (ended.units_still_running) [[maybe_unused]]
    const auto* leaked = work.release();
  else
    kind = end_work(std::move(work));
  agree(session, [&] {
    if (is_root) finish(run, report, epoch, kind.get(), observer, options);
  });
  report.exit_code = share_exit_code(session, report.exit_code);
  report.seconds = unix_time() - begin;
  return report;
}

}  // namespace moesweep::run
