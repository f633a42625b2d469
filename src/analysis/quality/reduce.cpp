#include <moesweep/analysis/quality/direction.hpp>
#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/analysis/quality/reduce.hpp>
#include <moesweep/analysis/quality/samples.hpp>
#include <moesweep/core/records/units.hpp>

namespace moesweep::quality {
namespace {

using records::rows_of;
using records::TableOf;
using records::Tables;

// Rows that only exist to be joined, and what the engine says of units.
bool is_in_results(const std::string& name) {
  return name != TableOf<records::SampleSumRow>::name &&
         name != TableOf<records::GapReplicateRow>::name &&
         name != TableOf<records::CapabilityOverlapRow>::name &&
         name != TableOf<records::UnitRow>::name && name != TableOf<records::FailureRow>::name;
}

template <typename Row>
void append_all(Tables& tables, const std::vector<Row>& rows) {
  for (const auto& row : rows) records::append_row(tables, row);
}

// A table without rows says that a pass found nothing; one that is not there, that it did not run.
template <typename Row>
void add(Tables& tables, const std::vector<Row>& rows) {
  const auto& info = records::table_info<Row>();
  tables.emplace(info.name, records::Table(info));
  append_all(tables, rows);
}

// Passes cost little next to a sweep: what they give tells whether their units are all there. Then
// passes that found nothing get their empty tables, which segments do not keep.
bool has_all_passes(Tables& tables, const Study& study, const Options& options) {
  Tables empty;
  for (const auto pass : whole_passes()) {
    for (auto& [name, table] : run_pass(pass, study, options)) {
      const auto found = tables.find(name);
      const auto rows = found == tables.end() ? 0 : found->second.rows();
      if (rows != table.rows()) return false;
      if (rows == 0) empty.emplace(name, table);
    }
  }
  tables.merge(empty);
  return true;
}

}  // namespace

Tables reduce(const Tables& rows, const Options& options) {
  Tables tables;
  for (const auto& [name, table] : rows) {
    if (is_in_results(name)) tables.emplace(name, table);
  }
  if (const auto overlaps = rows_of<records::CapabilityOverlapRow>(rows); !overlaps.empty()) {
    add(tables, join_overlap(overlaps));
  }
  const Study study(rows_of<records::CellRow>(rows));
  if (study.cells().empty()) return tables;
  add(tables, metrics(study, options));
  add(tables, gaps(study, rows_of<records::GapReplicateRow>(rows), options));
  if (!has_all_passes(tables, study, options)) return tables;
  const auto tests = rows_of<records::SafetyTestRow>(rows);
  add(tables, alerts(study, tests, rows_of<records::AlertThresholdRow>(rows), options));
  add(tables, floors(study, tests, rows_of<records::QualityEquivalenceRow>(rows), options));
  add(tables, findings(study, tables, options));
  return tables;
}

Tables analyse(const std::vector<records::CellRow>& cells, const Options& options) {
  const Study study(cells);
  Tables rows;
  append_all(rows, study.cells());
  for (const auto pass : whole_passes()) records::append(rows, run_pass(pass, study, options));
  append_all(rows, gap_replicates(study, counter_resample(options.seed), 0, options.replicates));
  return reduce(rows, options);
}

}  // namespace moesweep::quality
