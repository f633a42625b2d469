#include <csignal>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <support/temporary_directory.hpp>

#include <moesweep/engine/launch/check.hpp>

namespace moesweep::launch {
namespace {

using ::testing::HasSubstr;

Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

TEST(CheckWorld, ARankCountThatIsNotSlurmsFails) {
  EXPECT_EQ(check_world(4, true, variables({{"SLURM_NTASKS", "4"}})).verdict, Verdict::ok);
  const auto check = check_world(1, true, variables({{"SLURM_NTASKS", "4"}}));
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_EQ(check.found, "1 ranks, Slurm has 4 tasks");
  EXPECT_THAT(check.remedy, HasSubstr("built with"));
}

TEST(CheckWorld, TasksFollowFromNodesWhereSlurmDoesNotTellThem) {
  const auto environment =
      variables({{"SLURM_JOB_NUM_NODES", "3"}, {"SLURM_NTASKS_PER_NODE", "2"}});
  EXPECT_EQ(check_world(6, true, environment).verdict, Verdict::ok);
  EXPECT_EQ(check_world(3, true, environment).verdict, Verdict::fail);
}

TEST(CheckWorld, AloneInAnAllocationIsAWarningAndOutsideIsFine) {
  EXPECT_EQ(check_world(1, false, variables({{"SLURM_NTASKS", "4"}})).verdict, Verdict::warn);
  EXPECT_EQ(check_world(1, false, variables({{"SLURM_NTASKS", "1"}})).verdict, Verdict::ok);
  EXPECT_EQ(check_world(1, false, variables({})).verdict, Verdict::ok);
}

TEST(CheckWorld, SeveralTasksWithoutMpiFail) {
  const auto environment = variables({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_NTASKS", "4"}});
  EXPECT_EQ(check_world(1, false, environment).verdict, Verdict::fail);
}

TEST(CheckWorld, NonsenseInTheEnvironmentIsNoNumber) {
  EXPECT_EQ(check_world(4, true, variables({{"SLURM_NTASKS", "4(x2)"}})).found, "4 ranks");
}

TEST(CheckAffinity, FewerCpusThanGivenOrWishedForIsAWarning) {
  EXPECT_EQ(check_affinity(8, 8, variables({{"SLURM_CPUS_PER_TASK", "8"}})).verdict, Verdict::ok);
  EXPECT_EQ(check_affinity(1, 0, variables({{"SLURM_CPUS_PER_TASK", "8"}})).verdict, Verdict::warn);
  EXPECT_EQ(check_affinity(8, 9, variables({})).verdict, Verdict::warn);
}

TEST(CheckSignals, ABlockedSignalFailsAndHandlersAreRestored) {
  EXPECT_EQ(check_signals().verdict, Verdict::ok);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  const auto check = check_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_EQ(check.found, "TERM INT arrive, blocked: USR2");
  struct sigaction now {};
  ASSERT_EQ(::sigaction(SIGUSR2, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(CheckFileSystem, LeavesNothingBehind) {
  const test::TemporaryDirectory folder;
  const auto checks = check_file_system(folder.path());
  EXPECT_GE(checks.size(), 5U);
  for (const auto& check : checks) EXPECT_NE(check.verdict, Verdict::fail) << check.found;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CheckFileSystem, WhatCannotBeWrittenIsRefused) {
  EXPECT_THROW(static_cast<void>(check_file_system("/proc/sys")), Error);
  EXPECT_THROW(static_cast<void>(check_file_system("/no/such/folder")), Error);
}

}  // namespace
}  // namespace moesweep::launch
