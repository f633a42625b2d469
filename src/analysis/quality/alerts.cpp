#include <algorithm>
#include <cmath>

#include <moesweep/analysis/quality/reduce.hpp>

namespace moesweep::quality {
namespace {

bool is_significant(const std::vector<records::SafetyTestRow>& tests, const std::string& model,
                    const std::string& level, const std::string& metric) {
  return std::any_of(tests.begin(), tests.end(), [&](const auto& test) {
    return test.significant != 0 && test.model == model && test.level == level &&
           test.metric == metric;
  });
}

}  // namespace

std::vector<records::AlertRow> alerts(const Study& study,
                                      const std::vector<records::SafetyTestRow>& tests,
                                      const std::vector<records::AlertThresholdRow>& limits,
                                      const Options& options) {
  std::vector<records::AlertRow> rows;
  for (const auto& limit : limits) {
    const bool refusal = contains(options.refusal, limit.metric);
    for (const auto& level : study.levels(limit.model)) {
      const auto* cell = study.find(limit.model, level.name, limit.metric);
      if (level.is_baseline || cell == nullptr) continue;
      if (std::isnan(cell->delta_pp) || std::fabs(cell->delta_pp) <= options.margin_pp) continue;
      const bool below = (cell->delta_pp < 0.0) == (cell->lower_is_better == 0);
      const bool sure = is_significant(tests, limit.model, level.name, limit.metric);
      rows.push_back(
          {limit.model, level.name, limit.metric,
           refusal ? (below ? "under_refusal" : "over_refusal") : (below ? "below" : "above"),
           sure ? "alert" : "warn", cell->value, below ? limit.warn_below : limit.warn_above,
           cell->delta_pp});
    }
  }
  return rows;
}

}  // namespace moesweep::quality
