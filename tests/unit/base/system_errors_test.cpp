#include <filesystem>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/base/error.hpp>
#include <moesweep/base/system_errors.hpp>

namespace moesweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Error error_of(const std::function<void()>& step) {
  try {
    as_errors(step);
  } catch (const Error& error) {
    return error;
  }
  return Error(ExitCode::complete, "", "");
}

TEST(SystemErrors, AThreadThatCannotStartIsAnIoErrorWithItsRemedy) {
  const auto error = error_of([] {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  });
  EXPECT_EQ(error.exit_code(), ExitCode::io_error);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("cannot start a thread"), HasSubstr("ulimit -u")));
}

TEST(SystemErrors, AFileNamesItsPath) {
  const auto error = error_of([] {
    throw std::filesystem::filesystem_error("mkdir", "/full/run",
                                            std::make_error_code(std::errc::no_space_on_device));
  });
  EXPECT_EQ(error.exit_code(), ExitCode::io_error);
  EXPECT_EQ(error.where(), "/full/run");
}

TEST(SystemErrors, OthersPassThrough) {
  EXPECT_EQ(error_of([] { throw Error(ExitCode::bad_job, "a", "b"); }).exit_code(),
            ExitCode::bad_job);
  EXPECT_THROW(as_errors([] { throw std::logic_error("ours"); }), std::logic_error);
  EXPECT_NO_THROW(as_errors([] {}));
}

}  // namespace
}  // namespace moesweep
