// `moesweep export RUN --to FORMAT OUT`: results for other programs; with --plan a plan for the one
// that quantizes.

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <moesweep/app/run/run_results.hpp>
#include <moesweep/app/tables/export.hpp>
#include <moesweep/app/tables/heads.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/plans/handoff/export_plan.hpp>

#include "command.hpp"
#include "plan_export.hpp"

namespace moesweep::cli {
namespace {

struct ExportCommand {
  std::string run_directory;
  std::string format;
  std::string output;
  tables::ExportOptions options;
  PlanExportCommand plan;
};

constexpr auto heads_format = "heads";

store::Results read_made(const store::RunDirectory& run) {
  auto results = run::read_run_results(run.root);
  const auto counts = run::sweep_counts(results, run.results().string());
  if (!counts.is_complete) {
    spdlog::warn("{} is incomplete: it was made from {} of {} units", run.results().string(),
                 counts.done, counts.total);
  }
  return results;
}

void export_trained_heads(const ExportCommand& command, const Context& context) {
  const store::RunDirectory run{command.run_directory};
  const auto results = read_made(run);
  if (!command.options.tables.empty()) {
    throw Error(ExitCode::bad_usage, "--table", "heads are no table", "leave it out");
  }
  const auto written =
      tables::export_heads(run.artifacts(), records::rows_of<records::ArtifactRow>(results.tables),
                           command.output, command.options.overwrite);
  if (context.json) {
    Json document = Json::array();
    for (const auto& file : written) document.push_back({{"file", file.string()}});
    return print_json(document);
  }
  if (!context.quiet) {
    fmt::print("{} heads to {}\n", format_count(static_cast<std::int64_t>(written.size())),
               printable(command.output));
  }
}

void export_plan(const ExportCommand& command, const Context& context) {
  // The only argument is OUT then.
  if (command.run_directory.empty() || !command.output.empty()) {
    throw Error(ExitCode::bad_usage, "export --plan", "takes one argument, the folder to write",
                "a plan needs no run directory");
  }
  if (!command.options.tables.empty()) {
    throw Error(ExitCode::bad_usage, "--table", "a plan has no tables", "leave it out");
  }
  export_plan_to(command.plan, command.format, command.run_directory, command.options.overwrite,
                 context);
}

void refuse_plan_options(const ExportCommand& command) {
  const auto& plan = command.plan;
  if (command.run_directory.empty()) {
    throw Error(ExitCode::bad_usage, "RUN", "is missing",
                "name a run directory, or a plan with --plan");
  }
  if (command.output.empty()) {
    throw Error(ExitCode::bad_usage, "OUT", "is missing", "name a file or folder");
  }
  if (!plan.architecture.empty() || !plan.config.empty() || plan.allow_unmapped) {
    throw Error(ExitCode::bad_usage, "export",
                "--architecture, --config and --allow-unmapped are for plans", "give --plan");
  }
  const bool table_format =
      std::ranges::find(tables::format_names(), command.format) != tables::format_names().end();
  if (!table_format && is_plan_format(command.format)) {
    throw Error(ExitCode::bad_usage, "--to " + command.format, "is a format of plans",
                "give --plan FILE instead of a run directory");
  }
}

void export_run(ExportCommand& command, const Context& context) {
  if (!command.plan.plan.empty()) return export_plan(command, context);
  refuse_plan_options(command);
  if (command.format == heads_format) return export_trained_heads(command, context);
  tables::require_format(command.format);
  command.options.format = command.format;
  command.options.output = command.output;
  const auto results = read_made(store::RunDirectory{command.run_directory});
  const auto written = tables::export_tables(results.tables, command.options);
  if (context.json) {
    Json document = Json::array();
    for (const auto& table : written) {
      document.push_back(
          {{"table", table.table}, {"rows", table.rows}, {"file", table.file.string()}});
    }
    return print_json(document);
  }
  if (context.quiet) return;
  for (const auto& table : written) {
    fmt::print("{}: {} rows to {}\n", table.table, format_count(table.rows),
               printable(table.file.string()));
  }
}

}  // namespace

void add_export(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "export", "Write tables or a plan for other programs");
  auto state = std::make_shared<ExportCommand>();
  command->add_option("RUN", state->run_directory, "Run directory; left out with --plan");
  command->add_option("OUT", state->output, "File or folder to write");
  command
      ->add_option("--to", state->format,
                   fmt::format("{}; heads: trained heads, one .npz a seed; with --plan {}",
                               fmt::join(tables::format_names(), ", "),
                               fmt::join(handoff::plan_formats(), ", ")))
      ->required();
  command->add_option("--table", state->options.tables, "Only this table, e.g. sensitivity/tensors")
      ->allow_extra_args(false);
  add_plan_export_options(*command, state->plan);
  command->add_flag("--overwrite", state->options.overwrite, "Replace existing files");
  command->callback([state, &context] { export_run(*state, context); });
}

}  // namespace moesweep::cli
