// `moesweep quantize RUN --plan P --to FORMAT OUT`: writes the checkpoint that a plan describes.

#include <any>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include <moesweep/app/jobs/containers.hpp>
#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/app/jobs/quantize.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/model/source/family.hpp>

#include "command.hpp"
#include "plan_file.hpp"
#include "shard_size.hpp"
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

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

config::Settings swept_job(const std::string& run_directory) {
  const store::RunDirectory run{run_directory};
  store::require_run_directory(run);
  auto swept = jobs::load_job(run.job());
  if (swept.text("kind") == "sensitivity") return swept;
  throw Error(ExitCode::bad_input, run_directory,
              fmt::format("is a sweep of kind {}", swept.text("kind")),
              "give the run directory of the sensitivity sweep");
}

/// The job that writes what a sweep has measured.
config::Settings job_of(const QuantizeCommand& command) {
  constexpr auto name = "moesweep quantize";
  const auto swept = swept_job(command.run);
  std::vector<config::GivenValue> given = {{"schema", std::int64_t{1}, name},
                                           {"kind", std::string("quantize"), name}};
  const auto take = [&](std::initializer_list<const char*> keys) {
    for (const auto* key : keys) {
      if (!swept.has(key)) continue;
      given.push_back({key, swept.values().find(key)->second, swept.place_of(key)});
    }
  };
  take({"name", "checkpoint.path", "checkpoint.twin.inventory", "checkpoint.twin.scale",
        "checkpoint.twin.seed", "checkpoint.expert_patterns", "checkpoint.allow_incomplete"});
  given.push_back({"quantize.plan", absolute(command.plan), "--plan"});
  given.push_back({"quantize.to", command.to, "--to"});
  given.push_back({"quantize.out", absolute(command.out), "OUT"});
  given.push_back({"quantize.allow_unmapped", command.allow_unmapped, "--allow-unmapped"});
  if (!command.shard_size.empty()) {
    given.push_back({"quantize.shard_bytes", shard_bytes_of(command.shard_size), "--shard-size"});
  }
  if (!command.architecture.empty()) {
    source::family_named(command.architecture);
    given.push_back({"quantize.architecture", command.architecture, "--architecture"});
  }
  take({"output.flush_seconds", "resources.memory", "resources.isa"});
  return jobs::job_of(given, name);
}

Json written_json(const run::RunReport& report) {
  auto document = to_json(report);
  const auto* written = std::any_cast<jobs::WrittenSummary>(&report.of_kind);
  if (report.exit_code != ExitCode::complete || written == nullptr) return document;
  const auto& summary = *written;
  document["shards"] = summary.shards;
  document["bytes"] = summary.bytes;
  if (summary.planned_bytes) document["planned_bytes"] = *summary.planned_bytes;
  document["tensors_quantized"] = summary.quantized;
  document["tensors_kept"] = summary.kept;
  document["tensors_compared"] = summary.compared;
  document["largest_deviation"] =
      summary.compared == 0 ? Json(nullptr) : Json(summary.largest_deviation);
  document["deviates_most"] = summary.deviates_most;
  return document;
}

std::string planned_size(const jobs::WrittenSummary& summary) {
  if (summary.planned_bytes.value_or(0) == 0) return {};
  return fmt::format(" ({} planned)", format_count(*summary.planned_bytes));
}

void print_written(const jobs::WrittenSummary& summary) {
  fmt::print("{} {}, {} bytes{}; {} tensors quantized, {} kept as they are\n",
             format_count(summary.shards), summary.shards == 1 ? "file" : "files",
             format_count(summary.bytes), planned_size(summary), format_count(summary.quantized),
             format_count(summary.kept));
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
  const EndReport end{[&](const run::RunReport& report) { return written_json(report); },
                      [&](const run::RunReport& report) {
                        const auto* written = std::any_cast<jobs::WrittenSummary>(&report.of_kind);
                        if (report.exit_code == ExitCode::complete && written != nullptr) {
                          print_written(*written);
                        }
                        print_end(report, command.run_directory());
                      }};
  run_session(command.options, end, context);
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
  command->add_option("--to", state->to, jobs::container_help())
      ->required()
      ->check(CLI::IsMember(jobs::container_names()));
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
