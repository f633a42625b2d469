#include <chrono>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/base/temporary_folder.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep {
namespace {

namespace fs = std::filesystem;

void make(const fs::path& path) {
  std::ofstream(path) << "half";
}

// The name that a process gives which is dead by now.
std::string name_of_the_dead(std::string_view prefix = temporary_prefix) {
  int tell[2];
  EXPECT_EQ(::pipe(tell), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto name = temporary_name(prefix);
    const auto written = ::write(tell[1], name.data(), name.size());
    ::_exit(written == static_cast<ssize_t>(name.size()) ? 0 : 1);
  }
  ::waitpid(child, nullptr, 0);
  char name[256] = {};
  EXPECT_GT(::read(tell[0], name, sizeof name - 1), 0);
  ::close(tell[0]);
  ::close(tell[1]);
  return name;
}

std::string with_another_system(std::string name) {
  name[temporary_prefix.size()] = name[temporary_prefix.size()] == '0' ? '1' : '0';
  return name;
}

TEST(TemporaryName, TellsWhetherItsMakerLives) {
  EXPECT_EQ(maker_of_temporary(temporary_name()), Liveness::alive);
  EXPECT_EQ(maker_of_temporary(name_of_the_dead()), Liveness::dead);
  EXPECT_EQ(maker_of_temporary(with_another_system(temporary_name())), Liveness::unknown);
  EXPECT_NE(temporary_name(), temporary_name());
}

TEST(TemporaryName, OfAnotherFormTellsNothing) {
  for (const char* name : {".tmp.", ".tmp.0123456789abcdef0000", ".tmp.0-1-", ".tmp.x-1-1-1",
                           ".tmp.0123-1", ".tmp.99999999999999999999-1-1-1", "results.h5", ""}) {
    EXPECT_EQ(maker_of_temporary(name), Liveness::unknown) << name;
  }
}

TEST(RemoveAbandoned, TakesWhatTheDeadHaveLeftAndNothingElse) {
  const test::TemporaryDirectory folder;
  const auto dead = name_of_the_dead();
  const std::vector<std::string> kept = {temporary_name(), with_another_system(dead),
                                         ".tmp.of-a-user", "results.h5"};
  make(folder.path() / dead);
  for (const auto& name : kept) make(folder.path() / name);
  fs::create_directory(folder.path() / name_of_the_dead());
  remove_abandoned(folder.path());
  EXPECT_FALSE(fs::exists(folder.path() / dead));
  for (const auto& name : kept) EXPECT_TRUE(fs::exists(folder.path() / name)) << name;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 5)
      << "a folder is none of ours";
  EXPECT_NO_THROW(remove_abandoned("/no/such/folder"));
}

TEST(RemoveAbandoned, WhatCannotBeJudgedGoesADayLaterByTheFileServersTime) {
  const test::TemporaryDirectory folder;
  const auto far = folder.path() / with_another_system(name_of_the_dead());
  const auto old = folder.path() / ".tmp.0123456789abcdef0000";
  const auto living = folder.path() / temporary_name();
  for (const auto& path : {far, old, living}) make(path);
  const auto now = fs::last_write_time(far);
  remove_abandoned_since(folder.path(), now + std::chrono::hours(23));
  EXPECT_TRUE(fs::exists(far) && fs::exists(old));
  remove_abandoned_since(folder.path(), now + std::chrono::hours(25));
  EXPECT_FALSE(fs::exists(far) || fs::exists(old));
  EXPECT_TRUE(fs::exists(living));
}

TEST(TemporaryFolder, RemovesThoseOfTheDead) {
  const test::TemporaryDirectory parent;
  const auto dead = parent.path() / name_of_the_dead("trial.");
  fs::create_directories(dead / "deep");
  make(parent.path() / "trial.notes");
  const TemporaryFolder folder(parent.path(), "trial.", ExitCode::io_error);
  const TemporaryFolder another(parent.path(), "trial.", ExitCode::io_error);
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::is_directory(folder.path()));
  EXPECT_NE(folder.path(), another.path());
  EXPECT_TRUE(fs::exists(parent.path() / "trial.notes"));
}

}  // namespace
}  // namespace moesweep
