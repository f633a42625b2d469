#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/engine/store/results_turn.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> numbers_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("results-")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(ResultsTurn, OneAfterTheOtherEachPublishes) {
  const test::TemporaryDirectory lock;
  int written = 0;
  for (int i = 1; i <= 3; ++i) {
    ResultsTurn turn(lock.path());
    EXPECT_TRUE(turn.publish([&] { written = i; }));
  }
  EXPECT_EQ(written, 3);
  EXPECT_EQ(numbers_in(lock.path()),
            (std::vector<std::string>{"results-000003.look", "results-000003.made"}));
}

TEST(ResultsTurn, AnEarlierLookNeverReplacesALaterOne) {
  const test::TemporaryDirectory lock;
  std::string results;
  ResultsTurn slow(lock.path());
  {
    ResultsTurn quick(lock.path());
    EXPECT_TRUE(quick.publish([&] { results = "later"; }));
  }
  EXPECT_FALSE(slow.publish([&] { results = "earlier"; }));
  EXPECT_EQ(results, "later");
  ResultsTurn again(lock.path());
  EXPECT_TRUE(again.publish([&] { results = "again"; }));
}

TEST(ResultsTurn, OneThatGaveUpOrFailedLeavesNothing) {
  const test::TemporaryDirectory lock;
  { const ResultsTurn given_up(lock.path()); }
  {
    ResultsTurn failing(lock.path());
    EXPECT_THROW(failing.publish([] { throw Error(ExitCode::io_error, "results.h5", "full"); }),
                 Error);
  }
  EXPECT_TRUE(numbers_in(lock.path()).empty());
}

TEST(ResultsTurn, WithoutFileLocksAQuickerOneIsNoticedAfterwards) {
  const test::TemporaryDirectory lock;
  fs::create_directory(lock.path() / "results.lock");  // cannot be locked
  ResultsTurn slow(lock.path());
  const bool stays = slow.publish([&] {
    ResultsTurn quick(lock.path());
    EXPECT_TRUE(quick.publish([] {}));
  });
  EXPECT_FALSE(stays);
}

TEST(ResultsTurn, OneAtATimeDecidesAndRenames) {
  const test::TemporaryDirectory lock;
  const FileDescriptor held(
      ::open((lock.path() / "results.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  ResultsTurn turn(lock.path());
  std::atomic<bool> written = false;
  std::thread waiting([&] { turn.publish([&] { written = true; }); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(written);
  ::flock(held.get(), LOCK_UN);
  waiting.join();
  EXPECT_TRUE(written);
}

TEST(ResultsTurn, IsRefusedWhereNothingCanBeWritten) {
  EXPECT_THROW(ResultsTurn("/proc/moesweep"), Error);
}

}  // namespace
}  // namespace moesweep::store
