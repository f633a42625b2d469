#include <limits>

#include <gtest/gtest.h>

#include "unit/sweep/plans.hpp"

namespace moesweep::sweep {
namespace {

using test::even_stage;
using test::unit;

TEST(Plan, CountsUnitsThroughAllStages) {
  const Plan plan({even_stage("a", 2), Stage{"nothing", {}}, even_stage("b", 3)});
  EXPECT_EQ(plan.size(), 5U);
  EXPECT_EQ(plan.first_of(2), 2U);
  EXPECT_EQ(plan.unit(1).key, "a/1");
  EXPECT_EQ(plan.unit(2).key, "b/0");
  EXPECT_EQ(plan.stage_of(1), 0U);
  EXPECT_EQ(plan.stage_of(2), 2U);
  EXPECT_EQ(plan.stage_of(4), 2U);
}

TEST(Plan, MayBeEmpty) {
  EXPECT_EQ(Plan().size(), 0U);
  EXPECT_EQ(Plan({Stage{"nothing", {}}}).size(), 0U);
}

TEST(PlanDeathTest, DuplicateIdIsABug) {
  EXPECT_DEATH(Plan({even_stage("a", 1), even_stage("a", 1)}), "one id");
}

TEST(PlanDeathTest, IndexOutsideIsABug) {
  const Plan plan({even_stage("a", 1)});
  EXPECT_DEATH(plan.unit(1), "outside");
}

TEST(PlanDeathTest, CostThatCannotBeOrderedIsABug) {
  EXPECT_DEATH(Plan({Stage{"a", {unit("x", std::numeric_limits<double>::quiet_NaN())}}}), "cost");
  EXPECT_DEATH(Plan({Stage{"a", {unit("x", -1.0)}}}), "cost");
  EXPECT_DEATH(Plan({Stage{"a", {unit("x", 1.0, {}, -1)}}}), "cost");
}

}  // namespace
}  // namespace moesweep::sweep
