#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job_text.hpp"
#include "value_text.hpp"

namespace moesweep::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

void expect_round_trip(const Settings& job) {
  const auto text = to_toml(job);
  const auto again = parse_job(text, "/elsewhere/job.toml");
  EXPECT_EQ(again.values(), job.values()) << text;
  EXPECT_EQ(to_toml(again), text);
}

TEST(ToToml, DefaultsRoundTrip) {
  expect_round_trip(test::parse_minimal());
}

TEST(ToToml, EveryKeyRoundTripsWithAnotherValue) {
  expect_round_trip(test::parse_minimal(R"(
include = ["a\"b\\c", 'd.*', "ü 漢字", "#no comment", "]", "="]
exclude = ["x"]
nonfinite = "skip"
expert_patterns = []
[sensitivity]
metrics = ["noise"]
quantizers = ["affine"]
bits = [8, 2]
group_sizes = [64]
weights = { svd = 0.1, kurtosis = 1, noise = 5e-324, error = 0.30000000000000004 }
thresholds = { bits2 = -1e300, bits8 = -0.0, bits16 = 1.7976931348623157e308 }
protected = []
sensitive = ["A", "a"]
[resources]
memory = 1048577
unit_bytes = "9223372036854775807"
threads = 65536
isa = "AVX3_ZEN4"
[output]
flush_seconds = 0.1
)"));
}

TEST(ToToml, RelativePathBecomesAbsolute) {
  const auto job = parse_job("schema = 1\nkind = \"sensitivity\"\ncheckpoint.path = \"models\"\n",
                             "/jobs/job.toml");
  EXPECT_THAT(to_toml(job), HasSubstr("\npath = \"/jobs/models\"\n"));
  expect_round_trip(job);
}

TEST(ToToml, IsGroupedByTableWithHelpAboveEveryKey) {
  const auto job = test::parse_minimal();
  const auto text = to_toml(job);
  EXPECT_THAT(text, StartsWith("# Version of the job file format, 1.\nschema = 1\n"));
  EXPECT_THAT(text, HasSubstr("\n\n[checkpoint]\n# Folder or file of a safetensors"));
  EXPECT_THAT(text, HasSubstr("\n\n[sensitivity.weights]\n# "));
  for (const auto& option : job_options()) {
    if (!job.has(option.key)) continue;
    EXPECT_THAT(text, HasSubstr("# " + option.help + "\n"));
  }
}

TEST(ToToml, HasATwinOnlyWhereTheJobDoes) {
  EXPECT_THAT(to_toml(test::parse_minimal()), ::testing::Not(HasSubstr("twin]")));
  expect_round_trip(
      parse_job("schema = 1\nkind = \"sensitivity\"\ncheckpoint.twin = { inventory = \"i.csv\", "
                "scale = 32 }\n",
                "/jobs/job.toml"));
}

TEST(NumberText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(20.0), "20.0");
  EXPECT_EQ(number_text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(number_text(1e300), "1e+300");
  EXPECT_EQ(number_text(std::numeric_limits<double>::denorm_min()), "5e-324");
}

TEST(SizeText, TakesTheLargestPowerThatDivides) {
  EXPECT_EQ(size_text(0), "0");
  EXPECT_EQ(size_text(1023), "1023");
  EXPECT_EQ(size_text(1536), "1536");
  EXPECT_EQ(size_text(3 * 1024), "\"3KiB\"");
  EXPECT_EQ(size_text(std::int64_t{16} << 30), "\"16GiB\"");
  EXPECT_EQ(size_text(std::int64_t{2048} << 30), "\"2TiB\"");
}

TEST(QuotedToml, EscapesWhatABasicStringCannotHold) {
  EXPECT_EQ(quoted_toml("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\u000A\\u007F\"");
}

TEST(Shortened, NeverCutsACharacterInTwo) {
  EXPECT_EQ(shortened("short"), "short");
  EXPECT_EQ(shortened(std::string(79, 'a') + "ü" + "b"), std::string(79, 'a') + "...");
}

}  // namespace
}  // namespace moesweep::config
