#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/plans/allocation/allocation.hpp>

#include "random_modules.hpp"

namespace moesweep::allocation {
namespace {

void expect_consistent(const Allocation& allocation, const std::vector<Module>& modules,
                       std::int64_t budget) {
  ASSERT_EQ(allocation.chosen.size(), modules.size());
  std::int64_t bytes = 0;
  double error = 0.0;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    bytes += modules[i].choices[allocation.chosen[i]].bytes;
    error += modules[i].choices[allocation.chosen[i]].error;
  }
  EXPECT_EQ(allocation.bytes, bytes);
  EXPECT_EQ(allocation.error, error);
  EXPECT_LE(bytes, budget);
  EXPECT_LE(allocation.lower_bound, allocation.error);
}

TEST(WithinBudget, EqualsTryingEverything) {
  int with_a_gap = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto modules =
        unrelated_modules(seed, {.modules = 1 + seed % 7, .largest_bytes = seed % 2 ? 1000 : 12});
    const auto least = smallest_bytes(modules);
    const auto most = largest_bytes(modules);
    for (int tenth = -1; tenth <= 10; ++tenth) {
      const auto budget = least + (most - least) * tenth / 10 - (tenth < 0 ? 1 : 0);
      const auto best = by_trying_everything(modules, budget);
      const auto found = within_budget(modules, budget);
      ASSERT_EQ(found.has_value(), best.has_value()) << seed << " " << budget;
      if (!found) continue;
      expect_consistent(*found, modules, budget);
      EXPECT_EQ(found->error, *best) << "seed " << seed << " budget " << budget;
      EXPECT_TRUE(found->proven_optimal);
      with_a_gap += found->gap() > 0.01 ? 1 : 0;
    }
  }
  EXPECT_GT(with_a_gap, 100) << "the cases are too easy to need a repair";
}

TEST(WithinBudget, EqualsTryingEverythingWhereErrorsAreNoMultiples) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    auto modules = quantized_modules(seed, 3, seed % 2 == 1);
    const auto least = smallest_bytes(modules);
    const auto most = largest_bytes(modules);
    for (int tenth = 0; tenth <= 10; ++tenth) {
      const auto budget = least + (most - least) * tenth / 10;
      const auto found = within_budget(modules, budget);
      ASSERT_TRUE(found);
      EXPECT_DOUBLE_EQ(found->error, by_trying_everything(modules, budget).value());
    }
  }
}

TEST(WithinBudget, FindsTheProvenOptimumOfTwentyMatrices) {
  for (const bool sizes_of_their_own : {false, true}) {
    const auto modules = quantized_modules(1, 20, sizes_of_their_own);
    const auto least = smallest_bytes(modules);
    const auto most = largest_bytes(modules);
    for (int i = 1; i < 20; ++i) {
      const auto found = within_budget(modules, least + (most - least) * i / 20);
      ASSERT_TRUE(found);
      EXPECT_TRUE(found->proven_optimal) << i;
    }
  }
}

TEST(WithinBudget, IsWithinATenthOfAPercentForHundredsOfModules) {
  for (const bool sizes_of_their_own : {false, true}) {
    const auto modules = quantized_modules(2, 600, sizes_of_their_own);
    const auto least = smallest_bytes(modules);
    const auto most = largest_bytes(modules);
    for (int i = 1; i < 10; ++i) {
      const auto found = within_budget(modules, least + (most - least) * i / 20);
      ASSERT_TRUE(found);
      EXPECT_LE(found->gap(), 1e-3) << i;
    }
  }
}

TEST(WithinBudget, ALimitGivesAnAllocationThatIsNotCalledOptimal) {
  const auto modules = quantized_modules(3, 20, true);
  const auto budget = (smallest_bytes(modules) + largest_bytes(modules)) / 3;
  const auto limited = within_budget(modules, budget, {.states_made = 50});
  const auto optimal = within_budget(modules, budget);
  ASSERT_TRUE(limited && optimal);
  expect_consistent(*limited, modules, budget);
  EXPECT_FALSE(limited->proven_optimal);
  EXPECT_TRUE(optimal->proven_optimal);
  EXPECT_GE(limited->error, optimal->error);
  EXPECT_EQ(limited->lower_bound, optimal->lower_bound);
}

TEST(WithinBudget, RoomForAllTakesTheLeastErrorOfEach) {
  const auto modules = quantized_modules(4, 5, true);
  const auto found = within_budget(modules, largest_bytes(modules));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->error, 0.0);
  EXPECT_EQ(found->gap(), 0.0);
  EXPECT_TRUE(found->proven_optimal);
}

TEST(WithinBudget, OfEqualChoicesTakesTheFirst) {
  Module module;
  module.choices = {{"b", 4, 64, 100, 0.5, 0.0}, {"a", 4, 32, 100, 0.5, 0.0}};
  const std::vector modules(3, module);
  EXPECT_THAT(within_budget(modules, 300)->chosen, ::testing::ElementsAre(0, 0, 0));
  EXPECT_FALSE(within_budget(modules, 299));
}

TEST(WithinBudget, NoModulesNeedNoBytes) {
  const auto found = within_budget({}, 0);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bytes, 0);
}

TEST(ParetoCurve, HasTheOptimumAtEachOfItsSizes) {
  const auto modules = quantized_modules(5, 4, true);
  const auto curve = pareto_curve(modules);
  ASSERT_GT(curve.size(), 10U);
  EXPECT_EQ(curve.front().bytes, smallest_bytes(modules));
  EXPECT_EQ(curve.back().error, 0.0);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_DOUBLE_EQ(curve[i].error, by_trying_everything(modules, curve[i].bytes).value());
    if (i > 0) {
      EXPECT_GT(curve[i].bytes, curve[i - 1].bytes);
      EXPECT_LT(curve[i].error, curve[i - 1].error);
    }
  }
}

TEST(ParetoCurve, IsThinnedBetweenItsEnds) {
  const auto modules = quantized_modules(6, 50, true);
  const auto all = pareto_curve(modules);
  const auto thinned = pareto_curve(modules, 12);
  EXPECT_LE(thinned.size(), 13U);
  EXPECT_GE(thinned.size(), 6U);
  EXPECT_EQ(thinned.front().bytes, all.front().bytes);
  EXPECT_EQ(thinned.back().bytes, all.back().bytes);
}

TEST(AboveFloor, TakesTheSmallestChoiceOfEachModuleThatReachesIt) {
  Module module;
  module.choices = {{"affine", 2, 64, 20, 0.2, 0.4},
                    {"affine", 4, 64, 40, 0.01, 0.1},
                    {"affine", 4, 32, 44, 0.008, 0.09},
                    {"", 16, 0, 160, 0.0, 0.0}};
  EXPECT_THAT(above_floor({{module}}, 20.0).chosen, ::testing::ElementsAre(1));  // 0.1 is 20 dB
  EXPECT_THAT(above_floor({{module}}, 20.5).chosen, ::testing::ElementsAre(2));
  EXPECT_THAT(above_floor({{module}}, 60.0).chosen, ::testing::ElementsAre(3));
  module.choices.pop_back();
  const auto best = above_floor({{module}}, 60.0);
  EXPECT_THAT(best.chosen, ::testing::ElementsAre(2)) << "none reaches it: the best there is";
  EXPECT_EQ(best.bytes, 44);
}

}  // namespace
}  // namespace moesweep::allocation
