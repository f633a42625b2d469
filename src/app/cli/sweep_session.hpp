#pragma once
// What `run` and `quantize` share: the session of all ranks, and the end that rank 0 reports.

#include <functional>
#include <string>

#include <moesweep/app/run/run.hpp>

#include "command.hpp"

namespace moesweep::cli {

/// --threads, --deadline, --deadline-margin, --expect-ranks, --take-over.
void add_session_options(CLI::App& command, run::RunOptions& options);

/// What rank 0 says about its end, beside the counts.
struct EndReport {
  std::function<Json(const run::RunReport&)> json;
  std::function<void(const run::RunReport&)> text;
};

/// {"exit_code", "units_total", ...}
Json to_json(const run::RunReport& report);
/// Units, bytes and time, and what to do when it is not complete. `run_directory` is what
/// `moesweep status` is asked about.
void print_end(const run::RunReport& report, const std::string& run_directory);

/// Runs the sweep on all ranks and sets the exit code. That there is no job is reported once for
/// all ranks.
void run_session(run::RunOptions& options, const EndReport& end, Context& context);

}  // namespace moesweep::cli
