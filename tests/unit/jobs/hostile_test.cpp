// TOML that was not written in good faith: refused with a line, never a crash.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job_text.hpp"

namespace moesweep::jobs {
namespace {

using test::complaint;
using test::complaint_about;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

TEST(HostileToml, NulByteIsRefused) {
  EXPECT_EQ(complaint_about(std::string_view("\nx = 1\0", 7)),
            "78 job.toml:7: contains a NUL byte; this is not a text file");
}

TEST(HostileToml, TextThatIsNotUtf8IsRefused) {
  EXPECT_EQ(complaint_about("# fine\n# \xff\n"),
            "78 job.toml:7: byte 0xff is not UTF-8; save the file as UTF-8");
  EXPECT_THAT(complaint_about("# \xed\xa0\x80\n"), HasSubstr("job.toml:6: byte 0xed is not UTF-8"));
}

TEST(HostileToml, HugeIntegerIsRefused) {
  EXPECT_EQ(complaint_about("[resources]\nthreads = 99999999999999999999\n"),
            "78 job.toml:7: not valid TOML: Error while parsing decimal integer: "
            "'99999999999999999999' is not representable in 64 bits");
  EXPECT_EQ(complaint_about("[resources]\nthreads = 9223372036854775807\n"),
            "78 job.toml:7: resources.threads must be between 0 and 65536, not "
            "9223372036854775807");
  EXPECT_THAT(complaint_about("[resources]\nmemory = \"9223372036854775808\"\n"),
              HasSubstr("is not a size"));
}

TEST(HostileToml, DeepNestingIsRefusedInEveryForm) {
  constexpr auto expected =
      "78 job.toml:6: nested deeper than 16; no key needs more than three parts";
  EXPECT_EQ(complaint_about("x = " + repeated("[", 17) + repeated("]", 17)), expected);
  EXPECT_EQ(complaint_about("x = " + repeated("[", 1'000'000)), expected);
  EXPECT_EQ(complaint_about("x = " + repeated("{a=", 1'000'000)), expected);
  EXPECT_EQ(complaint_about("a" + repeated(".a", 500'000) + " = 1"), expected);
  EXPECT_EQ(complaint_about("a" + repeated(" . a", 250'000) + " = 1"), expected);
  EXPECT_EQ(complaint_about("[a" + repeated(".a", 500'000) + "]"), expected);
  EXPECT_EQ(complaint_about("\"a\"" + repeated(".\"a\"", 200'000) + " = 1"), expected);
}

TEST(HostileToml, SixteenLevelsAreReadAndJudgedByKey) {
  EXPECT_THAT(complaint_about("zzzzzz = " + repeated("[", 16) + repeated("]", 16)),
              StartsWith("78 job.toml:6: unknown key \"checkpoint.zzzzzz\""));
}

TEST(HostileToml, ManyShallowTablesAreReadWithoutTrouble) {
  std::string tables;
  for (int i = 0; i < 20'000; ++i) tables += "[t" + std::to_string(i) + "]\n";
  EXPECT_THAT(complaint_about(tables), StartsWith("78 job.toml:6: unknown key \"t0\""));
}

TEST(HostileToml, LongKeyAndValueAreCutInTheMessage) {
  const std::string long_text(400'000, 'k');
  EXPECT_LT(complaint_about(long_text + " = 1").size(), 400U);
  EXPECT_LT(complaint_about("nonfinite = \"" + long_text + "\"").size(), 400U);
  EXPECT_LT(complaint_about("[resources]\nmemory = \"" + long_text + "\"").size(), 400U);
}

TEST(HostileToml, ControlCharactersNeverReachAPathOrTheTerminal) {
  EXPECT_EQ(complaint([] {
              parse_job("schema = 1\nkind = \"sensitivity\"\n[checkpoint]\npath = \"a\\u0000b\"\n",
                        "job.toml");
            }),
            "78 job.toml:4: checkpoint.path contains a control character: \"a\\u0000b\"");
  EXPECT_EQ(complaint_about("\"\\u001b[2J\" = 1\n").find('\x1b'), std::string::npos);
}

TEST(HostileToml, JobFileWithMarksOfEditorsIsRead) {
  EXPECT_EQ(complaint([] { parse_job("\xef\xbb\xbf" + test::minimal_job, "job.toml"); }),
            "accepted");
  std::string windows;
  for (const char c : test::minimal_job)
    windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(complaint([&] { parse_job(windows, "job.toml"); }), "accepted");
}

TEST(HostileToml, EveryPrefixOfAJobIsReadOrRefused) {
  const std::string job = test::minimal_job +
                          "[sensitivity]\nprotected = ['a', '''b''', \"\"\"c\\\"\"\"\"]\n"
                          "weights = { svd = 0.5 }\n";
  for (std::size_t length = 0; length < job.size(); ++length) {
    const auto said = complaint([&] { parse_job(job.substr(0, length), "job.toml"); });
    EXPECT_TRUE(said == "accepted" || said.starts_with("78 job.toml")) << said;
  }
}

}  // namespace
}  // namespace moesweep::jobs
