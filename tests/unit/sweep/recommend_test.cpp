#include <gtest/gtest.h>

#include <moesweep/engine/sweep/recommend.hpp>

#include "unit/sweep/plans.hpp"

namespace moesweep::sweep::test {
namespace {

Machine machine_of(int ranks, int threads) {
  Machine out;
  out.ranks = ranks;
  out.threads = threads;
  out.memory_bytes = 1 << 20;
  return out;
}

TEST(Recommend, NoMoreRanksThanTheLongestUnitLeavesWorkFor) {
  auto stage = even_stage("only", 64);
  stage.units[0].cost.seconds_estimate = 16.0;
  const Plan plan({stage});
  const auto recommended = recommend(plan, 64, 4, machine_of);
  EXPECT_LE(recommended.ranks * recommended.threads, 8);
  EXPECT_LE(recommended.forecast.makespan_seconds,
            worth_waiting * simulate(plan, machine_of(64, 4)).makespan_seconds);
}

TEST(Recommend, EverythingWhenTheWorkScales) {
  const auto recommended = recommend(even_plan(4096), 8, 4, machine_of);
  EXPECT_EQ(recommended.ranks, 8);
  EXPECT_EQ(recommended.threads, 4);
}

TEST(Recommend, FewThreadsWhenMemoryHoldsFewUnits) {
  const Plan plan({even_stage("only", 200, 1.0, 1 << 19)});  // two at once
  EXPECT_EQ(recommend(plan, 1, 16, machine_of).threads, 2);
}

}  // namespace
}  // namespace moesweep::sweep::test
