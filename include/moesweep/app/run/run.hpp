#pragma once
// `moesweep run`: starts or resumes the sweep of a run directory on all ranks of a session.

#include <any>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/app/run/platform.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/core/records/table.hpp>
#include <moesweep/engine/comm/session.hpp>
#include <moesweep/engine/sweep/coordinator.hpp>

namespace moesweep::run {

/// Of one rank, as resources.threads.
inline constexpr int most_threads = 65536;

struct RunOptions {
  config::Settings job;         ///< parsed by whoever starts the run
  std::optional<Error> no_job;  ///< why there is none: thrown on every rank
  Platform platform;            ///< by the job's resources.isa
  std::filesystem::path run_directory;
  std::optional<int> threads;             ///< --threads, else resources.threads
  std::optional<double> deadline;         ///< Unix time, s
  double deadline_margin_seconds = 60.0;  ///< before the deadline, for publishing
  std::optional<int> expect_ranks;        ///< refuse another world size
  bool take_over = false;
  std::function<void(const sweep::Progress&)> on_progress;  ///< rank 0, about ten times a second
};

struct RunReport {
  ExitCode exit_code = ExitCode::stopped_early;
  // Rank 0 only:
  sweep::Progress progress;
  double seconds = 0.0;    ///< from the start of run(), aggregation included
  std::string digest;      ///< empty unless complete
  std::any of_kind;        ///< what JobKind::finish says
  records::Tables tables;  ///< those of results.h5, when this run has written it
  std::string error;       ///< one line: why a rank could not publish, or the first failed unit
  std::int64_t bytes_read = 0;
  std::int64_t units_declined = 0;  ///< they would not have ended before the deadline
  double unused_seconds = 0.0;      ///< from the end to the deadline, when units were declined
};

/// Call install_stop_handlers() and open the session first. Errors that any rank meets before the
/// sweep starts are thrown on every rank with the same text.
RunReport run(comm::Session& session, const RunOptions& options);

/// SIGTERM, SIGINT and SIGUSR2 only set a flag from now on. Call before opening a session, so that
/// no signal is lost in MPI_Init.
void install_stop_handlers();

}  // namespace moesweep::run
