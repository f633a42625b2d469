// `moesweep export RUN --to FORMAT OUT`: results for other programs.

#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/base/text.hpp>
#include <moesweep/export/export.hpp>
#include <moesweep/store/results.hpp>
#include <moesweep/store/run_directory.hpp>

#include "command.hpp"

namespace moesweep::cli {
namespace {

struct ExportCommand {
  std::string run_directory;
  std::string format;
  std::string output;
  exports::ExportOptions options;
};

void export_run(ExportCommand& command, const Context& context) {
  command.options.format = exports::format_named(command.format);
  command.options.output = command.output;
  const store::RunDirectory run{command.run_directory};
  store::require_run_directory(run);
  if (!std::filesystem::exists(run.results())) {
    throw Error(ExitCode::bad_input, run.results().string(), "does not exist",
                "make it with `moesweep aggregate " + run.root.string() + "`");
  }
  const auto results = store::read_results(run.results());
  const auto written = exports::export_tables(results.tables, command.options);
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
  auto* command = add_command(app, context, "export", "Write tables for other programs");
  auto state = std::make_shared<ExportCommand>();
  command->add_option("RUN", state->run_directory, "Run directory")->required();
  command->add_option("OUT", state->output, "File or folder")->required();
  command
      ->add_option("--to", state->format,
                   fmt::format("{}", fmt::join(exports::format_names(), ", ")))
      ->required();
  command->add_option("--table", state->options.tables, "Only this table, e.g. sensitivity/tensors")
      ->allow_extra_args(false);
  command->add_flag("--overwrite", state->options.overwrite, "Replace existing files");
  command->callback([state, &context] { export_run(*state, context); });
}

}  // namespace moesweep::cli
