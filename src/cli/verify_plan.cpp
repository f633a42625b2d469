// `moesweep verify-plan PLAN CHECKPOINT`: was the checkpoint quantized as planned?

#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include <moesweep/base/text.hpp>
#include <moesweep/checkpoint/checkpoint.hpp>
#include <moesweep/export/plans.hpp>
#include <moesweep/parallel/task_pool.hpp>
#include <moesweep/quantized/compare.hpp>
#include <moesweep/quantized/found.hpp>
#include <moesweep/quantized/measure.hpp>

#include "command.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

using quantized::Format;

struct VerifyPlanOptions {
  std::string plan;
  std::string checkpoint;
  std::string original;
  std::string architecture;
};

/// A tensor's error, planned and measured.
struct ErrorCheck {
  records::PlanRow row;
  std::optional<quantized::MeasuredError> measured;  ///< nothing: it can't be read
  std::string why;
};

struct Verdict {
  Format format = Format::plain;
  quantized::Comparison comparison;
  std::vector<quantized::ModuleCheck> offenders;
  std::vector<ErrorCheck> errors;  ///< of all quantized tensors, in the plan's order

  bool applies() const {
    return offenders.empty() &&
           std::ranges::all_of(errors, [](const ErrorCheck& check) { return check.why.empty(); });
  }
};

names::Architecture architecture_of(const VerifyPlanOptions& options, const records::Plan& plan) {
  names::Architecture architecture;
  const auto& name = options.architecture.empty() ? plan.architecture : options.architecture;
  const auto config = quantized::config_text(options.checkpoint);
  if (name != "generic" && !config.empty()) {
    architecture = names::architecture_from(config, options.checkpoint + "/config.json");
  }
  architecture.model_type = name;
  return architecture;
}

/// Each tensor by a task of its own; the first failure in the plan's order is thrown.
std::vector<ErrorCheck> measure(const records::Plan& plan,
                                const quantized::Measurement& measurement) {
  std::vector<ErrorCheck> checks;
  for (const auto& row : plan.rows) {
    if (row.action == "quantize") checks.push_back({row, std::nullopt, {}});
  }
  std::vector<std::exception_ptr> failures(checks.size());
  {
    parallel::TaskPool pool(parallel::available_cpus());
    for (std::size_t i = 0; i < checks.size(); ++i) {
      pool.start([&, i] {
        try {
          checks[i].measured = measurement.measure(checks[i].row);
        } catch (...) {
          failures[i] = std::current_exception();
        }
      });
    }
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  for (auto& check : checks) {
    if (check.measured) check.why = quantized::why_not_planned(check.row, *check.measured);
  }
  return checks;
}

Verdict verify(const VerifyPlanOptions& options) {
  const auto plan = exports::read_plan(options.plan);
  const auto found = quantized::find_modules(options.checkpoint);
  const auto architecture = architecture_of(options, plan);
  const bool measures = !options.original.empty();
  if (measures && !quantized::is_measurable(found.format)) {
    throw Error(ExitCode::bad_usage, "--against",
                fmt::format("the weights of {} files aren't dequantized, so their error isn't "
                            "measured",
                            quantized::format_name(found.format)),
                "leave it out; types, groups and sizes are checked without");
  }
  const auto plain = measures ? quantized::Plain::dequantized : quantized::Plain::original;
  Verdict verdict{.format = found.format,
                  .comparison = quantized::compare(plan, found, architecture, plain),
                  .offenders = {},
                  .errors = {}};
  verdict.offenders = verdict.comparison.offenders();
  if (measures) {
    const auto written = checkpoint::open_checkpoint(options.checkpoint);
    const auto original = checkpoint::open_checkpoint(options.original);
    verdict.errors = measure(plan, quantized::Measurement(written, found, original, architecture));
  }
  return verdict;
}

Json to_json(const std::optional<quantized::Storage>& storage) {
  if (!storage) return nullptr;
  return {{"quantizer", storage->quantizer},
          {"bits", storage->bits},
          {"group_size", storage->group_size},
          {"bytes", storage->bytes}};
}

Json to_json(const Verdict& verdict) {
  Json document = {{"ok", verdict.applies()},
                   {"format", quantized::format_name(verdict.format)},
                   {"planned_bytes", verdict.comparison.bytes_planned},
                   {"found_bytes", verdict.comparison.bytes_found},
                   {"modules", Json::array()},
                   {"errors", Json::array()}};
  for (const auto& check : verdict.comparison.modules) {
    document["modules"].push_back({{"module", check.module},
                                   {"planned", to_json(check.planned)},
                                   {"found", to_json(check.found)},
                                   {"why", check.why}});
  }
  for (const auto& check : verdict.errors) {
    document["errors"].push_back(
        {{"tensor", check.row.tensor},
         {"planned_sse", check.row.sse},
         {"measured_sse", check.measured ? Json(check.measured->sse) : Json()},
         {"why", check.why}});
  }
  return document;
}

/// Of what was measured, against a plan that knows the error.
std::string errors_text(const Verdict& verdict) {
  if (verdict.errors.empty()) return {};
  const auto compared = std::ranges::count_if(verdict.errors, [](const ErrorCheck& check) {
    return check.measured && !std::isnan(check.row.sse);
  });
  const auto unplanned = std::ranges::count_if(
      verdict.errors, [](const ErrorCheck& check) { return std::isnan(check.row.sse); });
  auto text = fmt::format(", squared errors of {} of {} tensors as planned", format_count(compared),
                          format_count(std::ssize(verdict.errors)));
  if (unplanned > 0) {
    text += fmt::format(", {} not measured in the plan", format_count(unplanned));
  }
  return text;
}

void print_applied(const VerifyPlanOptions& options, const Verdict& verdict) {
  const auto& comparison = verdict.comparison;
  fmt::print("{} applies to {} ({}): {} modules, {} B planned, {} B found{}\n",
             printable(options.plan), printable(options.checkpoint),
             quantized::format_name(verdict.format), format_count(std::ssize(comparison.modules)),
             format_count(comparison.bytes_planned), format_count(comparison.bytes_found),
             errors_text(verdict));
}

std::string text_of(const std::optional<quantized::Storage>& storage) {
  return storage ? storage->text() : "-";
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
  for (const auto& check : verdict.errors) {
    if (check.why.empty()) continue;
    add(check.row.tensor,
        std::isnan(check.row.sse) ? "not measured" : fmt::format("error {:.6g}", check.row.sse),
        fmt::format("error {:.6g}", check.measured->sse), check.why);
  }
  table.print();
  if (count > most) fmt::print("and {} more: --json lists all\n", count - most);
}

std::string summary_of(const VerifyPlanOptions& options, const Verdict& verdict) {
  const auto wrong_errors = std::ranges::count_if(
      verdict.errors, [](const ErrorCheck& check) { return !check.why.empty(); });
  std::string what =
      fmt::format("{} of {} modules", verdict.offenders.size(), verdict.comparison.modules.size());
  if (wrong_errors > 0) what += fmt::format(" and the errors of {} tensors", wrong_errors);
  const bool is_plain = verdict.format == Format::plain && verdict.errors.empty();
  return Error(ExitCode::bad_input, options.checkpoint,
               fmt::format("{} ({}) are not as planned in {}", what,
                           quantized::format_name(verdict.format), options.plan),
               is_plain ? "dequantized models are checked with --against ORIGINAL" : "")
      .what();
}

void verify_plan(const VerifyPlanOptions& options, Context& context) {
  const auto verdict = verify(options);
  if (!verdict.applies()) context.exit_code = ExitCode::bad_input;
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
  command->add_option("PLAN", options->plan, "Plan (JSON), as `moesweep allocate` writes it")
      ->required();
  command
      ->add_option("CHECKPOINT", options->checkpoint,
                   "Folder or file of MLX, compressed-tensors or GGUF, or a dequantized model")
      ->required();
  command->add_option("--against", options->original,
                      "Original checkpoint: measure the squared errors too");
  command->add_option("--architecture", options->architecture,
                      "model_type whose names the checkpoint has, instead of the plan's");
  command->callback([options, &context] { verify_plan(*options, context); });
}

}  // namespace moesweep::cli
