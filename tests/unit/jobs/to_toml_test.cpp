#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job_text.hpp"

namespace moesweep::jobs {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

void expect_round_trip(const config::Settings& job) {
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

}  // namespace
}  // namespace moesweep::jobs
