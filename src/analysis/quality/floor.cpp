#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/analysis/quality/reduce.hpp>

namespace moesweep::quality {
namespace {

using records::FloorRow;

struct Evidence {
  const Study& study;
  const std::vector<records::SafetyTestRow>& tests;
  const std::vector<records::QualityEquivalenceRow>& equivalences;
  const Options& options;
  const Names& metrics;
};

template <typename Row>
const Row* row_of(const std::vector<Row>& rows, const std::string& model, const std::string& level,
                  const std::string& metric) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return row.model == model && row.level == level && row.metric == metric;
  });
  return found == rows.end() ? nullptr : &*found;
}

// Why a level does not meet a criterion; empty when it does. What is not known is not met.
std::string objection(const Evidence& evidence, const std::string& criterion,
                      const std::string& model, const std::string& level) {
  for (const auto& metric : evidence.metrics) {
    const auto* cell = evidence.study.find(model, level, metric);
    if (cell == nullptr || std::isnan(cell->delta_pp)) return metric + " was not measured";
    const auto change = fmt::format("{} changes by {:+.2f} pp", metric, cell->delta_pp);
    if (criterion == "within_margin") {
      const bool too_much = contains(evidence.options.refusal, metric);
      const double harm = too_much ? std::fabs(cell->delta_pp) : -cell->delta_pp;
      if (harm > evidence.options.margin_pp) return change;
    } else if (criterion == "no_significant_loss") {
      const auto* test = row_of(evidence.tests, model, level, metric);
      if (test == nullptr || std::isnan(test->p_holm)) {
        return metric + " could not be tested" +
               (test == nullptr || test->reason.empty() ? "" : ": " + test->reason);
      }
      const bool harm = test->delta_pp < 0.0 || contains(evidence.options.refusal, metric);
      if (test->significant != 0 && harm) {
        return fmt::format("{}, p = {:.2g} after Holm", change, test->p_holm);
      }
    } else {
      const auto* test = row_of(evidence.equivalences, model, level, metric);
      if (test != nullptr && !test->reason.empty()) {
        return fmt::format("{} could not be tested: {}", metric, test->reason);
      }
      if (test == nullptr || test->equivalent == 0) {
        return fmt::format("{} is not shown to be within {} pp", metric,
                           evidence.options.margin_pp);
      }
    }
  }
  return {};
}

FloorRow floor_of(const Evidence& evidence, const std::string& criterion,
                  const std::string& model) {
  FloorRow floor{model, criterion};
  for (const auto& level : evidence.study.levels(model)) {
    if (!level.is_baseline) {
      floor.reason = objection(evidence, criterion, model, level.name);
      if (!floor.reason.empty()) {
        floor.stopped_by = level.name;
        return floor;
      }
    }
    floor.level = level.name;
    floor.bits_per_weight = level.bits_per_weight;
  }
  return floor;
}

// The floor that is right for all: the one with most bits (of equal ones the first; a baseline
// comes before all levels).
FloorRow highest(const std::vector<FloorRow>& floors, const std::string& baseline) {
  const FloorRow* top = &floors.front();
  for (const auto& floor : floors) {
    if (top->level == baseline) break;
    if (floor.level == baseline || floor.bits_per_weight > top->bits_per_weight) top = &floor;
  }
  FloorRow all = *top;
  all.reason = all.reason.empty() ? "" : fmt::format("{}: {}", all.model, all.reason);
  all.model = "all";
  return all;
}

}  // namespace

std::vector<FloorRow> floors(const Study& study, const std::vector<records::SafetyTestRow>& tests,
                             const std::vector<records::QualityEquivalenceRow>& equivalences,
                             const Options& options) {
  auto metrics = options.floor;
  if (metrics.empty() && !options.safety.empty()) metrics = {options.safety.front()};
  const Evidence evidence{study, tests, equivalences, options, metrics};
  std::vector<FloorRow> rows;
  for (const auto* criterion : {"within_margin", "no_significant_loss", "proven"}) {
    std::vector<FloorRow> of_models;
    for (const auto& model : study.models()) {
      of_models.push_back(floor_of(evidence, criterion, model));
    }
    rows.insert(rows.end(), of_models.begin(), of_models.end());
    if (of_models.size() > 1) rows.push_back(highest(of_models, options.baseline));
  }
  return rows;
}

}  // namespace moesweep::quality
