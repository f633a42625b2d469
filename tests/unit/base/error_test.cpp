#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep {
namespace {

TEST(Error, IsOneLineOfPlaceProblemAndRemedy) {
  const Error error(ExitCode::bad_job, "job.toml:3", "unknown key \"bist\"",
                    "did you mean \"bits\"?");
  EXPECT_STREQ(error.what(), "job.toml:3: unknown key \"bist\"; did you mean \"bits\"?");
  EXPECT_EQ(error.exit_code(), ExitCode::bad_job);
}

TEST(Error, CannotDriveTheTerminal) {
  const Error error(ExitCode::bad_input, "a\x1b[2Jb\n", "bad");
  EXPECT_STREQ(error.what(), "a\\x1b[2Jb\\x0a: bad");
}

TEST(Error, CannotDriveTheTerminalByC1ControlsEither) {
  const Error error(ExitCode::bad_input,
                    "a\xc2\x9b"
                    "2Jb \xc2\xa0\xc3\x9b",
                    "bad");
  EXPECT_STREQ(error.what(), "a\\x9b2Jb \xc2\xa0\xc3\x9b: bad");
}

TEST(Error, CarriesTheTextOfErrno) {
  EXPECT_THAT(errno_error(ExitCode::io_error, "f", "cannot write", ENOSPC).what(),
              testing::HasSubstr("No space left on device"));
}

TEST(BugDeathTest, NamesThePlace) {
  EXPECT_DEATH(expect(false, "impossible"), "bug: impossible .*error_test");
}

}  // namespace
}  // namespace moesweep
