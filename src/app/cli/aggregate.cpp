// `moesweep aggregate RUN`: results.h5 from what is on disk, complete or not.

#include <memory>

#include <fmt/format.h>

#include <moesweep/app/run/aggregate.hpp>
#include <moesweep/core/base/text.hpp>

#include "command.hpp"

namespace moesweep::cli {
namespace {

void aggregate(const std::string& run_directory, const Context& context) {
  const auto made = run::write_aggregate(run_directory);
  if (context.json) {
    return print_json({{"units_total", made.units_total},
                       {"units_done", made.units_done},
                       {"units_failed", made.units_failed},
                       {"complete", made.complete()},
                       {"rotten_segments", made.rotten},
                       {"results_digest", made.digest}});
  }
  if (context.quiet) return;
  fmt::print("{} of {} units in results.h5, {} failed\n", format_count(made.units_done),
             format_count(made.units_total), format_count(made.units_failed));
  for (const auto& name : made.rotten) {
    fmt::print("segment {} does not match its hash and was left out\n", printable(name));
  }
  if (made.complete())
    fmt::print("results digest {}\n", made.digest);
  else
    fmt::print("incomplete: no digest\n");
}

}  // namespace

void add_aggregate(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "aggregate", "Rebuild results.h5 from the segments");
  auto run_directory = std::make_shared<std::string>();
  command->add_option("RUN", *run_directory, "Run directory")->required();
  command->callback([run_directory, &context] { aggregate(*run_directory, context); });
}

}  // namespace moesweep::cli
