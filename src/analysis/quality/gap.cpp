#include <algorithm>
#include <map>
#include <tuple>

#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/stats/bootstrap.hpp>

#include "paired_changes.hpp"

namespace moesweep::quality {
namespace {

using records::AsymmetryGapRow;
using records::GapReplicateRow;

std::vector<double> differences(const PairedChanges& changes) {
  std::vector<double> gaps;
  for (std::size_t i = 0; i < changes.quality_pp.size(); ++i) {
    gaps.push_back(changes.safety_pp[i] - changes.quality_pp[i]);
  }
  return gaps;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Resampling levels that all have one gap says nothing, nor does resampling one.
std::string why_no_interval(const std::vector<double>& gaps) {
  constexpr double rounding_pp = 1e-10;
  if (gaps.size() < 2) return "fewer than two levels have both";
  const auto [least, most] = std::minmax_element(gaps.begin(), gaps.end());
  return *most - *least <= rounding_pp ? "the gap is the same at all levels" : "";
}

}  // namespace

Resample counter_resample(std::uint64_t seed) {
  return [seed](std::int64_t replicate, std::span<std::int64_t> indices) {
    stats::draw_resample(seed, replicate, indices);
  };
}

std::vector<GapReplicateRow> gap_replicates(const Study& study, const Resample& resample,
                                            std::int64_t first, std::int64_t count) {
  std::vector<GapReplicateRow> rows;
  for (const auto& changes : all_changes(study)) {
    const auto gaps = differences(changes);
    if (gaps.empty()) continue;
    std::vector<std::int64_t> indices(gaps.size());
    for (auto replicate = first; replicate < first + count; ++replicate) {
      resample(replicate, indices);
      double sum = 0.0;
      for (const auto index : indices) sum += gaps[static_cast<std::size_t>(index)];
      rows.push_back({changes.model, changes.quality, changes.safety, replicate,
                      sum / static_cast<double>(gaps.size())});
    }
  }
  return rows;
}

std::vector<AsymmetryGapRow> gaps(const Study& study, std::span<const GapReplicateRow> replicates,
                                  const Options& options) {
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<double>> found;
  for (const auto& row : replicates) {
    found[{row.model, row.quality, row.safety}].push_back(row.gap_pp);
  }
  std::vector<AsymmetryGapRow> rows;
  for (const auto& changes : all_changes(study)) {
    const auto values = found.find({changes.model, changes.quality, changes.safety});
    if (values == found.end()) continue;
    if (static_cast<std::int64_t>(values->second.size()) != options.replicates) continue;
    const auto observed = differences(changes);
    auto reason = why_no_interval(observed);
    auto summary = stats::summarize_bootstrap(
        mean(observed), stats::leave_one_out_means(stats::cluster_sums(observed, {})),
        values->second, options.alpha);
    if (!reason.empty()) summary.percentile = summary.bca = {};
    const auto& interval = summary.percentile;
    rows.push_back({changes.model, changes.quality, changes.safety,
                    static_cast<std::int64_t>(observed.size()), summary.observed, interval.lo,
                    interval.hi, summary.bca.lo, summary.bca.hi, options.replicates,
                    static_cast<std::int8_t>(interval.lo > 0.0 || interval.hi < 0.0),
                    std::move(reason)});
  }
  return rows;
}

}  // namespace moesweep::quality
