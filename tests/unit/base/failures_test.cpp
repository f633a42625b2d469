#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/sanitizers.hpp>

namespace moesweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::optional<Error> failure_of(const std::function<void()>& step) {
  std::optional<Error> caught;
  catch_failures(step, [&](const Error& error) { caught = error; });
  return caught;
}

TEST(CatchFailures, OutOfMemoryTellsHowMuchWasAskedFor) {
  if (is_sanitized) GTEST_SKIP() << "the sanitizer's operator new ends the program";
  const volatile std::size_t bytes = std::size_t{3} << 60;
  // Not new-expressions, which a compiler may leave out.
  const auto error = failure_of([&] { ::operator delete(::operator new(bytes)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), ExitCode::io_error);
  EXPECT_THAT(error->what(), HasSubstr("out of memory: 3221225472.00 GiB were asked for"));
  constexpr std::align_val_t cache_line{64};
  const auto aligned =
      failure_of([&] { ::operator delete(::operator new(bytes, cache_line), cache_line); });
  ASSERT_TRUE(aligned);
  EXPECT_THAT(aligned->what(), HasSubstr("were asked for"));
}

TEST(CatchFailures, SizesBeyondAnyMemoryAreOutOfMemory) {
  const auto error = failure_of([] {
    std::vector<int> values;
    values.reserve(std::numeric_limits<std::size_t>::max() / 2);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), ExitCode::io_error);
  EXPECT_THAT(error->what(), HasSubstr("out of memory"));
}

TEST(CatchFailures, ThreadsAndFilesThatTheSystemRefusesAreErrors) {
  const auto thread = failure_of([] {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  });
  ASSERT_TRUE(thread);
  EXPECT_EQ(thread->exit_code(), ExitCode::io_error);
  EXPECT_THAT(thread->what(), AllOf(HasSubstr("cannot start a thread"), HasSubstr("ulimit -u")));
  const auto file = failure_of(
      [] { [[maybe_unused]] const auto bytes = std::filesystem::file_size("no/such/file"); });
  ASSERT_TRUE(file);
  EXPECT_THAT(file->what(), HasSubstr("no/such/file"));
}

TEST(RemedyForThreads, NamesTheLimitOfWhatIsLacking) {
  EXPECT_THAT(remedy_for_threads(), HasSubstr("ulimit -u"));
  if (is_sanitized) GTEST_SKIP() << "sanitizers reserve more than any limit of memory";
  // In a child: the limit holds for all that follows.
  EXPECT_EXIT(
      {
        rlimit limit{};
        ::getrlimit(RLIMIT_AS, &limit);
        limit.rlim_cur = rlim_t{1} << 20;  // less than is in use: nothing more is given
        ::setrlimit(RLIMIT_AS, &limit);
        const auto remedy = remedy_for_threads();
        const bool is_true = remedy.find("no memory for its stack") != std::string::npos &&
                             remedy.find("ulimit -v") != std::string::npos &&
                             remedy.find("ulimit -u") == std::string::npos;
        std::_Exit(is_true ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(CatchFailures, ErrorsPassAsTheyAreAndBugsPassThrough) {
  const auto error =
      failure_of([] { throw Error(ExitCode::bad_usage, "here", "is wrong", "mend"); });
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(), "here: is wrong; mend");
  EXPECT_EQ(error->exit_code(), ExitCode::bad_usage);
  EXPECT_FALSE(failure_of([] {}));
  EXPECT_THROW(failure_of([] { throw std::logic_error("a bug"); }), std::logic_error);
}

}  // namespace
}  // namespace moesweep
