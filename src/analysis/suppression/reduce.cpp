#include <cmath>

#include <moesweep/analysis/suppression/reduce.hpp>
#include <moesweep/core/stats/multiple.hpp>

#include "effect.hpp"
#include "paired_runs.hpp"
#include "test_samples.hpp"

namespace moesweep::suppression {
namespace {

void append_pairs(const PairedRuns& runs, const std::vector<Measure>& measures,
                  std::vector<records::SuppressionPairRow>& pairs) {
  const Measure& accuracy = measures.front();
  if (accuracy.samples.empty()) return;
  const auto share = [&](const std::string& predicted) {
    return static_cast<double>(count_of(accuracy, predicted)) /
           static_cast<double>(accuracy.samples.size());
  };
  for (std::size_t s = 0; s < runs.seeds.size(); ++s) {
    records::SuppressionPairRow row{.variant = runs.key.variant,
                                    .head = runs.key.head,
                                    .layer = runs.key.layer,
                                    .pooling = runs.key.pooling,
                                    .mode = runs.key.mode,
                                    .parameter = runs.key.parameter,
                                    .seed = runs.seeds[s],
                                    .accuracy_without = share(runs.without[s]),
                                    .accuracy_with = share(runs.with[s])};
    if (measures.size() > 1) {
      row.forbidden_without = count_of(measures[1], runs.without[s]);
      row.forbidden_with = count_of(measures[1], runs.with[s]);
    }
    pairs.push_back(row);
  }
}

void correct_for_the_family(std::vector<records::SuppressionTestRow>& tests) {
  std::vector<double> p;
  p.reserve(tests.size());
  // An effect without spread counts as p = 1, so that it makes no other one significant.
  for (const auto& row : tests) {
    p.push_back(std::isnan(row.p) && !std::isnan(row.effect) ? 1.0 : row.p);
  }
  const auto corrected = stats::holm(p);
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (!std::isnan(tests[i].p)) tests[i].p_holm = corrected[i];
  }
}

}  // namespace

Reduced reduce(const ReduceInput& input, const ReduceOptions& options) {
  const auto measures = measures_of(input.samples, options);
  Reduced out;
  for (const PairedRuns& runs : pair_runs(input)) {
    append_pairs(runs, measures, out.pairs);
    for (const Measure& measure : measures) out.tests.push_back(test_of(runs, measure, options));
  }
  correct_for_the_family(out.tests);
  return out;
}

}  // namespace moesweep::suppression
