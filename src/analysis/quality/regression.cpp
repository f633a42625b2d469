#include <cmath>

#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/core/stats/regression.hpp>

namespace moesweep::quality {
namespace {

std::string why_no_test(const stats::Regression& line) {
  if (!std::isnan(line.slope_p)) return {};
  if (line.count < 2) return "fewer than two levels with bits and a value";
  if (std::isnan(line.slope)) return "all levels have the same bits";
  return line.count == 2 ? "two levels are always on a line"
                         : "the values lie on the line: no scatter to judge it by";
}

}  // namespace

std::vector<records::BitsRegressionRow> regression(const Study& study) {
  std::vector<records::BitsRegressionRow> rows;
  for (const auto& model : study.models()) {
    for (const auto* role : {"quality", "safety", "capability"}) {
      for (const auto& metric : study.metrics(role)) {
        std::vector<double> bits;
        std::vector<double> values;
        for (const auto& level : study.levels(model)) {
          const auto* cell = study.find(model, level.name, metric);
          if (cell == nullptr) continue;
          bits.push_back(level.bits_per_weight);
          values.push_back(cell->value);
        }
        const auto line = stats::regress(bits, values);
        rows.push_back({model, metric, line.count, line.slope, line.intercept, line.r2,
                        line.slope_error, line.slope_p, why_no_test(line)});
      }
    }
  }
  return rows;
}

}  // namespace moesweep::quality
