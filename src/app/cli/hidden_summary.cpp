#include "hidden_summary.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/probes.hpp>
#include <moesweep/core/records/suppression.hpp>
#include <moesweep/core/records/verdict.hpp>

#include "text_table.hpp"

namespace moesweep::cli {
namespace {

// Nothing where there is no number.
std::string number(double value, const char* format) {
  return std::isnan(value) ? "-" : fmt::format(fmt::runtime(format), value);
}
std::string percent(double value) {
  return number(100.0 * value, "{:.2f}");
}

std::string range(double lo, double hi, const char* format) {
  if (std::isnan(lo) || std::isnan(hi)) return "-";
  return number(lo, format) + " to " + number(hi, format);
}
// " +-1.72", or " -" where there is no error.
std::string give_or_take(double error) {
  return std::isnan(error) ? " -" : " +-" + percent(error);
}

std::string size_of(const records::VerdictRow& row) {
  if (row.model_bytes > 0)
    return fmt::format("{:.2f} GB", 1e-9 * static_cast<double>(row.model_bytes));
  return row.bits > 0 ? fmt::format("{} bit", row.bits) : "-";
}

std::string accuracy_of(const records::VerdictRow& row) {
  return percent(row.accuracy_mean) + give_or_take(row.accuracy_se_seeds) +
         give_or_take(row.accuracy_se_samples);
}

// Errors of nothing were not counted.
std::string errors_of(std::int64_t errors, std::int64_t truths) {
  return truths == 0 ? "-" : fmt::format("{}", errors);
}

std::string cascade_of(const records::VerdictRow& row) {
  if (row.cascade_forbidden < 0) return "-";
  return fmt::format("{} (<={} %) at {}/{}", row.cascade_forbidden, percent(row.cascade_upper),
                     row.cascade_pct_veto, row.cascade_pct_approve);
}

void print_verdicts(const std::vector<records::VerdictRow>& rows) {
  for (std::size_t begin = 0; begin < rows.size();) {
    const auto& first = rows[begin];
    fmt::print("verdict, {}: {} seeds, {} test samples, forbidden errors of {}\n",
               printable(first.source), first.seeds, first.samples, first.forbidden_truths);
    TextTable table({"variant", "size", "AUC", "95 %", "accuracy % +-seeds +-samples", "vote %",
                     "forbidden mean", "vote", "<= %", "cascade", "suppression", "p", "best layer",
                     "verdict"});
    auto end = begin;
    for (; end < rows.size() && rows[end].source == first.source; ++end) {
      const auto& row = rows[end];
      table.add({row.variant, size_of(row), number(row.evidence_auc, "{:.3f}"),
                 range(row.evidence_auc_lo, row.evidence_auc_hi, "{:.3f}"), accuracy_of(row),
                 percent(row.accuracy_ensemble), number(row.forbidden_mean, "{:.1f}"),
                 errors_of(row.forbidden_ensemble, row.forbidden_truths),
                 percent(row.forbidden_upper), cascade_of(row),
                 std::isnan(row.suppression_effect)
                     ? "-"
                     : fmt::format("{:+.2f} pp {}", 100.0 * row.suppression_effect,
                                   row.suppression_setting),
                 number(row.suppression_p, "{:.2g}"),
                 row.probe_best_layer.empty() ? "-" : row.probe_best_layer, row.verdict});
    }
    table.print();
    for (; begin < end; ++begin) {
      fmt::print("{}: {}\n", printable(rows[begin].variant), printable(rows[begin].reason));
    }
    fmt::print("\n");
  }
}

void print_ensembles(const std::vector<records::EnsembleRow>& rows) {
  TextTable table({"variant", "head", "layer", "pooling", "seeds", "accuracy %", "+-seeds",
                   "+-samples", "vote %", "forbidden mean", "vote", "of"});
  for (const auto& row : rows) {
    if (row.split != "test") continue;
    table.add({row.variant, row.head, row.layer, row.pooling, fmt::format("{}", row.seeds),
               percent(row.accuracy_mean), percent(row.accuracy_se_seeds),
               percent(row.accuracy_se_samples), percent(row.accuracy_ensemble),
               number(row.forbidden_mean, "{:.1f}"),
               errors_of(row.forbidden_ensemble, row.forbidden_truths),
               fmt::format("{}", row.forbidden_truths)});
  }
  table.print();
  fmt::print("\n");
}

// Heads of spans vote on nothing: their AUC is what they are for.
void print_evidence_heads(const records::Tables& tables) {
  struct Sum {
    double auc = 0.0;
    std::int64_t seeds = 0;
    double lowest = std::numeric_limits<double>::quiet_NaN();
    double highest = std::numeric_limits<double>::quiet_NaN();
  };
  std::map<std::string, Sum> sums;
  for (const auto& row : records::rows_of<records::SeedRow>(tables)) {
    if (row.split != "test" || std::isnan(row.auc)) continue;
    auto& sum = sums[fmt::format("{} {} {}", row.variant, row.head, row.layer)];
    sum.auc += row.auc;
    ++sum.seeds;
    sum.lowest = std::fmin(sum.lowest, row.auc_lo);
    sum.highest = std::fmax(sum.highest, row.auc_hi);
  }
  if (sums.empty()) return;
  TextTable table({"evidence heads", "seeds", "mean test AUC", "95 % intervals of all"});
  for (const auto& [name, sum] : sums) {
    table.add({name, fmt::format("{}", sum.seeds),
               fmt::format("{:.4f}", sum.auc / static_cast<double>(sum.seeds)),
               range(sum.lowest, sum.highest, "{:.4f}")});
  }
  table.print();
  fmt::print("\n");
}

bool is_no_op(const records::SuppressionTestRow& row) {
  return row.reason.starts_with("structural no-op");
}

// Once for the settings of one place, which share the reason.
void print_no_ops(const std::vector<records::SuppressionTestRow>& rows) {
  std::map<std::string, std::string> settings;
  for (const auto& row : rows) {
    if (!is_no_op(row) || row.measure != "accuracy") continue;
    auto& names =
        settings[fmt::format("{} {}/{}: {}", row.variant, row.layer, row.pooling, row.reason)];
    names += (names.empty() ? "" : ", ") + records::setting_text(row.mode, row.parameter);
  }
  for (const auto& [place, names] : settings) {
    fmt::print("{} ({})\n", printable(place), printable(names));
  }
  if (!settings.empty()) fmt::print("\n");
}

void print_suppression(const std::vector<records::SuppressionTestRow>& rows) {
  fmt::print(
      "suppression: a post-hoc edit of cached states, effects on the test split in points\n");
  TextTable table({"variant", "layer", "pooling", "setting", "measure", "effect", "+-samples",
                   "p Holm", "95 % low", "high", "p seeds", "note"});
  for (const auto& row : rows) {
    if (is_no_op(row)) continue;
    table.add({row.variant, row.layer, row.pooling, records::setting_text(row.mode, row.parameter),
               row.measure, number(100.0 * row.effect, "{:+.2f}"), percent(row.se_samples),
               number(row.p_holm, "{:.2g}"), number(100.0 * row.low, "{:+.2f}"),
               number(100.0 * row.high, "{:+.2f}"), number(row.p_seeds_t, "{:.2g}"), row.reason});
  }
  table.print();
  fmt::print(
      "p is over samples: what new ones may show. p seeds: repeatable on these samples, silent "
      "about new ones.\n\n");
  print_no_ops(rows);
}

void print_probes(const std::vector<records::InversionRow>& rows) {
  TextTable table({"variant", "skill", "pooling", "best layer", "accuracy %", "top layer %",
                   "inverted", "reason"});
  for (const auto& row : rows) {
    table.add({row.variant, row.skill, row.pooling, row.best_layer, percent(row.best_accuracy),
               percent(row.top_accuracy), row.inverted == 1 ? "yes" : "no", row.reason});
  }
  table.print();
  fmt::print("\n");
}

}  // namespace

void print_hidden_summary(const records::Tables& tables) {
  const auto probes = records::rows_of<records::InversionRow>(tables);
  if (!probes.empty()) print_probes(probes);
  const auto suppression = records::rows_of<records::SuppressionTestRow>(tables);
  if (!suppression.empty()) print_suppression(suppression);
  print_evidence_heads(tables);
  const auto ensembles = records::rows_of<records::EnsembleRow>(tables);
  if (!ensembles.empty()) print_ensembles(ensembles);
  print_verdicts(records::rows_of<records::VerdictRow>(tables));
}

}  // namespace moesweep::cli
