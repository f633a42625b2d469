// `moesweep allocate RUN --method budget --target 4.25bpw --for mlx`: which bits for which tensors.

#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <moesweep/app/planning/allocate.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/base/text.hpp>

#include "allocate_report.hpp"
#include "command.hpp"
#include "plan_file.hpp"
#include "plan_making.hpp"
#include "shard_size.hpp"

namespace moesweep::cli {
namespace {

struct AllocateCommand {
  planning::AllocateOptions options;
  std::string source;
  std::string runtime = "mlx";
  std::string shard_size = "4GiB";
  std::string out;
  bool overwrite = false;
};

/// Beside the results of a run; nowhere for an inventory unless it is said.
std::optional<std::filesystem::path> destination(const AllocateCommand& command) {
  if (!command.out.empty()) return command.out;
  if (!is_folder(command.source, ExitCode::run_directory)) return std::nullopt;
  return std::filesystem::path(command.source) / plan_file_name(command.options);
}

void allocate(AllocateCommand& command, const Context& context) {
  auto& options = command.options;
  options.source = command.source;
  options.runtime = names::runtime_named(command.runtime);
  options.shard_bytes = shard_bytes_of(command.shard_size);
  options.made = plan_making(context.arguments);
  const auto out = destination(command);
  if (out) require_folder_of(*out);
  const auto report = planning::allocate(options);
  if (out) {
    remove_abandoned(out->parent_path());
    write_plan(*out, report.plan, command.overwrite);
  }
  for (const auto& note : report.notes) spdlog::warn("{}", note);
  const auto written = out ? out->string() : std::string();
  if (context.json) return print_json(report_as_json(report, written));
  if (!context.quiet) print_report(report, written);
}

void add_limits(CLI::App& command, planning::AllocateOptions& options) {
  command
      .add_option("--group-size", options.group_sizes,
                  "Weights that share a scale; may be repeated. uniform and swan: 64")
      ->allow_extra_args(false);
  command
      .add_option("--bits", options.bits,
                  "Allowed bits, 16 keeps; may be repeated. uniform: its bits, 4")
      ->allow_extra_args(false);
  command
      .add_option("--quantizer", options.quantizers,
                  "Formats to choose from instead of the runtime's; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--protect", options.protect,
                  "Keep tensors with this in their name, or that a glob matches; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--quantizable", options.quantizable,
                  "generic: tensors with such names (a glob) may be quantized, beside those whose "
                  "names end in .weight; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--min-bits", options.min_bits, "ROLE=BITS at least; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--role", options.roles,
                  "ROLE=BITS:GROUP or ROLE=keep: stored so whatever the method says; may be "
                  "repeated")
      ->allow_extra_args(false);
  command
      .add_option("--alpha", options.alpha,
                  "How much errors count: ROLE=FACTOR, or a CSV file of tensor pattern and factor; "
                  "may be repeated")
      ->allow_extra_args(false);
  command
      .add_option(
          "--prior", options.prior,
          "How much they count where --alpha is silent: role (the output head 50, v 2, q and "
          "k 1/2, the rest 1) or none (1)")
      ->capture_default_str();
}

}  // namespace

void add_allocate(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "allocate",
                              "Plan which tensors get how many bits, from the results of a sweep");
  auto state = std::make_shared<AllocateCommand>();
  auto& options = state->options;
  command
      ->add_option("RUN", state->source,
                   "Run directory of a sensitivity sweep, or an inventory (CSV)")
      ->required();
  command->add_option("--method", options.method, "budget, uniform, swan or floor")
      ->default_val("budget");
  command->add_option(
      "--target", options.target,
      "4.25bpw, 196GiB or 30% of the original; floor: 30dB. budget and floor need it");
  command->add_option("--for", state->runtime, "Runtime: mlx (mlx-lm), gguf (llama.cpp) or vllm")
      ->capture_default_str();
  add_limits(*command, options);
  command->add_option("--architecture", options.architecture,
                      "model_type whose names the tensors have; config.json's by default, else "
                      "generic");
  command->add_option("--shard-size", state->shard_size, "Largest file that quantize will write")
      ->capture_default_str();
  command->add_option("--out", state->out,
                      "Plan (JSON); by default RUN/plan-METHOD-RUNTIME-TARGET.json");
  command->add_flag("--overwrite", state->overwrite, "Replace the plan that is there");
  command->callback([state, &context] { allocate(*state, context); });
}

}  // namespace moesweep::cli
