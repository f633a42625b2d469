// `moesweep verify-plan PLAN CHECKPOINT`: was the checkpoint quantized as planned?

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/source/family.hpp>
#include <moesweep/model/source/model.hpp>
#include <moesweep/plans/allocation/plan_warnings.hpp>
#include <moesweep/plans/found/compare.hpp>
#include <moesweep/plans/found/found.hpp>
#include <moesweep/plans/plan/family.hpp>
#include <moesweep/plans/plan/plan_file.hpp>

#include "command.hpp"
#include "plan_file.hpp"
#include "text_table.hpp"
#include "verify_plan_values.hpp"

namespace moesweep::cli {
namespace {

using found::Format;

struct VerifyPlanOptions {
  std::string plan;
  std::string checkpoint;
  std::string original;
  std::string architecture;
};

struct Verdict {
  Format format = Format::plain;
  found::Comparison comparison;
  std::vector<found::ModuleCheck> offenders;
  ValueChecks values;  ///< empty without an original
  std::vector<std::string> warnings;

  bool applies() const { return offenders.empty() && values.offenders() == 0; }
};

names::Architecture architecture_of(const VerifyPlanOptions& options, const records::Plan& plan,
                                    const source::ModelConfig& config) {
  return source::family_of(
      {.user = source::family_named(options.architecture),
       .plan = plan::family_of_plan(plan, options.plan),
       .config = source::family_of_config(
           config, fmt::format("{} of {}", checkpoint::config_name, options.checkpoint)),
       .layers_shown = plan::layers_shown_by(plan)});
}

/// A GGUF file has all of itself in its header: a config.json beside it may be any model's.
source::ModelConfig config_of(const VerifyPlanOptions& options, Format format) {
  if (format == Format::gguf) return {};
  return source::model_config_from(checkpoint::config_text(options.checkpoint), "");
}

Verdict verify(const VerifyPlanOptions& options) {
  const auto plan = plan::read_plan(options.plan);
  const auto found = found::find_modules(options.checkpoint);
  const auto config = config_of(options, found.format);
  const auto architecture = architecture_of(options, plan, config);
  const bool measures = !options.original.empty();
  if (measures && !found::is_measurable(found.format)) {
    throw Error(ExitCode::bad_usage, "--against",
                fmt::format("the weights of {} files aren't dequantized, so their error isn't "
                            "measured",
                            found::format_name(found.format)),
                "leave it out; types, groups and sizes are checked without");
  }
  const auto plain = measures ? found::Plain::dequantized : found::Plain::original;
  Verdict verdict{.format = found.format,
                  .comparison = found::compare(plan, found, architecture, plain),
                  .offenders = {},
                  .values = {},
                  .warnings = {}};
  verdict.offenders = verdict.comparison.offenders();
  verdict.warnings = allocation::warnings_of(plan, config, architecture);
  if (measures) {
    const auto written = checkpoint::open_checkpoint(options.checkpoint);
    const auto original = source::open_model(
        options.original,
        {.allow_incomplete = true, .expert_patterns = plan::expert_patterns_of(plan)});
    source::require_weights(original);
    verdict.values = check_values(plan, {written, found, original.checkpoint, architecture});
  }
  return verdict;
}

Json to_json(const std::optional<found::Storage>& storage) {
  if (!storage) return nullptr;
  return {{"quantizer", storage->encoding.quantizer},
          {"bits", storage->encoding.bits},
          {"group_size", storage->encoding.group_size},
          {"bytes", storage->bytes}};
}

Json to_json(const Verdict& verdict) {
  Json document = {{"ok", verdict.applies()},
                   {"format", found::format_name(verdict.format)},
                   {"planned_bytes", verdict.comparison.bytes_planned},
                   {"found_bytes", verdict.comparison.bytes_found},
                   {"warnings", verdict.warnings},
                   {"modules", Json::array()}};
  for (const auto& check : verdict.comparison.modules) {
    document["modules"].push_back({{"module", check.module},
                                   {"planned", to_json(check.planned)},
                                   {"found", to_json(check.found)},
                                   {"why", check.why}});
  }
  add_to(document, verdict.values);
  return document;
}

void print_applied(const VerifyPlanOptions& options, const Verdict& verdict) {
  const auto& comparison = verdict.comparison;
  fmt::print("{} applies to {} ({}): {} modules, {} B planned, {} B found{}\n",
             printable(options.plan), printable(options.checkpoint),
             found::format_name(verdict.format), format_count(std::ssize(comparison.modules)),
             format_count(comparison.bytes_planned), format_count(comparison.bytes_found),
             values_text(verdict.values));
  print_not_compared(verdict.values);
}

std::string text_of(const std::optional<found::Storage>& storage) {
  return storage ? formats::text_of(storage->encoding) : "-";
}

void print_offenders(const Verdict& verdict) {
  constexpr std::size_t most = 100;
  TextTable table({"module", "planned", "found", "why"});
  std::size_t count = 0;
  const auto add = [&](const std::string& name, const std::string& planned,
                       const std::string& found, const std::string& why) {
    if (++count > most) return;
    table.add({printable(name), printable(planned), printable(found), printable(why)});
  };
  for (const auto& check : verdict.offenders) {
    add(check.module, text_of(check.planned), text_of(check.found), check.why);
  }
  for (const auto& check : verdict.values.errors) {
    if (check.why.empty()) continue;
    add(check.row.tensor,
        std::isnan(check.row.sse) ? "not measured" : fmt::format("error {:.6g}", check.row.sse),
        check.measured ? fmt::format("error {:.6g}", check.measured->sse) : "-", check.why);
  }
  for (const auto& [row, values] : verdict.values.kept) {
    if (!values.why.empty()) add(row.tensor, "the original's values", "others", values.why);
  }
  table.print();
  if (count > most) fmt::print("and {} more: --json lists all\n", count - most);
  print_not_compared(verdict.values);
}

std::string summary_of(const VerifyPlanOptions& options, const Verdict& verdict) {
  std::string what =
      fmt::format("{} of {} modules", verdict.offenders.size(), verdict.comparison.modules.size());
  if (const auto wrong = verdict.values.offenders(); wrong > 0) {
    what += fmt::format(" and the values of {} tensors", wrong);
  }
  const bool is_plain = verdict.format == Format::plain && verdict.values.errors.empty();
  return Error(ExitCode::bad_input, options.checkpoint,
               fmt::format("{} ({}) are not as planned in {}", what,
                           found::format_name(verdict.format), options.plan),
               is_plain ? "dequantized models are checked with --against ORIGINAL" : "")
      .what();
}

void verify_plan(const VerifyPlanOptions& options, Context& context) {
  const auto verdict = verify(options);
  if (!verdict.applies()) context.exit_code = ExitCode::bad_input;
  for (const auto& warning : verdict.warnings) spdlog::warn("{}", printable(warning));
  if (context.json) return print_json(to_json(verdict));
  if (verdict.applies()) {
    if (!context.quiet) print_applied(options, verdict);
    return;
  }
  if (!context.quiet) print_offenders(verdict);
  print_error(summary_of(options, verdict));
}

}  // namespace

void add_verify_plan(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "verify-plan", "Check that a checkpoint was quantized as planned");
  auto options = std::make_shared<VerifyPlanOptions>();
  command
      ->add_option("PLAN", options->plan,
                   "Plan (JSON), as `moesweep allocate` writes it, or a run directory with one")
      ->required();
  command
      ->add_option("CHECKPOINT", options->checkpoint,
                   "Folder or file of MLX, compressed-tensors or GGUF, or a dequantized model")
      ->required();
  command->add_option("--against", options->original,
                      "Original checkpoint: measure the squared errors too");
  command->add_option("--architecture", options->architecture,
                      "model_type whose names the checkpoint has, instead of the plan's");
  command->callback([options, &context] {
    options->plan = plan_file(options->plan, {}).string();
    verify_plan(*options, context);
  });
}

}  // namespace moesweep::cli
