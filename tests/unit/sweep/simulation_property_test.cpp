// The same promise over scenarios that RapidCheck draws and, when one fails, shrinks.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "unit/sweep/simulation.hpp"

namespace moesweep::sweep::test {
namespace {

template <typename Value>
rc::Gen<std::optional<Value>> maybe(rc::Gen<Value> value) {
  return rc::gen::oneOf(
      rc::gen::just(std::optional<Value>()),
      rc::gen::map(std::move(value), [](Value drawn) { return std::optional(drawn); }));
}

Scenario draw() {
  Scenario scenario;
  scenario.seed = *rc::gen::arbitrary<std::uint64_t>().as("seed");
  scenario.ranks = *rc::gen::inRange(1, 8).as("ranks");
  scenario.most_threads = *rc::gen::inRange(1, 6).as("threads");
  scenario.units_of_stage =
      *rc::gen::resize(
           4, rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 25)))
           .as("units of stages");
  scenario.share_failing = *rc::gen::element(0.0, 0.2, 1.0).as("share failing");
  scenario.failed_without_run = *rc::gen::inRange<std::size_t>(0, 4).as("failed without run");
  scenario.stop_after = *maybe(rc::gen::inRange<std::size_t>(0, 200)).as("stop after");
  scenario.second_signal = *rc::gen::arbitrary<bool>().as("second signal");
  scenario.deadline = *maybe(rc::gen::element(0.5, 3.0, 9.0)).as("deadline");
  scenario.breaks_after = *maybe(rc::gen::inRange<std::size_t>(0, 5)).as("breaks after");
  return scenario;
}

TEST(SimulationProperty, EveryUnitComesToDiskOnceHoweverTheSweepIsDisturbed) {
  const bool holds = rc::check("every unit is on disk exactly once", [] {
    const auto wrong = run_to_the_end(draw());
    if (!wrong.empty()) RC_FAIL(wrong.front());
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace moesweep::sweep::test
