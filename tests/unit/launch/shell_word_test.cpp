#include <array>

#include <gtest/gtest.h>

#include <moesweep/core/base/shell_word.hpp>
#include <moesweep/engine/launch/process.hpp>

namespace moesweep::launch {
namespace {

TEST(ShellWord, IsReadBackAsTheValue) {
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  for (const auto& value :
       {every_byte, std::string(), std::string("a b"), std::string("'"), std::string("-n"),
        std::string("$(touch x)"), std::string("~"), std::string("a'\\''b"), std::string("\n")}) {
    const std::array<std::string, 3> command = {"bash", "-c", "printf '%s|' " + shell_word(value)};
    EXPECT_EQ(run_process(command).output, value + "|");
  }
}

TEST(ShellWord, PlainValuesStayReadable) {
  EXPECT_EQ(shell_word("/scratch/me/run-1_a.b:c,d@e%f+g=h"), "/scratch/me/run-1_a.b:c,d@e%f+g=h");
}

}  // namespace
}  // namespace moesweep::launch
