#include "sweep_session.hpp"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/comm/session.hpp>
#include <moesweep/model/kernels/isa.hpp>

#include "build.hpp"
#include "progress.hpp"

namespace moesweep::cli {
namespace {

void print_unused(const run::RunReport& report) {
  if (report.units_declined == 0) return;
  fmt::print("{} units were left because none of them fits before the deadline, {} from now\n",
             format_count(report.units_declined), format_duration(report.unused_seconds));
}

/// The instruction set that the job asks for; that there is none of that name is reported as a
/// mistake in the job is.
void pin_isa_of_job(run::RunOptions& options) {
  if (options.no_job) return;
  try {
    kernels::pin_isa(options.job.text("resources.isa"));
  } catch (const Error& error) {
    options.no_job = error;
  }
}

// OpenBLAS chooses its kernels when it is loaded, and only from this variable: so that BLAS uses
// the instruction set that the kernels use, the program sets it and executes itself again, before
// MPI knows of it. With resources.isa = "native" a value that the user has set stays. OpenBLAS then
// starts no threads either, which would spin beside the sweep's for a while.
void match_blas_to_isa(const run::RunOptions& options, const Context& context) {
  constexpr auto variable = "OPENBLAS_CORETYPE";
  if (kernels::blas_description().rfind("OpenBLAS", 0) != 0) return;
  if (options.no_job) {
    // One that passes must not leave the sweep with another BLAS.
    if (options.no_job->exit_code() == ExitCode::io_error) throw *options.no_job;
    return;
  }
  const char* current = std::getenv(variable);
  if (options.job.text("resources.isa") == "native" && current != nullptr) return;
  const auto coretype = kernels::blas_coretype_for(kernels::active_isa());
  if (coretype.empty() || (current != nullptr && current == coretype)) return;
  ::setenv(variable, coretype.c_str(), 1);
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  ::execv("/proc/self/exe", context.arguments);
}

void report_on_rank0(const run::RunReport& report, const EndReport& end, const Context& context) {
  if (!report.error.empty()) print_error(report.error);
  if (context.json) return print_json(end.json(report));
  if (!context.quiet) end.text(report);
}

}  // namespace

Json to_json(const run::RunReport& report) {
  return {{"exit_code", static_cast<int>(report.exit_code)},
          {"units_total", report.progress.total},
          {"units_done", report.progress.done},
          {"units_failed", report.progress.failed},
          {"bytes_read", report.bytes_read},
          {"seconds", report.seconds},
          {"unused_seconds", report.unused_seconds},
          {"results_digest", report.digest},
          {"error", report.error}};
}

void print_end(const run::RunReport& report, const std::string& run_directory) {
  const auto& progress = report.progress;
  fmt::print("{} of {} units done, {} failed, {} read, {}\n", format_count(progress.done),
             format_count(progress.total), format_count(progress.failed),
             format_size(report.bytes_read), format_duration(report.seconds));
  switch (report.exit_code) {
    case ExitCode::complete:
      fmt::print("results digest {}\n", report.digest);
      break;
    case ExitCode::some_failed:
      fmt::print(
          "failed units are listed by `moesweep status {}`; the same command tries them again\n",
          run_directory);
      break;
    case ExitCode::stopped_early:
      fmt::print("stopped early: the same command goes on\n");
      print_unused(report);
      break;
    case ExitCode::no_progress:
      fmt::print("stopped early again without finishing a unit: give it more time or memory\n");
      break;
    default:
      break;
  }
}

void add_session_options(CLI::App& command, run::RunOptions& options) {
  command.add_option("--threads,-t", options.threads, "Compute threads a rank")
      ->check(CLI::Range(1, run::most_threads));
  command.add_option("--deadline", options.deadline,
                     "Unix time by which everything must be on disk");
  command
      .add_option("--deadline-margin", options.deadline_margin_seconds,
                  "Seconds kept free before the deadline for publishing")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--expect-ranks", options.expect_ranks, "Refuse another number of MPI ranks");
  command.add_flag("--take-over", options.take_over,
                   "The process that holds the run directory is dead");
}

void run_session(run::RunOptions& options, const EndReport& end, Context& context) {
  pin_isa_of_job(options);
  match_blas_to_isa(options, context);
  options.platform = {kernels::active_isa(), kernels::blas_description(), build_description(),
                      kernels::blas_is_reentrant()};
  run::install_stop_handlers();
  // All is said before the session ends: mpirun ends all processes with the first that fails.
  const auto session = comm::open_session();
  const bool is_rank0 = session->comm().rank() == comm::coordinator_rank;
  ProgressDisplay display(context.quiet || context.json);
  if (is_rank0) {
    options.on_progress = [&](const sweep::Progress& progress) { display.show(progress); };
  }
  run::RunReport report;
  try {
    report = run::run(*session, options);
  } catch (const Error& error) {
    // The same on every rank; one of them tells.
    if (is_rank0) print_error(error.what());
    context.exit_code = error.exit_code();
    return;
  }
  context.exit_code = report.exit_code;
  if (!is_rank0) return;
  display.finish(report.progress);
  report_on_rank0(report, end, context);
  std::fflush(stdout);  // whether that worked is asked in the end, of the stream
}

}  // namespace moesweep::cli
