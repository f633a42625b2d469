#include <algorithm>
#include <cmath>

#include <boost/math/distributions/students_t.hpp>

#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/stats/two_proportions.hpp>

namespace moesweep::quality {
namespace {

using records::AlertThresholdRow;

bool differs(const stats::Count& baseline, std::int64_t other, double alpha) {
  return stats::fisher_exact(baseline, {other, baseline.n}) < alpha;
}

// The count nearest to the baseline's that differs from it, towards `extreme`; significance grows
// with the distance. Nothing when the extreme itself does not differ.
double nearest_that_differs(const stats::Count& baseline, std::int64_t extreme, double alpha) {
  if (!differs(baseline, extreme, alpha)) return records::not_measured;
  auto same = baseline.k;
  auto other = extreme;
  while (std::abs(other - same) > 1) {
    const auto middle = same + (other - same) / 2;
    (differs(baseline, middle, alpha) ? other : same) = middle;
  }
  return static_cast<double>(other) / static_cast<double>(baseline.n);
}

void set_alerts(AlertThresholdRow& row, const records::CellRow& cell, double alpha) {
  if (!why_untested(cell, "it").empty()) return;
  if (is_counted(cell)) {
    row.alert_below = nearest_that_differs(count_of(cell), 0, alpha);
    row.alert_above = nearest_that_differs(count_of(cell), cell.samples, alpha);
    return;
  }
  const auto baseline = summary_of(cell);
  // As spread as the baseline: 2 (n - 1) degrees of freedom.
  const auto count = static_cast<double>(baseline.count);
  const boost::math::students_t t(2.0 * (count - 1.0));
  const double reach = boost::math::quantile(boost::math::complement(t, alpha / 2.0)) *
                       std::sqrt(2.0 * baseline.variance / count);
  row.alert_below = cell.value - reach;
  row.alert_above = cell.value + reach;
}

}  // namespace

std::vector<AlertThresholdRow> thresholds(const Study& study, const Options& options) {
  std::vector<AlertThresholdRow> rows;
  const double margin = options.margin_pp / 100.0;
  for (const auto& model : study.models()) {
    for (const auto& metric : study.metrics("safety")) {
      const auto* cell = study.baseline(model, metric);
      if (cell == nullptr) continue;
      AlertThresholdRow row{
          model, metric, cell->samples, cell->value, cell->value - margin, cell->value + margin};
      if (cell->yes_no != 0) {
        row.warn_below = std::max(0.0, row.warn_below);
        row.warn_above = std::min(1.0, row.warn_above);
      }
      set_alerts(row, *cell, options.alpha);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace moesweep::quality
