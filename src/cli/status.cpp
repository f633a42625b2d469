// `moesweep status RUN`: from files alone, while running or after.

#include <memory>

#include <fmt/format.h>

#include <moesweep/base/text.hpp>
#include <moesweep/pipeline/status.hpp>

#include "command.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

struct StatusOptions {
  std::string run_directory;
  bool exit_code = false;
};

Json to_json(const pipeline::Status& status) {
  Json document = {{"state", pipeline::run_state_name(status.state)},
                   {"exit_code", static_cast<int>(status.exit_code)},
                   {"units_total", status.units_total},
                   {"units_done", status.units_done},
                   {"units_failed", status.units_failed},
                   {"by_kind", Json::object()},
                   {"failures", Json::array()},
                   {"epochs", status.epochs},
                   {"abnormal_ends", status.abnormal_ends},
                   {"owner", status.owner},
                   {"segments", status.segments},
                   {"segment_bytes", status.segment_bytes},
                   {"rotten_segments", status.rotten_segments},
                   {"last_publication", Json::object()}};
  for (const auto& [kind, counts] : status.by_kind) {
    document["by_kind"][kind] = {{"done", counts.done}, {"failed", counts.failed}};
  }
  for (const auto& [key, error] : status.failures) {
    document["failures"].push_back({{"key", key}, {"error", error}});
  }
  for (const auto& [rank, time] : status.last_publication) {
    document["last_publication"][std::to_string(rank)] = time;
  }
  if (status.units_per_second) document["units_per_second"] = *status.units_per_second;
  if (status.eta_seconds) document["eta_seconds"] = *status.eta_seconds;
  return document;
}

void print(const pipeline::Status& status) {
  fmt::print("state      {} ({} starts, {} abnormal ends; {})\n",
             pipeline::run_state_name(status.state), status.epochs, status.abnormal_ends,
             printable(status.owner));
  fmt::print("units      {} done, {} failed, {} left of {}\n", format_count(status.units_done),
             format_count(status.units_failed),
             format_count(status.units_total - status.units_done - status.units_failed),
             format_count(status.units_total));
  fmt::print("segments   {} ({}), {} rotten\n", format_count(status.segments),
             format_size(status.segment_bytes), status.rotten_segments);
  if (status.units_per_second) fmt::print("rate       {:.2f} units/s\n", *status.units_per_second);
  if (status.eta_seconds) fmt::print("ETA        {}\n", format_duration(*status.eta_seconds));
  for (const auto& [key, error] : status.failures) {
    fmt::print("failed     {}: {}\n", printable(key), printable(error));
  }
}

void status(const StatusOptions& options, Context& context) {
  const auto status = pipeline::read_status(options.run_directory);
  if (context.json)
    print_json(to_json(status));
  else if (!context.quiet)
    print(status);
  if (options.exit_code) context.exit_code = status.exit_code;
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "status", "State of a sweep, from its files");
  auto options = std::make_shared<StatusOptions>();
  command->add_option("RUN", options->run_directory, "Run directory")->required();
  command->add_flag("--exit-code", options->exit_code,
                    "Exit with the code of the last end; 75 when it was not recorded");
  command->callback([options, &context] { status(*options, context); });
}

}  // namespace moesweep::cli
