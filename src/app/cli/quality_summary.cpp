#include "quality_summary.hpp"

#include <cmath>
#include <map>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/records/quality.hpp>
#include <moesweep/core/records/quality_decisions.hpp>
#include <moesweep/core/records/quality_relations.hpp>

#include "text_table.hpp"

namespace moesweep::cli {
namespace {

std::string points(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:+.2f}", value);
}

void print_directions(const records::Tables& tables) {
  const auto rows = records::rows_of<records::MetricRow>(tables);
  if (rows.empty()) return;
  TextTable table({"metric", "role", "better is", "yes/no"});
  for (const auto& row : rows) {
    table.add({printable(row.metric), row.role,
               row.direction == "lower_is_better" ? "lower" : "higher",
               row.yes_no != 0 ? "yes" : "no"});
  }
  table.print();
  for (const auto& row : rows) {
    if (!row.warning.empty()) fmt::print("warning: {}\n", printable(row.warning));
  }
  fmt::print("\n");
}

void print_gaps(const records::Tables& tables) {
  const auto rows = records::rows_of<records::AsymmetryGapRow>(tables);
  if (rows.empty()) return;
  TextTable table({"model", "quality", "safety", "gap pp", "interval"});
  for (const auto& row : rows) {
    if (row.quality != rows.front().quality || row.safety != rows.front().safety) continue;
    table.add({printable(row.model), printable(row.quality), printable(row.safety),
               points(row.gap_pp),
               std::isnan(row.lo) ? "-" : points(row.lo) + " to " + points(row.hi)});
  }
  fmt::print("change of safety less change of quality, mean over levels\n");
  table.print();
  fmt::print("\n");
}

}  // namespace

void print_quality_summary(const records::Tables& tables) {
  print_directions(tables);
  const auto findings = records::rows_of<records::FindingRow>(tables);
  if (findings.empty()) return;
  print_gaps(tables);
  std::map<std::string, std::int64_t> left_out;
  for (const auto& finding : findings) {
    if (finding.kind == "unresolved" || finding.kind == "alert_threshold") {
      ++left_out[finding.kind];
    } else {
      fmt::print("{}: {}\n", finding.kind, printable(finding.text));
    }
  }
  for (const auto& [kind, count] : left_out) {
    fmt::print("{} more of kind {}: table quality/findings\n", format_count(count), kind);
  }
  fmt::print("\n");
}

}  // namespace moesweep::cli
