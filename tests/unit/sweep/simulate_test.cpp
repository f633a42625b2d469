#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include <moesweep/engine/sweep/simulate.hpp>

#include "unit/sweep/plans.hpp"

namespace moesweep::sweep::test {
namespace {

// Units of 1 s on average, with bytes, memory and files.
Plan random_plan(std::uint64_t seed, std::size_t units) {
  std::mt19937_64 dice(seed);
  Stage stage{"only", {}};
  for (std::size_t i = 0; i < units; ++i) {
    const auto bytes = static_cast<std::int64_t>(dice() % 50'000'000);
    const auto peak = static_cast<std::int64_t>(1 + dice() % 100);
    const double computing = 1e-3 * static_cast<double>(dice() % 2000);
    stage.units.push_back({UnitId{i + 1},
                           "only/" + std::to_string(i),
                           {bytes, 0, peak, computing + static_cast<double>(bytes) / 1e9},
                           {static_cast<std::uint32_t>(dice() % 7), 0}});
  }
  return Plan({stage});
}

Machine machine(int ranks, int threads) {
  Machine out;
  out.ranks = ranks;
  out.ranks_per_node = 2;
  out.threads = threads;
  out.memory_bytes = 1000;
  out.total_bytes_per_second = 4e9;
  return out;
}

Machine random_machine(std::uint64_t seed) {
  std::mt19937_64 dice(seed);
  auto out = machine(1 + static_cast<int>(dice() % 9), 1 + static_cast<int>(dice() % 6));
  out.ranks_per_node = 1 + static_cast<int>(dice() % 3);
  out.memory_bytes = static_cast<std::int64_t>(100 + dice() % 400);
  out.node_bytes_per_second = 1e6 * static_cast<double>(1 + dice() % 4000);
  out.total_bytes_per_second = 1e6 * static_cast<double>(1 + dice() % 4000);
  out.latency_seconds = 1e-4 * static_cast<double>(dice() % 100);
  return out;
}

TEST(Simulate, EqualArgumentsGiveEqualForecasts) {
  const auto plan = random_plan(1, 500);
  const auto first = simulate(plan, machine(5, 3));
  const auto second = simulate(plan, machine(5, 3));
  EXPECT_EQ(first.makespan_seconds, second.makespan_seconds);
  EXPECT_EQ(first.utilisation, second.utilisation);
  EXPECT_EQ(first.peak_bytes, second.peak_bytes);
  EXPECT_EQ(first.messages, second.messages);
}

TEST(Simulate, MakespanIsNeverBelowTheLowerBound) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto forecast = simulate(random_plan(seed, seed * 3), random_machine(seed));
    EXPECT_EQ(forecast.exit_code, ExitCode::complete) << "seed " << seed;
    EXPECT_GE(forecast.makespan_seconds, forecast.lower_bound_seconds) << "seed " << seed;
    EXPECT_LE(forecast.utilisation, 1.0) << "seed " << seed;
  }
}

TEST(Simulate, PeakMemoryNeverExceedsTheLimitOfARank) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto on = random_machine(seed);
    EXPECT_LE(simulate(random_plan(seed, 100), on).peak_bytes, on.memory_bytes) << "seed " << seed;
  }
}

TEST(Simulate, OneThreadTakesTheSumOfItsUnits) {
  auto alone = machine(1, 1);
  alone.latency_seconds = alone.seconds_per_message = alone.publish_seconds = 0.0;
  const auto plan = random_plan(3, 50);
  const auto forecast = simulate(plan, alone);
  EXPECT_NEAR(forecast.makespan_seconds, forecast.work_seconds, 1e-9 * forecast.work_seconds);
}

TEST(Simulate, StorageBoundsWhatReadsOnly) {
  Stage stage{"only", {}};
  for (std::uint64_t i = 0; i < 400; ++i) {
    stage.units.push_back({UnitId{i + 1}, std::to_string(i), {100'000'000, 0, 1, 0.1}, {0, 0}});
  }
  auto shared = machine(20, 4);
  shared.ranks_per_node = 1;
  shared.latency_seconds = shared.publish_seconds = 0.0;
  const auto forecast = simulate(Plan({stage}), shared);
  EXPECT_DOUBLE_EQ(forecast.storage_seconds, 10.0);
  EXPECT_NEAR(forecast.makespan_seconds, 10.0, 0.1);
}

TEST(Simulate, ReadingSlowsDownWhoSharesANode) {
  Stage stage{"only", {}};
  for (std::uint64_t i = 0; i < 4; ++i) {
    stage.units.push_back({UnitId{i + 1}, std::to_string(i), {500'000'000, 0, 1, 0.5}, {0, 0}});
  }
  const Plan plan({stage});
  auto apart = machine(4, 1);
  apart.ranks_per_node = 1;
  auto together = apart;
  together.ranks_per_node = 4;
  EXPECT_NEAR(simulate(plan, apart).makespan_seconds, 0.5, 0.1);
  EXPECT_NEAR(simulate(plan, together).makespan_seconds, 2.0, 0.1);
}

TEST(Simulate, EveryRankOpensAFileOnceAtMost) {
  const auto plan = random_plan(4, 300);
  EXPECT_EQ(simulate(plan, machine(1, 4)).file_opens, 7);
  const auto opens = simulate(plan, machine(6, 4)).file_opens;
  EXPECT_GT(opens, 7);
  EXPECT_LE(opens, 6 * 7);
}

TEST(Simulate, AStageWaitsForTheOneBefore) {
  const Plan plan({even_stage("first", 3), even_stage("second", 3)});
  auto fast = machine(3, 1);
  fast.latency_seconds = 0.0;
  const auto forecast = simulate(plan, fast);
  EXPECT_GE(forecast.makespan_seconds, 2.0 + fast.publish_seconds);
  EXPECT_LE(forecast.makespan_seconds, 2.3);
}

TEST(Simulate, NamesTheLongestUnit) {
  Stage stage = even_stage("only", 5);
  stage.units[3].cost.seconds_estimate = 50.0;
  const auto forecast = simulate(Plan({stage}), machine(2, 2));
  EXPECT_EQ(forecast.longest_unit, 3U);
  EXPECT_DOUBLE_EQ(forecast.longest_seconds, 50.0);
}

TEST(Simulate, AnEmptyPlanIsCompleteAtOnce) {
  const auto forecast = simulate(Plan(), machine(3, 2));
  EXPECT_EQ(forecast.exit_code, ExitCode::complete);
  EXPECT_EQ(forecast.longest_unit, std::nullopt);
  EXPECT_LT(forecast.makespan_seconds, 1.0);
}

}  // namespace
}  // namespace moesweep::sweep::test
