#include <cstdio>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <moesweep/pipeline/run.hpp>

#include "command.hpp"
#include "crash.hpp"

namespace moesweep::cli {

CLI::App* add_command(CLI::App& app, Context& context, const std::string& name,
                      const std::string& description) {
  auto* command = app.add_subcommand(name, description);
  command->add_flag("--json", context.json, "Print one JSON document instead of text");
  command->add_flag("--quiet,-q", context.quiet, "Print nothing but errors");
  return command;
}

void print_json(const Json& document) {
  fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

namespace {

void log_to_stderr() {
  auto logger = spdlog::stderr_color_mt("moesweep");
  logger->set_pattern("moesweep: %l: %v");
  spdlog::set_default_logger(std::move(logger));
}

int report(const Error& error) {
  fmt::print(stderr, "moesweep: {}\n", error.what());
  return static_cast<int>(error.exit_code());
}

int report(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  fmt::print(stderr, "moesweep: {}; see `moesweep --help`\n", printable(error.what()));
  return static_cast<int>(ExitCode::bad_usage);
}

int run_command(int argc, char** argv) {
  Context context;
  context.arguments = argv;
  CLI::App app{"Distributed batch sweeps over very large mixture-of-experts models", "moesweep"};
  app.set_version_flag("--version", pipeline::build_description());
  app.require_subcommand(1);
  add_inspect(app, context);
  add_plan(app, context);
  add_run(app, context);
  add_status(app, context);
  add_aggregate(app, context);
  add_verify(app, context);
  add_export(app, context);
  add_doctor(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report(app, error);
  } catch (const Error& error) {
    return report(error);
  }
  if (std::fflush(stdout) != 0) {
    return report(Error(ExitCode::io_error, "standard output", "cannot be written"));
  }
  if (context.exit_without_cleanup) ::_exit(static_cast<int>(context.exit_code));
  return static_cast<int>(context.exit_code);
}

}  // namespace
}  // namespace moesweep::cli

int main(int argc, char** argv) {
  moesweep::cli::install_crash_handlers();
  moesweep::cli::log_to_stderr();
  return moesweep::cli::run_command(argc, argv);
}
