// `moesweep quantize RUN --plan P --to FORMAT OUT`: writes the checkpoint that a plan describes.

#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/app/jobs/quantize.hpp>
#include <moesweep/app/run/run_results.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/plans/plan/plan_file.hpp>

#include "command.hpp"
#include "plan_file.hpp"
#include "sweep_session.hpp"

namespace moesweep::cli {
namespace {

struct QuantizeCommand {
  run::RunOptions options;
  std::string run;
  std::string plan;
  std::string to;
  std::string out;
  std::string shard_size;
  std::string architecture;
  bool allow_unmapped = false;

  std::string run_directory() const { return (std::filesystem::path(out) / ".moesweep").string(); }
};

/// A TOML string: JSON's escapes are among its own.
std::string quoted(const std::string& text) {
  return Json(text).dump();
}

std::string absolute(const std::string& path) {
  return quoted(std::filesystem::absolute(path).lexically_normal().string());
}

std::string checkpoint_of(const config::Settings& swept) {
  std::string toml = "[checkpoint]\n";
  for (const auto* key : {"checkpoint.path", "checkpoint.twin.inventory"}) {
    if (swept.has(key)) toml += fmt::format("{} = {}\n", key + 11, quoted(swept.text(key)));
  }
  for (const auto* key : {"checkpoint.twin.scale", "checkpoint.twin.seed"}) {
    if (swept.has(key)) toml += fmt::format("{} = {}\n", key + 11, swept.integer(key));
  }
  return toml + fmt::format("expert_patterns = {}\nallow_incomplete = {}\n",
                            Json(swept.texts("checkpoint.expert_patterns")).dump(),
                            swept.boolean("checkpoint.allow_incomplete"));
}

/// The job that writes what `swept` has measured.
config::Settings job_of(const QuantizeCommand& command) {
  const store::RunDirectory run{command.run};
  store::require_run_directory(run);
  const auto swept = jobs::load_job(run.job());
  if (swept.text("kind") != "sensitivity") {
    throw Error(ExitCode::bad_input, command.run,
                fmt::format("is a sweep of kind {}", swept.text("kind")),
                "give the run directory of the sensitivity sweep");
  }
  auto toml =
      fmt::format("schema = 1\nkind = \"quantize\"\nname = {}\n", quoted(swept.text("name")));
  toml += checkpoint_of(swept);
  toml += fmt::format("[quantize]\nplan = {}\nto = {}\nout = {}\nallow_unmapped = {}\n",
                      absolute(command.plan), quoted(command.to), absolute(command.out),
                      command.allow_unmapped);
  if (!command.shard_size.empty()) {
    toml += fmt::format("shard_bytes = {}\n", quoted(command.shard_size));
  }
  if (!command.architecture.empty()) {
    toml += fmt::format("architecture = {}\n", quoted(command.architecture));
  }
  toml += fmt::format("[output]\nflush_seconds = {}\n", swept.number("output.flush_seconds"));
  toml += fmt::format("[resources]\nmemory = {}\nisa = {}\n", swept.integer("resources.memory"),
                      quoted(swept.text("resources.isa")));
  return jobs::parse_job(toml, "moesweep quantize");
}

jobs::WrittenSummary summary_of(const QuantizeCommand& command) {
  return jobs::summarize_written(run::read_run_results(command.run_directory()).tables,
                                 plan::read_plan(command.plan));
}

Json written_json(const QuantizeCommand& command, const run::RunReport& report) {
  auto document = to_json(report);
  if (report.exit_code != ExitCode::complete) return document;
  const auto summary = summary_of(command);
  document["shards"] = summary.shards;
  document["bytes"] = summary.bytes;
  if (command.to == "mlx") document["planned_bytes"] = summary.planned_bytes;
  document["tensors_quantized"] = summary.quantized;
  document["tensors_kept"] = summary.kept;
  document["tensors_compared"] = summary.compared;
  document["largest_deviation"] =
      summary.compared == 0 ? Json(nullptr) : Json(summary.largest_deviation);
  document["deviates_most"] = summary.deviates_most;
  return document;
}

/// A plan's size is that of packed codes.
std::string planned_size(const QuantizeCommand& command, const jobs::WrittenSummary& summary) {
  if (command.to != "mlx" || summary.planned_bytes == 0) return {};
  return fmt::format(" ({} planned)", format_count(summary.planned_bytes));
}

void print_written(const QuantizeCommand& command) {
  const auto summary = summary_of(command);
  fmt::print("{} {}, {} bytes{}; {} tensors quantized, {} kept as they are\n",
             format_count(summary.shards), summary.shards == 1 ? "file" : "files",
             format_count(summary.bytes), planned_size(command, summary),
             format_count(summary.quantized), format_count(summary.kept));
  if (summary.compared > 0) {
    fmt::print("squared errors of {} tensors are the plan's, at most {:.1e} off ({})\n",
               format_count(summary.compared), summary.largest_deviation,
               printable(summary.deviates_most));
  }
  const auto unplanned = summary.quantized - summary.compared;
  if (unplanned > 0) {
    fmt::print("squared errors of {} tensors were not measured in the plan\n",
               format_count(unplanned));
  }
}

void quantize(QuantizeCommand& command, Context& context) {
  command.plan = plan_file(command.plan.empty() ? command.run : command.plan, "--plan").string();
  command.options.run_directory = command.run_directory();
  command.options.job = job_of(command);
  const EndReport end{[&](const run::RunReport& report) { return written_json(command, report); },
                      [&](const run::RunReport& report) {
                        if (report.exit_code == ExitCode::complete) print_written(command);
                        print_end(report, command.run_directory());
                      }};
  run_session(
      command.options, [&] { return *command.options.job; }, end, context);
}

}  // namespace

void add_quantize(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "quantize", "Write the checkpoint that a plan describes");
  auto state = std::make_shared<QuantizeCommand>();
  command->add_option("RUN", state->run, "Run directory of the sensitivity sweep")->required();
  command->add_option(
      "--plan", state->plan,
      "Plan (JSON), as `moesweep allocate` writes it; by default the only one in RUN");
  command
      ->add_option("--to", state->to,
                   "mlx: packed, for mlx-lm; dequantized: the original names and dtypes")
      ->required()
      ->check(CLI::IsMember({"mlx", "dequantized"}));
  command->add_option("OUT", state->out, "Folder of the written checkpoint, new or resumed")
      ->required()
      ->check([](const std::string& path) { return path.empty() ? "is empty" : ""; });
  command->add_option("--shard-size", state->shard_size,
                      "Largest file, 4GiB by default; as given to allocate");
  command->add_option("--architecture", state->architecture,
                      "Model type whose names are used, instead of the plan's");
  command->add_flag("--allow-unmapped", state->allow_unmapped,
                    "Leave out tensors that mlx-lm has no known name for");
  add_session_options(*command, state->options);
  command->callback([state, &context] { quantize(*state, context); });
}

}  // namespace moesweep::cli
