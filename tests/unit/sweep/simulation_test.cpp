#include "unit/sweep/simulation.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace moesweep::sweep::test {
namespace {

using ::testing::IsEmpty;

Scenario scenario_of(std::uint64_t seed) {
  std::mt19937_64 dice(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.ranks = 1 + static_cast<int>(dice() % 5);
  scenario.most_threads = 1 + static_cast<int>(dice() % 4);
  scenario.units_of_stage.resize(1 + dice() % 3);
  for (auto& units : scenario.units_of_stage) units = dice() % 30;
  if (dice() % 3 == 0) scenario.share_failing = 0.2;
  if (dice() % 3 == 0) scenario.failed_without_run = 1 + dice() % 3;
  if (dice() % 2 == 0) scenario.stop_after = dice() % 150;
  scenario.second_signal = dice() % 2 == 0;
  if (dice() % 4 == 0) scenario.deadline = 0.1 * static_cast<double>(dice() % 100);
  if (dice() % 4 == 0) scenario.breaks_after = dice() % 4;
  return scenario;
}

TEST(Simulation, EveryUnitComesToDiskOnceHoweverTheSweepIsDisturbed) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    EXPECT_THAT(run_to_the_end(scenario_of(seed)), IsEmpty()) << "seed " << seed;
  }
}

TEST(Simulation, AnUndisturbedSweepIsCompleteInOneEpoch) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Scenario calm{seed,         4,           3, {20, 0, 15}, 0.0, 0, std::nullopt, false,
                        std::nullopt, std::nullopt};
    const auto ending = simulate(calm, plan_of(calm), {});
    EXPECT_EQ(ending.exit_code, ExitCode::complete) << "seed " << seed;
    EXPECT_THAT(ending.violations, IsEmpty()) << "seed " << seed;
    EXPECT_EQ(ending.times_on_disk.size(), 35U) << "seed " << seed;
  }
}

TEST(Simulation, AFullDiskEndsWithItsCode) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Scenario full{seed, 3, 2, {40}, 0.0, 0, std::nullopt, false, std::nullopt, 0};
    const auto code = simulate(full, plan_of(full), {}).exit_code;
    EXPECT_TRUE(code == ExitCode::io_error || code == ExitCode::complete) << "seed " << seed;
  }
}

TEST(Simulation, ASignalEndsWith75UnlessAllWasDone) {
  std::size_t stopped = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Scenario signalled{seed, 3, 2, {40}, 0.0, 0, 20, true, std::nullopt, std::nullopt};
    const auto ending = simulate(signalled, plan_of(signalled), {});
    const bool all_done = ending.times_on_disk.size() == 40;
    stopped += ending.exit_code == ExitCode::stopped_early ? 1 : 0;
    EXPECT_TRUE(ending.exit_code == ExitCode::stopped_early || all_done) << "seed " << seed;
  }
  EXPECT_GT(stopped, 10U) << "the scenario no longer stops anything";
}

}  // namespace
}  // namespace moesweep::sweep::test
