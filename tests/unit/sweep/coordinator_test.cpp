// What is handed out, to whom and when.

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/sweep/coordinator_harness.hpp"

namespace moesweep::sweep {
namespace {

using test::Coordinator;
using test::count_of;
using test::even_plan;
using test::even_stage;
using test::unit;
using test::Units;
using test::work_for;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Coordinator, HandsOutTheLongestFirstAndNeighboursTogether) {
  Coordinator c(
      Plan({Stage{"s",
                  {unit("short", 1.0), unit("far", 5.0, {1, 0}), unit("near b", 5.0, {0, 9}),
                   unit("near a", 5.0, {0, 3}), unit("longest", 8.0, {7, 7})}}}),
      1);
  EXPECT_THAT(work_for(c.hello(0, 5), 0), ElementsAre(4U, 3U, 2U, 1U, 0U));
}

TEST(Coordinator, SendsNothingToARankThatHasNotGreeted) {
  Coordinator c(even_plan(100), 2);
  const auto sent = c.hello(0, 1);
  EXPECT_THAT(work_for(sent, 1), IsEmpty());
  EXPECT_FALSE(work_for(sent, 0).empty());
}

TEST(Coordinator, FirstToGreetDoesNotTakeTheShareOfTheOthers) {
  Coordinator alone(even_plan(64), 1);
  Coordinator one_of_eight(even_plan(64), 8);
  const auto to_only_rank = work_for(alone.hello(0, 1), 0).size();
  const auto to_first_rank = work_for(one_of_eight.hello(3, 1), 3).size();
  EXPECT_LE(to_first_rank, 64U / 8U);
  EXPECT_LT(to_first_rank, to_only_rank);
}

TEST(Coordinator, LateGreeterStillGetsWork) {
  Coordinator c(even_plan(64), 8);
  for (int rank = 0; rank < 8; ++rank) {
    EXPECT_FALSE(work_for(c.hello(rank, 1), rank).empty()) << rank;
  }
}

TEST(Coordinator, BatchesShrinkTowardsTheEnd) {
  Coordinator c(even_plan(256, 0.01), 2);
  std::vector<std::size_t> held;  // by rank 0 after each of its requests
  auto mine = work_for(c.hello(0, 1), 0);
  auto others = work_for(c.hello(1, 1), 1);
  while (!mine.empty()) {
    held.push_back(mine.size());
    const auto sent = c.finish(0, mine.front());
    mine.erase(mine.begin());
    for (const auto next : work_for(sent, 0)) mine.push_back(next);
    for (const auto next : work_for(sent, 1)) others.push_back(next);
    if (others.empty()) continue;
    for (const auto next : work_for(c.finish(1, others.front()), 1)) others.push_back(next);
    others.erase(others.begin());
  }
  EXPECT_GT(held.front(), 16U);
  EXPECT_TRUE(std::is_sorted(held.rbegin(), held.rend()));
  EXPECT_EQ(held.back(), 1U);
}

TEST(Coordinator, KeepsEveryThreadOfARankBusyEvenWhenTheShareIsSmaller) {
  Coordinator c(even_plan(500), 100);
  EXPECT_EQ(work_for(c.hello(5, 4), 5).size(), 4U);
}

TEST(Coordinator, SpreadsFewUnitsOverAllRanks) {
  Coordinator c(even_plan(10), 5);
  for (int rank = 0; rank < 5; ++rank) {
    EXPECT_EQ(work_for(c.hello(rank, 4), rank).size(), 2U) << "rank " << rank;
  }
}

TEST(Coordinator, StartsNoMoreAtOnceThanEndsBesideTheLongestUnit) {
  auto stage = even_stage("only", 101);
  stage.units[7].cost.seconds_estimate = 20.0;  // beside it, 5 threads compute the rest
  Coordinator c(Plan({stage}), 10);
  std::size_t started = 0;
  for (int rank = 0; rank < 10; ++rank) {
    const auto work = work_for(c.hello(rank, 8), rank);
    if (rank == 0) {
      EXPECT_EQ(work.at(0), 7U);
    }
    started += work.size();
  }
  EXPECT_GE(started, 10U);
  EXPECT_LE(started, 20U);
}

TEST(Coordinator, ARankHoldsAFewSecondsOfLookaheadAtMost) {
  Coordinator c(even_plan(100'000), 1);
  EXPECT_LE(work_for(c.hello(0, 2), 0).size(), 2U * 10U + 1U);
}

TEST(Coordinator, NeverHandsOutAUnitTwice) {
  Coordinator c(even_plan(50), 3);
  std::set<UnitIndex> seen;
  std::vector<std::pair<int, UnitIndex>> open;
  const auto note = [&](const std::vector<test::Sent>& sent) {
    for (int rank = 0; rank < 3; ++rank) {
      for (const auto one : work_for(sent, rank)) {
        EXPECT_TRUE(seen.insert(one).second) << one;
        open.emplace_back(rank, one);
      }
    }
  };
  for (int rank = 0; rank < 3; ++rank) note(c.hello(rank, 2));
  for (std::size_t next = 0; next < open.size(); ++next) {
    note(c.compute(open[next].first, open[next].second));
  }
  EXPECT_EQ(seen.size(), 50U);
}

TEST(Coordinator, UnitsDoneBeforeAreNeverHandedOut) {
  const auto plan = even_plan(10);
  std::unordered_set<UnitId> done;
  for (const UnitIndex index : {0U, 3U, 9U}) done.insert(plan.unit(index).id);
  Coordinator c(plan, 1, done);
  const auto work = work_for(c.hello(0, 10), 0);
  EXPECT_THAT(work, ElementsAre(1U, 2U, 4U, 5U, 6U, 7U, 8U));
  EXPECT_EQ(c.state.done, 3);
}

TEST(Coordinator, AUnitIsDoneOnlyWhenDurable) {
  Coordinator c(even_plan(1), 1);
  c.hello(0, 1);
  const auto after_computed = c.compute(0, 0);
  EXPECT_EQ(c.state.done, 0);
  EXPECT_EQ(c.state.computed, 1);
  EXPECT_EQ(count_of<Drain>(after_computed), 0U);
  const auto after_durable = c.publish(0, {0});
  EXPECT_EQ(c.state.done, 1);
  EXPECT_EQ(c.state.computed, 0);
  EXPECT_EQ(count_of<Drain>(after_durable), 1U);
}

TEST(Coordinator, TellsEveryRankOnceThatTheQueueIsEmpty) {
  Coordinator c(even_plan(2), 3);
  EXPECT_EQ(count_of<QueueEmpty>(c.hello(0, 1)), 0U);
  EXPECT_EQ(count_of<QueueEmpty>(c.hello(1, 1)), 3U);
  EXPECT_EQ(count_of<QueueEmpty>(c.hello(2, 1)), 0U);
}

TEST(Coordinator, AStageOpensOnlyWhenTheLastUnitOfTheOneBeforeIsDurable) {
  Coordinator c(Plan({even_stage("a", 2), Stage{"nothing", {}}, even_stage("b", 2)}), 2);
  EXPECT_THAT(work_for(c.hello(0, 1), 0), ElementsAre(0U));
  EXPECT_THAT(work_for(c.hello(1, 1), 1), ElementsAre(1U));
  c.finish(0, 0);
  EXPECT_THAT(work_for(c.compute(1, 1), 1), IsEmpty());
  const auto opened = c.publish(1, {1});
  EXPECT_THAT(work_for(opened, 0), ElementsAre(2U));
  EXPECT_THAT(work_for(opened, 1), ElementsAre(3U));
  EXPECT_EQ(count_of<QueueEmpty>(opened), 2U);
}

TEST(Coordinator, AFailedUnitDoesNotHoldUpTheNextStage) {
  Coordinator c(Plan({even_stage("a", 1), even_stage("b", 1)}), 1);
  c.hello(0, 1);
  c.compute(0, 0, /*failed=*/true);
  EXPECT_THAT(work_for(c.publish(0, {0}), 0), ElementsAre(1U));
}

TEST(Coordinator, DeclinedUnitsAreNotHandedOutAgain) {
  Coordinator c(even_plan(3), 1);
  auto work = work_for(c.hello(0, 2), 0);
  ASSERT_EQ(work.size(), 2U);
  EXPECT_THAT(work_for(c.say(0, HandedBack{{work[0]}}), 0), ElementsAre(2U));
  EXPECT_THAT(work_for(c.finish(0, work[1]), 0), IsEmpty());
  EXPECT_THAT(work_for(c.finish(0, 2), 0), IsEmpty());
  EXPECT_EQ(c.state.declined, 1);
}

TEST(Coordinator, UnitsFailedByRankZeroAreNotHandedOut) {
  const auto plan = even_plan(4);
  Coordinator c(plan, 1, {}, {plan.unit(1).id});
  EXPECT_THAT(work_for(c.hello(0, 8), 0), ElementsAre(0U, 2U, 3U));
  c.compute(0, 1, /*failed=*/true);
  c.publish(0, {1});
  EXPECT_EQ(c.state.failed, 1);
}

TEST(Coordinator, AFailureReportedAheadOfItsStageDoesNotBreakTheBarrier) {
  const Plan plan({even_stage("a", 2), even_stage("b", 2)});
  Coordinator c(plan, 1, {}, {plan.unit(3).id});
  EXPECT_THAT(work_for(c.hello(0, 4), 0), ElementsAre(0U, 1U));
  c.compute(0, 3, /*failed=*/true);
  c.finish(0, 0);
  EXPECT_THAT(work_for(c.publish(0, {3}), 0), IsEmpty()) << "unit 1 is not done yet";
  EXPECT_THAT(work_for(c.finish(0, 1), 0), ElementsAre(2U));
  EXPECT_EQ(count_of<Drain>(c.finish(0, 2)), 1U) << "the failed unit must not keep its stage open";
}

TEST(Coordinator, FailuresOfRankZeroDoNotEarnItMoreWork) {
  const auto plan = even_plan(200);
  std::unordered_set<UnitId> failed;
  for (UnitIndex index = 0; index < 3; ++index) failed.insert(plan.unit(index).id);
  Coordinator c(plan, 2, {}, failed);
  Coordinator undisturbed(plan, 2);
  const auto expected = work_for(undisturbed.hello(0, 1), 0).size();
  auto got = work_for(c.hello(0, 1), 0).size();
  got += work_for(c.compute(0, 0, true), 0).size();
  got += work_for(c.compute(0, 1, true), 0).size();
  got += work_for(c.compute(0, 2, true), 0).size();
  EXPECT_LE(got, expected + 1);
}

TEST(CoordinatorDeathTest, MessagesThatCannotBeAreBugs) {
  Coordinator c(even_plan(2), 1);
  c.hello(0, 1);
  EXPECT_DEATH(c.compute(0, 1), "not assigned");
  EXPECT_DEATH(c.publish(0, {0}), "not computed");
  EXPECT_DEATH(c.say(0, HandedBack{{1}}), "not assigned");
  EXPECT_DEATH(c.say(0, Drain{}), "worker");
}

}  // namespace
}  // namespace moesweep::sweep
