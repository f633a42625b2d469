#pragma once
// The passes of an analysis: pure functions of its cells, one table each (docs/quality.md).

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/analysis/quality/options.hpp>
#include <moesweep/analysis/quality/study.hpp>
#include <moesweep/core/records/quality_decisions.hpp>
#include <moesweep/core/records/quality_relations.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::quality {

/// The name that stands for all models together.
inline constexpr auto pooled_name = "pooled";

std::vector<records::RoleScoreRow> aggregates(const Study& study);
std::vector<records::MergedRow> merged(const Study& study);
std::vector<records::QualityCorrelationRow> correlations(const Study& study,
                                                         const Options& options);
std::vector<records::HeterogeneityRow> heterogeneity(const Study& study, const Options& options);
std::vector<records::LeaveOneOutRow> leave_one_out(const Study& study);
std::vector<records::DivergenceRow> divergence(const Study& study, const Options& options);
std::vector<records::AsymmetryRow> asymmetry(const Study& study);
std::vector<records::BitsRegressionRow> regression(const Study& study);
std::vector<records::QualityEquivalenceRow> equivalence(const Study& study, const Options& options);
std::vector<records::PowerRow> power(const Study& study, const Options& options);
std::vector<records::CapabilityRow> capability(const Study& study, const Options& options);
std::vector<records::AlertThresholdRow> thresholds(const Study& study, const Options& options);

/// Class of one level: changes in pp, positive for better. Empty when one is not a number.
std::string divergence_class(double quality_pp, double safety_pp, const Options& options);

/// Adjusted over all rows; a test that could not be made counts as p = 1, so that leaving data out
/// never makes a finding.
std::vector<records::SafetyTestRow> safety_tests(const Study& study, const Options& options);

/// Fills indices with draws from 0 .. size - 1 for one replicate.
using Resample = std::function<void(std::int64_t replicate, std::span<std::int64_t> indices)>;

/// Replicates first .. first + count - 1 of the asymmetry gap of every model (and pooled, of
/// several) and pair of metrics. Models and pairs with equally many levels are resampled alike.
std::vector<records::GapReplicateRow> gap_replicates(const Study& study, const Resample& resample,
                                                     std::int64_t first, std::int64_t count);
/// By counter (stats::draw_resample).
Resample counter_resample(std::uint64_t seed);
/// Intervals from all replicates; a pair that has not `options.replicates` of them is left out.
std::vector<records::AsymmetryGapRow> gaps(const Study& study,
                                           std::span<const records::GapReplicateRow> replicates,
                                           const Options& options);

/// Passes that are one unit each; the bootstrap is cut finer.
std::span<const std::string_view> whole_passes();
records::Tables run_pass(std::string_view name, const Study& study, const Options& options);

}  // namespace moesweep::quality
