#include <array>

#include <gtest/gtest.h>

#include <moesweep/engine/launch/process.hpp>

namespace moesweep::launch {
namespace {

ProcessResult shell(const std::string& script) {
  const std::array<std::string, 3> command = {"sh", "-c", script};
  return run_process(command);
}

TEST(Process, GivesItsCodeAndBothStreams) {
  const auto result = shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\nerr\n");
}

TEST(Process, ThatASignalEndedIsToldFromOneThatExited) {
  EXPECT_EQ(shell("kill -TERM $$").exit_code, 128 + 15);
}

TEST(Process, ThatIsNotThereIs127) {
  const std::array<std::string, 1> command = {"moesweep-no-such-program"};
  EXPECT_EQ(run_process(command).exit_code, 127);
}

TEST(Process, ReadsNothing) {
  EXPECT_EQ(shell("cat; echo end").output, "end\n");
}

TEST(Process, ThatTalksALotDoesNotBlock) {
  EXPECT_EQ(shell("head -c 1000000 /dev/zero | tr '\\0' x").output.size(), 1000000U);
}

}  // namespace
}  // namespace moesweep::launch
