// Whatever the process does that reads a stranger's file, the one that asked gets an answer.

#include "isolated.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/sanitizers.hpp>

#include "plain_values.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::store {
namespace {

using ::testing::HasSubstr;

constexpr auto file = "stranger.h5";

void read_nothing(FrameReader&) {}

std::optional<Error> failure_of(const std::function<void(FrameWriter&)>& read,
                                const ReaderLimits& limits = {},
                                const std::function<void(FrameReader&)>& take = read_nothing) {
  try {
    read_isolated(file, limits, read, take);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

void expect_bad_file(const std::optional<Error>& error, const std::string& problem) {
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), ExitCode::bad_input);
  EXPECT_EQ(error->where(), file);
  EXPECT_THAT(error->problem(), HasSubstr(problem));
  EXPECT_FALSE(error->remedy().empty());
}

TEST(Isolated, ValuesComeThroughAsTheyWere) {
  std::vector<double> numbers(3'000'000);
  std::iota(numbers.begin(), numbers.end(), 0.5);
  const std::vector<std::string> texts = {"", "a", std::string(100'000, 'x'), "\n\x01"};
  std::vector<double> numbers_read;
  std::vector<std::string> texts_read;
  const auto error = failure_of(
      [&](FrameWriter& frames) {
        PlainWriter out(frames);
        out.texts(texts);
        out.numbers(numbers);
        out.number(-7);
      },
      {},
      [&](FrameReader& frames) {
        PlainReader in(frames, file, std::uint64_t{1} << 30);
        texts_read = in.texts();
        numbers_read = in.numbers<double>();
        EXPECT_EQ(in.number(), -7);
      });
  EXPECT_FALSE(error);
  EXPECT_EQ(texts_read, texts);
  EXPECT_EQ(numbers_read, numbers);
}

TEST(Isolated, AnErrorComesBackAsTheSame) {
  const Error thrown(ExitCode::io_error, "where", "is the problem", "the remedy");
  const auto error = failure_of([&](FrameWriter&) { throw thrown; });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), thrown.exit_code());
  EXPECT_STREQ(error->what(), thrown.what());
}

TEST(Isolated, ACrashIsABadFile) {
  for (const int signal : {SIGSEGV, SIGFPE, SIGABRT, SIGBUS, SIGILL}) {
    expect_bad_file(failure_of([&](FrameWriter&) { ::raise(signal); }),
                    "the HDF5 library crashed on it");
  }
}

TEST(Isolated, ACrashInTheMiddleOfWhatIsHandedBackIsABadFile) {
  expect_bad_file(failure_of(
                      [](FrameWriter& frames) {
                        PlainWriter(frames).numbers(std::vector<double>(200'000));
                        std::abort();
                      },
                      {},
                      [](FrameReader& frames) {
                        PlainReader in(frames, file, 1 << 30);
                        in.numbers<double>();
                        in.number();
                      }),
                  "crashed");
}

TEST(Isolated, LeavingWithoutAnAnswerIsABadFile) {
  expect_bad_file(failure_of([](FrameWriter&) { ::_exit(0); }), "ended on it");
  expect_bad_file(failure_of([](FrameWriter&) { throw 1; }), "ended on it");
}

TEST(Isolated, MoreMemoryThanTheLimitIsABadFileThatSaysHowMuch) {
  if (is_sanitized) GTEST_SKIP() << "sanitizers reserve the address space";
  ReaderLimits limits;
  limits.memory_bytes = std::int64_t{64} << 20;
  const auto error = failure_of(
      [](FrameWriter& frames) { PlainWriter(frames).numbers(std::vector<char>(100 << 20)); },
      limits);
  expect_bad_file(error, "takes more than 64.00 MiB to read");
  EXPECT_THAT(error->problem(), HasSubstr("100.00 MiB were asked for"));
}

TEST(Isolated, GoingInCirclesEnds) {
  ReaderLimits limits;
  limits.cpu_seconds = 1;
  expect_bad_file(failure_of(
                      [](FrameWriter&) {
                        std::atomic<bool> for_ever = true;
                        while (for_ever) {
                        }
                      },
                      limits),
                  "busy for more than 1 s");
}

TEST(Isolated, AReaderThatTheSystemKillsIsNotTheFilesFault) {
  const auto error = failure_of([](FrameWriter&) { ::raise(SIGKILL); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), ExitCode::io_error);
}

TEST(Isolated, AReaderThatCannotHandOverWhatItReadIsNotTheFilesFault) {
  const auto error = failure_of([](FrameWriter& frames) {
    ::close_range(3, ~0U, 0);
    PlainWriter(frames).number(1);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), ExitCode::io_error);
  EXPECT_EQ(error->where(), file);
}

TEST(IsolatedDeathTest, ACrashUnderAStricterLimitOfTheUserIsNotTheFilesFault) {
  if (is_sanitized) GTEST_SKIP() << "sanitizers reserve the address space";
  const auto crash_under_a_limit = [] {
    const rlimit limits{rlim_t{512} << 20, rlim_t{512} << 20};
    ::setrlimit(RLIMIT_AS, &limits);
    const auto error = failure_of([](FrameWriter&) { ::raise(SIGSEGV); });
    ::_exit(error ? static_cast<int>(error->exit_code()) : 0);
  };
  EXPECT_EXIT(crash_under_a_limit(), testing::ExitedWithCode(static_cast<int>(ExitCode::io_error)),
              "");
}

TEST(Isolated, TheReaderCannotWriteFiles) {
  const test::TemporaryDirectory folder;
  const auto path = folder.path() / "written";
  expect_bad_file(failure_of([&](FrameWriter&) {
                    const int written = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
                    if (::write(written, "x", 1) == 1) ::_exit(0);
                  }),
                  "crashed");
  EXPECT_TRUE(!std::filesystem::exists(path) || std::filesystem::is_empty(path));
}

TEST(Isolated, MoreThanWasWantedMakesNoSense) {
  expect_bad_file(failure_of([](FrameWriter& frames) { PlainWriter(frames).number(1); }),
                  "nonsense");
  expect_bad_file(failure_of([](FrameWriter& frames) { PlainWriter(frames).number(1); }, {},
                             [](FrameReader& frames) {
                               PlainReader in(frames, file, 100);
                               in.number();
                               in.number();
                             }),
                  "nonsense");
}

TEST(Isolated, WhatTheOneWhoAskedThrowsEndsTheReader) {
  const auto error = failure_of(
      [](FrameWriter& frames) {
        for (;;) PlainWriter(frames).numbers(std::vector<char>(1 << 20));
      },
      {}, [](FrameReader&) { throw Error(ExitCode::bad_input, file, "is enough"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->problem(), "is enough");
}

TEST(Isolated, ManyThreadsReadAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&wrong, t] {
      for (int i = 0; i < 25; ++i) {
        std::int64_t got = 0;
        read_isolated(
            file, {}, [&](FrameWriter& frames) { PlainWriter(frames).number(100 * t + i); },
            [&](FrameReader& frames) { got = PlainReader(frames, file, 0).number(); });
        wrong += got != 100 * t + i;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace moesweep::store
