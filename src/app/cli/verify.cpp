// `moesweep verify RUN`: do the segments match their hashes, and results.h5 the segments?

#include <memory>

#include <fmt/format.h>

#include <moesweep/app/run/aggregate.hpp>

#include "command.hpp"

namespace moesweep::cli {
namespace {

void verify(const std::string& run_directory, Context& context) {
  run::Aggregate aggregated;
  const auto findings = run::verify(run_directory, aggregated);
  if (!findings.empty()) {
    context.exit_code = aggregated.complete() ? ExitCode::bad_input : ExitCode::stopped_early;
  }
  if (context.json) {
    return print_json(
        {{"ok", findings.empty()}, {"findings", findings}, {"results_digest", aggregated.digest}});
  }
  for (const auto& finding : findings) print_error(finding);
  if (!context.quiet && !aggregated.digest.empty()) {
    fmt::print("results digest {}\n", aggregated.digest);
  }
}

}  // namespace

void add_verify(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "verify", "Check segments and results, print the digest");
  auto run_directory = std::make_shared<std::string>();
  command->add_option("RUN", *run_directory, "Run directory")->required();
  command->callback([run_directory, &context] { verify(*run_directory, context); });
}

}  // namespace moesweep::cli
