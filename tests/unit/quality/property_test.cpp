#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <moesweep/analysis/quality/passes.hpp>

#include "sample_file.hpp"

namespace moesweep::quality::test {
namespace {

Options options_of_two() {
  Options options;
  options.quality = {"q"};
  options.safety = {"s"};
  options.baseline = "full";
  return options;
}

records::CellRow cell(const std::string& model, int level, const char* metric, double delta_pp) {
  records::CellRow row;
  row.model = model;
  row.level = level == 0 ? "full" : "l" + std::to_string(level);
  row.is_baseline = static_cast<std::int8_t>(level == 0);
  row.metric = metric;
  row.role = metric[0] == 'q' ? "quality" : "safety";
  row.value = 0.5 + delta_pp / 100.0;
  row.delta_pp = delta_pp;
  return row;
}

// Levels of a model along a line of the given slope about a centre.
void add_model(std::vector<records::CellRow>& cells, const std::string& model, double centre_q,
               double centre_s, double slope, const std::vector<int>& steps) {
  cells.push_back(cell(model, 0, "q", 0.0));
  cells.push_back(cell(model, 0, "s", 0.0));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double step = steps[i] / 10.0;
    cells.push_back(cell(model, static_cast<int>(i) + 1, "q", centre_q + step));
    cells.push_back(cell(model, static_cast<int>(i) + 1, "s", centre_s + slope * step));
  }
}

std::vector<int> distinct_steps() {
  auto steps = *rc::gen::unique<std::vector<int>>(*rc::gen::inRange<std::size_t>(4, 10),
                                                  rc::gen::inRange(-10, 11));
  return steps;
}

// Models that agree along +1 but lie far apart along -1: the pooled sign opposes them. Merged into
// one model they show the pooled sign alone.
RC_GTEST_PROP(SimpsonProperty, IsFoundWhereItIsConstructed, ()) {
  const auto steps = distinct_steps();
  const double sign = *rc::gen::element(-1.0, 1.0);
  const double apart = *rc::gen::inRange(10, 40);
  std::vector<records::CellRow> cells;
  add_model(cells, "a", -apart, sign * apart, sign, steps);
  add_model(cells, "b", apart, -sign * apart, sign, steps);
  const auto rows = heterogeneity(Study(cells), options_of_two());
  RC_ASSERT(rows.size() == 1U);
  RC_ASSERT(rows[0].kind == "simpson");
  RC_ASSERT(rows[0].pooled * sign < 0.0);
  RC_ASSERT(rows[0].within * sign > 0.99);

  auto merged_strata = cells;
  for (auto& one : merged_strata) {
    if (one.model == "b" && one.is_baseline == 0) one.level += "b";
    one.model = "both";
  }
  const auto merged_rows = correlations(Study(merged_strata), options_of_two());
  RC_ASSERT(merged_rows.size() == 1U);
  RC_ASSERT(merged_rows[0].pearson * sign < 0.0);
}

RC_GTEST_PROP(SimpsonProperty, IsNotFoundWhereModelsLieTogether, ()) {
  const auto steps = distinct_steps();
  const double sign = *rc::gen::element(-1.0, 1.0);
  std::vector<records::CellRow> cells;
  add_model(cells, "a", -1.0, 2.0, sign, steps);
  add_model(cells, "b", -1.0, 2.0, sign, steps);
  RC_ASSERT(heterogeneity(Study(cells), options_of_two())[0].kind == "agree");
}

RC_GTEST_PROP(SimpsonProperty, OppositeModelsAreHeterogeneous, ()) {
  const auto steps = distinct_steps();
  std::vector<records::CellRow> cells;
  add_model(cells, "a", 0.0, 0.0, 1.0, steps);
  add_model(cells, "b", *rc::gen::inRange(-40, 40), *rc::gen::inRange(-40, 40), -1.0, steps);
  const auto kind = heterogeneity(Study(cells), options_of_two())[0].kind;
  RC_ASSERT(kind == "heterogeneous" || kind == "opposite_signs");
}

RC_GTEST_PROP(HolmProperty, FamilyIsNeverSmallerThanItsTests, ()) {
  const auto counts = *rc::gen::container<std::vector<int>>(*rc::gen::inRange<std::size_t>(1, 12),
                                                            rc::gen::inRange(-1, 101));
  auto options = options_of_two();
  std::vector<records::CellRow> cells;
  const auto add = [&](int level, int count) {
    auto one = cell("m", level, "s", static_cast<double>(count - 50));
    one.yes_no = 1;
    one.value = count / 100.0;
    one.samples = 100;
    one.yes = count;
    cells.push_back(one);
  };
  add(0, 50);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cells.push_back(cell("m", static_cast<int>(i) + 1, "q", 0.0));
    if (counts[i] >= 0) add(static_cast<int>(i) + 1, counts[i]);
  }
  const auto rows = safety_tests(Study(cells), options);
  double smallest = 1.0;
  for (const auto& row : rows) {
    if (std::isnan(row.p)) continue;
    smallest = std::min(smallest, row.p);
    RC_ASSERT(row.p <= row.p_holm);
    RC_ASSERT(row.p_holm <= row.p_bonferroni);
  }
  // The smallest is multiplied by all that were planned, not by those that could be made.
  for (const auto& row : rows) {
    if (row.p != smallest) continue;
    RC_ASSERT(row.p_holm == std::min(1.0, smallest * static_cast<double>(rows.size())));
  }
}

RC_GTEST_PROP(DivergenceProperty, EveryChangeHasOneClass, ()) {
  const double q = *rc::gen::inRange(-2000, 2001) / 100.0;
  const double s = *rc::gen::inRange(-2000, 2001) / 100.0;
  const auto found = divergence_class(q, s, options_of_two());
  RC_ASSERT((found == "BOTH_STABLE") == (std::fabs(q) <= 3.0 && std::fabs(s) <= 3.0));
  RC_ASSERT((found == "SAFETY_SHIFT_WITH_STABLE_QUALITY") ==
            (std::fabs(q) <= 3.0 && std::fabs(s) > 3.5));
  RC_ASSERT((found == "SAFETY_DEGRADES_FASTER") ==
            (std::fabs(q) > 3.0 && q * s > 0.0 && std::fabs(s) > std::fabs(q)));
  RC_ASSERT(!found.empty());
}

RC_GTEST_PROP(SamplesProperty, CutsAnywhereGiveTheSameSums, ()) {
  const auto scores =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-100000, 100000)));
  std::string text;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    text += "{\"model\":\"m\",\"level\":\"" + std::string(i % 5, 'x') + "q\",\"metric\":\"a\"" +
            ",\"score\":" + std::to_string(scores[i]) + "e-3}" + std::string(1 + i % 2, '\n');
  }
  const SampleFile file(text);
  const auto width = *rc::gen::inRange<std::uint64_t>(1, 200);
  const auto whole = describe(file.joined());
  const auto cut = describe(file.joined(width));
  RC_ASSERT(whole.size() == cut.size());
  for (std::size_t i = 0; i < cut.size(); ++i) {
    RC_ASSERT(whole[i].samples == cut[i].samples);
    RC_ASSERT(whole[i].mean == cut[i].mean);
    RC_ASSERT(whole[i].minimum == cut[i].minimum);
  }
}

}  // namespace
}  // namespace moesweep::quality::test
