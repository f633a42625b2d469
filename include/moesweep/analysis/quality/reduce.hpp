#pragma once
// From the rows of all units to the tables of results.h5: what needs several units, and what the
// numbers say in words.

#include <vector>

#include <moesweep/analysis/quality/options.hpp>
#include <moesweep/analysis/quality/study.hpp>
#include <moesweep/core/records/quality_decisions.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::quality {

/// Rows of a sweep that may be unfinished: tables that need units which are not there are left out.
records::Tables reduce(const records::Tables& rows, const Options& options);

/// All passes at once, as a sweep would make them.
records::Tables analyse(const std::vector<records::CellRow>& cells, const Options& options);

std::vector<records::AlertRow> alerts(const Study& study,
                                      const std::vector<records::SafetyTestRow>& tests,
                                      const std::vector<records::AlertThresholdRow>& limits,
                                      const Options& options);
std::vector<records::FloorRow> floors(
    const Study& study, const std::vector<records::SafetyTestRow>& tests,
    const std::vector<records::QualityEquivalenceRow>& equivalences, const Options& options);
/// `tables` are complete but for the findings.
std::vector<records::FindingRow> findings(const Study& study, const records::Tables& tables,
                                          const Options& options);

}  // namespace moesweep::quality
