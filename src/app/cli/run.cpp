// `moesweep run JOB --run-dir RUN`: starts or resumes a sweep.

#include <memory>
#include <vector>

#include <moesweep/app/jobs/job_file.hpp>

#include "command.hpp"
#include "summary.hpp"
#include "sweep_session.hpp"

namespace moesweep::cli {
namespace {

struct RunCommand {
  run::RunOptions options;
  std::string job;
  std::vector<std::string> overrides;  ///< --set
  std::string run_directory;
};

void run(RunCommand& command, Context& context) {
  try {
    command.options.job = jobs::load_job(command.job, command.overrides);
  } catch (const Error& error) {
    command.options.no_job = error;
  }
  command.options.run_directory = command.run_directory;
  const EndReport end{to_json, [&](const run::RunReport& report) {
                        if (report.exit_code == ExitCode::complete) {
                          print_summary(report.tables);
                        }
                        print_end(report, command.run_directory);
                      }};
  run_session(command.options, end, context);
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "run", "Start or resume a sweep");
  auto state = std::make_shared<RunCommand>();
  auto& options = state->options;
  command->add_option("JOB", state->job, "Job file")->required();
  command
      ->add_option("--run-dir", state->run_directory,
                   "Folder of the sweep: segments, results, events")
      ->required()
      ->check([](const std::string& path) { return path.empty() ? "is empty" : ""; });
  command->add_option("--set", state->overrides, "Override a key: key=value")
      ->allow_extra_args(false);
  add_session_options(*command, options);
  command->callback([state, &context] { run(*state, context); });
}

}  // namespace moesweep::cli
