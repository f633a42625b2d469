#include "difference.hpp"

#include <moesweep/core/stats/two_proportions.hpp>

namespace moesweep::quality {

bool are_counts(const records::CellRow& baseline, const records::CellRow& cell) {
  return is_counted(baseline) && is_counted(cell);
}

std::string why_uncomparable(const records::CellRow& baseline, const records::CellRow& cell) {
  auto reason = why_untested(baseline, "the baseline");
  if (reason.empty()) reason = why_untested(cell, "the level");
  if (!reason.empty() || are_counts(baseline, cell)) return reason;
  // A share beside a mean is compared as a mean.
  for (const auto* one : {&baseline, &cell}) {
    const auto summary = summary_of(*one);
    if (summary.count >= 3 && summary.variance > 0.0) continue;
    return std::string(one == &baseline ? "the baseline" : "the level") +
           " has too few samples, or samples that are all equal, beside a mean";
  }
  return {};
}

Difference test_difference(const records::CellRow& baseline, const records::CellRow& cell) {
  Difference found;
  found.reason = why_uncomparable(baseline, cell);
  if (!found.reason.empty()) return found;
  const auto a = summary_of(baseline);
  const auto b = summary_of(cell);
  found.welch = stats::welch_t(a, b);
  found.cohens_d = stats::cohens_d(a, b);
  if (are_counts(baseline, cell)) {
    found.test = "fisher";
    found.p = stats::fisher_exact(count_of(baseline), count_of(cell));
  } else {
    found.test = "welch";
    found.p = found.welch.p;
  }
  return found;
}

}  // namespace moesweep::quality
