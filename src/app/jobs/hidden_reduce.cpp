#include <moesweep/analysis/heads/ensemble.hpp>
#include <moesweep/analysis/heads/verdict.hpp>
#include <moesweep/analysis/probes/reduce.hpp>
#include <moesweep/analysis/suppression/reduce.hpp>
#include <moesweep/analysis/training/samples.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/probes.hpp>
#include <moesweep/core/records/suppression.hpp>
#include <moesweep/core/records/units.hpp>

#include "hidden_job.hpp"
#include "quality_job.hpp"

namespace moesweep::jobs {
namespace {

void add_suppression(const config::Settings& settings, records::Tables& tables) {
  const suppression::ReduceInput input{records::rows_of<records::SampleRow>(tables),
                                       records::rows_of<records::PredictionRow>(tables),
                                       records::rows_of<records::SuppressedPredictionRow>(tables),
                                       records::rows_of<records::SuppressionSettingRow>(tables)};
  if (input.settings.empty()) return;
  suppression::ReduceOptions options;
  options.label_names = training::samples_of(tables).label_names;
  options.forbidden_truth = settings.text("heads.forbidden.truth");
  options.forbidden_predicted = settings.text("heads.forbidden.predicted");
  options.replicates = settings.integer("suppression.replicates");
  const auto reduced = suppression::reduce(input, options);
  for (const auto& row : reduced.pairs) records::append_row(tables, row);
  for (const auto& row : reduced.tests) records::append_row(tables, row);
}

void add_inversions(records::Tables& tables) {
  const auto rows = probes::reduce(records::rows_of<records::ProbeRow>(tables),
                                   records::rows_of<records::ProbePredictionRow>(tables));
  for (const auto& row : rows) records::append_row(tables, row);
}

records::Tables reduce_stages(const config::Settings& settings, const records::Tables& rows) {
  records::Tables tables;
  for (const auto& [name, table] : rows) {
    if (name != records::TableOf<records::UnitRow>::name &&
        name != records::TableOf<records::FailureRow>::name) {
      tables.emplace(name, table);
    }
  }
  if (training::samples_of(tables).label.empty()) return tables;  // nothing is known yet
  add_inversions(tables);
  if (settings.text("kind") == "probes") return tables;
  const auto& truth = settings.text("heads.forbidden.truth");
  const auto& predicted = settings.text("heads.forbidden.predicted");
  records::append(tables,
                  heads::ensembles(tables, {truth, predicted, settings.integers("cascade.pct_veto"),
                                            settings.integers("cascade.pct_approve")}));
  if (settings.text("kind") != "heads") add_suppression(settings, tables);
  heads::VerdictOptions verdict_options{truth, predicted, settings.number("verdict.margin"), {}};
  if (settings.has("suppression.evidence_layer")) {
    verdict_options.evidence_layer = settings.text("suppression.evidence_layer");
  }
  records::append(tables, heads::verdicts(tables, verdict_options));
  return tables;
}

}  // namespace

records::Tables reduce_hidden(const config::Settings& settings, const records::Tables& rows) {
  auto tables = reduce_stages(settings, rows);
  if (settings.text("kind") == "pipeline") {
    records::append(tables, quality_stage(settings, tables));
  }
  return tables;
}

}  // namespace moesweep::jobs
