#include <cmath>

#include <moesweep/analysis/quality/passes.hpp>

namespace moesweep::quality {
namespace {

// Calls add(model, level, quality cell, safety cell) for every pair of metrics of every level but
// the baseline; cells may be null.
template <typename Add>
void for_each_pair(const Study& study, const Add& add) {
  for (const auto& quality : study.metrics("quality")) {
    for (const auto& safety : study.metrics("safety")) {
      for (const auto& model : study.models()) {
        for (const auto& level : study.levels(model)) {
          if (!level.is_baseline) add(model, level, quality, safety);
        }
      }
    }
  }
}

double delta_of(const Study& study, const std::string& model, const Level& level,
                const std::string& metric) {
  const auto* cell = study.find(model, level.name, metric);
  return cell == nullptr ? records::not_measured : cell->delta_pp;
}

}  // namespace

std::string divergence_class(double quality_pp, double safety_pp, const Options& options) {
  if (std::isnan(quality_pp) || std::isnan(safety_pp)) return {};
  const double q = std::fabs(quality_pp);
  const double s = std::fabs(safety_pp);
  const double margin = options.margin_pp;
  if (q <= margin && s <= margin) return "BOTH_STABLE";
  if (q <= margin && s > options.shift_pp) return "SAFETY_SHIFT_WITH_STABLE_QUALITY";
  const bool same_sign = (quality_pp > 0.0) == (safety_pp > 0.0);
  if (q > margin && same_sign && s > q) return "SAFETY_DEGRADES_FASTER";
  return "MIXED_OR_BORDERLINE";
}

std::vector<records::DivergenceRow> divergence(const Study& study, const Options& options) {
  std::vector<records::DivergenceRow> rows;
  for_each_pair(study,
                [&](const auto& model, const auto& level, const auto& quality, const auto& safety) {
                  const double q = delta_of(study, model, level, quality);
                  const double s = delta_of(study, model, level, safety);
                  rows.push_back({model, level.name, level.bits_per_weight, quality, safety, q, s,
                                  divergence_class(q, s, options)});
                });
  return rows;
}

// A change that is only what subtracting two values left of their rounding is none.
double without_rounding(double change_pp) {
  constexpr double rounding_pp = 1e-10;
  return std::fabs(change_pp) <= rounding_pp ? 0.0 : change_pp;
}

std::vector<records::AsymmetryRow> asymmetry(const Study& study) {
  std::vector<records::AsymmetryRow> rows;
  for_each_pair(
      study, [&](const auto& model, const auto& level, const auto& quality, const auto& safety) {
        const double q = delta_of(study, model, level, quality);
        const double s = delta_of(study, model, level, safety);
        rows.push_back(
            {model, level.name, level.bits_per_weight, quality, safety, q, s,
             without_rounding(q) == 0.0 ? records::not_measured : std::fabs(s) / std::fabs(q),
             static_cast<std::int8_t>(without_rounding(q) * without_rounding(s) > 0.0)});
      });
  return rows;
}

}  // namespace moesweep::quality
