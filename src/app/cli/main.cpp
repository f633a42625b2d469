#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/resource_limit.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/comm/session.hpp>
#include <moesweep/model/kernels/isa.hpp>

#include "build.hpp"
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

// Bad usage is the same in every process of a launch; the first one tells. The others give it time:
// mpirun ends all processes with the first that fails.
int report(const Error& error) {
  constexpr auto time_to_tell = std::chrono::seconds(2);
  if (error.exit_code() == ExitCode::bad_usage && !comm::is_first_of_launch()) {
    std::this_thread::sleep_for(time_to_tell);
  } else {
    print_error(error.what());
  }
  return static_cast<int>(error.exit_code());
}

int report(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  return report(Error(ExitCode::bad_usage, "", error.what(), "see `moesweep --help`"));
}

// CLI11 would only say that a command is required.
void refuse_unknown_command(const CLI::App& app, const std::string& name) {
  if (name.starts_with('-')) return;
  std::vector<std::string> known;
  for (const auto* command : app.get_subcommands(nullptr)) known.push_back(command->get_name());
  if (std::ranges::find(known, name) != known.end()) return;
  const auto nearest = nearest_name(name, known);
  throw Error(ExitCode::bad_usage, fmt::format("command \"{}\"", name), "is unknown",
              nearest ? fmt::format("did you mean \"{}\"?", *nearest) : "see `moesweep --help`");
}

void parse(CLI::App& app, int argc, char** argv) {
  if (argc > 1) refuse_unknown_command(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const std::system_error& error) {  // fmt throws this for a stream
    if (std::ferror(stdout) == 0) throw;
    throw Error(ExitCode::io_error, "standard output", error.what());
  }
}

int run_command(int argc, char** argv) {
  Context context;
  context.arguments = argv;
  CLI::App app{"Distributed batch sweeps over very large mixture-of-experts models", "moesweep"};
  app.set_version_flag("--version", build_description());
  app.require_subcommand(1);
  add_inspect(app, context);
  add_plan(app, context);
  add_run(app, context);
  add_submit(app, context);
  add_status(app, context);
  add_unlock(app, context);
  add_aggregate(app, context);
  add_verify(app, context);
  add_export(app, context);
  add_allocate(app, context);
  add_quantize(app, context);
  add_verify_plan(app, context);
  add_twin(app, context);
  add_correlate(app, context);
  add_import_cache(app, context);
  add_doctor(app, context);
  std::optional<int> failed;
  try {
    catch_failures([&] { parse(app, argc, argv); },
                   [&](const Error& error) { failed = report(error); });
  } catch (const CLI::ParseError& error) {
    return report(app, error);
  }
  if (failed) return *failed;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return report(Error(ExitCode::io_error, "standard output", "cannot be written"));
  }
  return static_cast<int>(context.exit_code);
}

// A file that is opened later must not become standard output or error, and get what is printed.
void open_standard_descriptors() {
  while (true) {
    const int descriptor = ::open("/dev/null", O_RDWR);
    if (descriptor > STDERR_FILENO) ::close(descriptor);
    if (descriptor < 0 || descriptor > STDERR_FILENO) return;
  }
}

// OpenBLAS starts threads when it is loaded. Where memory is short they wait for it for ever, and
// each fork and exit waits for them. Nothing here needs them: under a limit the program executes
// itself again without.
void start_without_threads_of_blas(char** arguments) {
  constexpr auto variable = "OPENBLAS_NUM_THREADS";
  const char* const current = std::getenv(variable);
  if (current != nullptr && std::string_view(current) == "1") return;
  if (!is_limited(RLIMIT_AS) && !is_limited(RLIMIT_DATA)) return;
  if (!kernels::blas_description().starts_with("OpenBLAS")) return;
  ::setenv(variable, "1", 1);
  ::execv("/proc/self/exe", arguments);
}

// Without what libraries do at an exit: OpenBLAS waits for its threads, and those may be waiting
// for memory; compute threads of ours may still be running.
[[noreturn]] void leave(int exit_code) {
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(exit_code);
}

}  // namespace
}  // namespace moesweep::cli

int main(int argc, char** argv) {
  moesweep::cli::start_without_threads_of_blas(argv);
  moesweep::cli::open_standard_descriptors();
  moesweep::cli::install_crash_handlers();
  moesweep::cli::log_to_standard_error();
  moesweep::cli::leave(moesweep::cli::run_command(argc, argv));
}
