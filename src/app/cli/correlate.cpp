// `moesweep correlate RUN` or `--csv FILE`: how the metrics go together with the 4-bit error, or
// (`--with FILE`) with what was measured of the tensors elsewhere.

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/planning/correlate_measured.hpp>
#include <moesweep/app/run/run_results.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/stats/numeric_csv.hpp>
#include <moesweep/engine/store/run_directory.hpp>

#include "command.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

using stats::NamedColumn;

struct CorrelateCommand {
  std::string run_directory;
  std::string csv;
  std::string against = "nrmse_rtn_4bit_g128";
  std::vector<std::string> metrics;
  planning::MeasuredFile measured;
};

struct Finding {
  std::string metric;
  stats::Correlation correlation;
};

/// Columns of `sensitivity/tensors` that are metrics or scores.
const std::vector<std::string> metrics_of_a_run = {"excess_kurtosis",    "spectral_concentration",
                                                   "concentration_full", "stable_rank",
                                                   "effective_rank",     "noise_amplification",
                                                   "score_svd",          "score_kurtosis",
                                                   "score_noise",        "score_error",
                                                   "composite"};

std::vector<NamedColumn> columns_of_run(const store::RunDirectory& run) {
  const auto results = run::read_run_results(run.root);
  const auto& info = records::table_info<records::TensorRow>();
  const auto found = results.tables.find(info.name);
  if (found == results.tables.end()) {
    throw Error(ExitCode::bad_input, run.results().string(), "has no table " + info.name,
                "name the run of a sensitivity sweep");
  }
  std::vector<NamedColumn> columns;
  for (const auto& column : info.columns) {
    if (column.type != records::ColumnType::float64) continue;
    columns.push_back(
        {column.name, std::get<std::vector<double>>(found->second.column(column.name))});
  }
  return columns;
}

const NamedColumn& column_named(const std::vector<NamedColumn>& columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const auto& column) { return column.name == name; });
  if (found != columns.end()) return *found;
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  throw Error(ExitCode::bad_usage, fmt::format("column \"{}\"", name),
              "is not among the columns of numbers",
              fmt::format("there are {}", fmt::join(names, ", ")));
}

std::vector<std::string> chosen_metrics(const CorrelateCommand& command,
                                        const std::vector<NamedColumn>& columns) {
  if (!command.metrics.empty()) return command.metrics;
  if (command.csv.empty()) return metrics_of_a_run;
  std::vector<std::string> all;
  for (const auto& column : columns) {
    if (column.name != command.against) all.push_back(column.name);
  }
  return all;
}

Json json_number(double value) {
  return std::isnan(value) ? Json(nullptr) : Json(value);
}

void print_as_json(const CorrelateCommand& command, const std::vector<Finding>& findings) {
  Json rows = Json::array();
  for (const auto& [metric, correlation] : findings) {
    rows.push_back({{"metric", metric},
                    {"tensors", correlation.count},
                    {"pearson", json_number(correlation.pearson)},
                    {"pearson_p", json_number(correlation.pearson_p)},
                    {"spearman", json_number(correlation.spearman)},
                    {"spearman_p", json_number(correlation.spearman_p)}});
  }
  print_json({{"against", command.against}, {"correlations", rows}});
}

std::string cell(double value, bool is_p) {
  if (std::isnan(value)) return "-";  // constant, not measured, too few, or on a line
  return is_p ? fmt::format("{:.1e}", value) : fmt::format("{:.4f}", value);
}

void print_as_table(const CorrelateCommand& command, const std::vector<Finding>& findings) {
  TextTable table({"against " + command.against, "tensors", "pearson", "p", "spearman", "p"});
  for (const auto& [metric, correlation] : findings) {
    table.add({printable(metric), format_count(correlation.count), cell(correlation.pearson, false),
               cell(correlation.pearson_p, true), cell(correlation.spearman, false),
               cell(correlation.spearman_p, true)});
  }
  table.print();
}

Json measured_json(const CorrelateCommand& command, const planning::MeasuredReport& report) {
  Json rows = Json::array();
  for (const auto& [group, against, metric, correlation] : report.correlations) {
    rows.push_back({{"group", group},
                    {"against", against},
                    {"metric", metric},
                    {"units", correlation.count},
                    {"spearman", json_number(correlation.spearman)},
                    {"spearman_p", json_number(correlation.spearman_p)}});
  }
  return {{"with", command.measured.csv.string()},
          {"column", command.measured.column},
          {"units", report.units},
          {"lines_unmatched", report.lines_unmatched},
          {"losses", report.quantizer},
          {"correlations", rows}};
}

/// A line for each group and what it is compared with, a column for each metric.
void print_measured(const CorrelateCommand& command, const planning::MeasuredReport& report) {
  std::vector<std::string> header = {"group", "units", "Spearman with"};
  std::vector<std::vector<std::string>> lines;
  for (const auto& [group, against, metric, correlation] : report.correlations) {
    if (std::ranges::find(header, metric) == header.end()) header.push_back(metric);
    if (lines.empty() || lines.back()[0] != group || lines.back()[2] != against) {
      lines.push_back({group, format_count(correlation.count), against});
    }
    lines.back().push_back(cell(correlation.spearman, false));
  }
  TextTable table(header);
  for (auto& line : lines) table.add(std::move(line));
  table.print();
  fmt::print("{} matrices with {} of {}\n", format_count(report.units), command.measured.column,
             printable(command.measured.csv.string()));
  if (!report.quantizer.empty()) {
    fmt::print("loss: {} x squared NRMSE of {}\n", command.measured.column, report.quantizer);
  }
  if (report.lines_unmatched > 0) {
    fmt::print("{} lines of the file match no tensor\n", format_count(report.lines_unmatched));
  }
}

void correlate_with(const CorrelateCommand& command, const Context& context) {
  if (command.run_directory.empty()) {
    throw Error(ExitCode::bad_usage, "correlate --with", "needs a run directory");
  }
  const auto report = planning::correlate_measured(command.run_directory, command.measured);
  if (context.json) return print_json(measured_json(command, report));
  if (!context.quiet) print_measured(command, report);
}

void correlate(const CorrelateCommand& command, const Context& context) {
  if (!command.measured.csv.empty()) return correlate_with(command, context);
  if (command.run_directory.empty() == command.csv.empty()) {
    throw Error(ExitCode::bad_usage, "correlate", "needs a run directory or --csv FILE, not both");
  }
  const auto columns = command.csv.empty()
                           ? columns_of_run(store::RunDirectory{command.run_directory})
                           : stats::read_numeric_csv(command.csv);
  const auto& against = column_named(columns, command.against);
  std::vector<Finding> findings;
  for (const auto& name : chosen_metrics(command, columns)) {
    const auto& metric = column_named(columns, name);
    findings.push_back({name, stats::correlate(metric.values, against.values)});
  }
  if (context.json) return print_as_json(command, findings);
  if (!context.quiet) print_as_table(command, findings);
}

}  // namespace

void add_correlate(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "correlate", "Correlate each metric with the 4-bit error");
  auto state = std::make_shared<CorrelateCommand>();
  command->add_option("RUN", state->run_directory, "Run directory");
  command->add_option("--csv", state->csv, "A CSV file in place of a run, e.g. published records");
  command->add_option("--against", state->against, "Column that the others are compared to")
      ->capture_default_str();
  command->add_option("--metric", state->metrics, "Only this column; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--with", state->measured.csv,
                   "A CSV file of tensors (or terms, or globs) and what was measured of them, "
                   "measured alpha for example: how a run's metrics go together with it")
      ->excludes("--csv")
      ->excludes("--metric")
      ->excludes("--against");
  command->add_option("--column", state->measured.column, "Column of that file")
      ->capture_default_str();
  command->callback([state, &context] { correlate(*state, context); });
}

}  // namespace moesweep::cli
