#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job_text.hpp"

namespace moesweep::jobs {
namespace {

using test::complaint_about_override;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

config::Settings with(std::initializer_list<std::string> overrides) {
  const std::vector<std::string> texts(overrides);
  return test::parse_minimal("[sensitivity]\nbits = [8]\n", texts);
}

TEST(Override, TakesTomlValues) {
  const auto job = with({"sensitivity.bits=[2,4]", "output.flush_seconds = 5",
                         "sensitivity.weights={svd=0.5, error=0}", "checkpoint.exclude=['a.*']"});
  EXPECT_THAT(job.integers("sensitivity.bits"), ElementsAre(2, 4));
  EXPECT_EQ(job.number("output.flush_seconds"), 5.0);
  EXPECT_EQ(job.number("sensitivity.weights.svd"), 0.5);
  EXPECT_EQ(job.number("sensitivity.weights.error"), 0.0);
  EXPECT_EQ(job.number("sensitivity.weights.kurtosis"), 0.45);
  EXPECT_THAT(job.texts("checkpoint.exclude"), ElementsAre("a.*"));
}

TEST(Override, BareWordIsText) {
  const auto job = with({"resources.memory=1GiB", "name=2024", "checkpoint.nonfinite=\"skip\"",
                         "checkpoint.path=/data/a b=c"});
  EXPECT_EQ(job.integer("resources.memory"), 1LL << 30);
  EXPECT_EQ(job.text("name"), "2024");
  EXPECT_EQ(job.text("checkpoint.nonfinite"), "skip");
  EXPECT_EQ(job.path("checkpoint.path"), "/data/a b=c");
}

TEST(Override, PlainBytesAreASize) {
  EXPECT_EQ(with({"resources.memory=1048576"}).integer("resources.memory"), 1048576);
}

TEST(Override, LaterWinsAndItsPlaceIsSet) {
  const auto job = with({"name=a", "name=b"});
  EXPECT_EQ(job.text("name"), "b");
  EXPECT_EQ(job.place_of("name"), "--set");
  EXPECT_EQ(job.place_of("sensitivity.bits"), "job.toml:7");
}

TEST(Override, GivesARequiredKeyThatTheFileLacks) {
  const std::array<std::string, 2> overrides = {"checkpoint.path=models/x", "kind=sensitivity"};
  const auto job = parse_job("schema = 1\n", "/jobs/job.toml", overrides);
  EXPECT_EQ(job.path("checkpoint.path"), "/jobs/models/x");
}

TEST(Override, WithoutEqualsIsBadUsage) {
  EXPECT_EQ(complaint_about_override("sensitivity.bits"),
            "64 --set: \"sensitivity.bits\" is not key=value; write for example --set "
            "sensitivity.bits=[2,4]");
  EXPECT_EQ(complaint_about_override(" =3"),
            "64 --set: \" =3\" is not key=value; write for example --set sensitivity.bits=[2,4]");
}

TEST(Override, UnknownKeyNamesTheNearest) {
  EXPECT_EQ(complaint_about_override("sensitivity.bist=[2]"),
            "78 --set: unknown key \"sensitivity.bist\"; did you mean \"sensitivity.bits\"?");
  EXPECT_EQ(complaint_about_override("sensitvity.bits=[2]"),
            "78 --set: unknown key \"sensitvity.bits\"; did you mean \"sensitivity.bits\"?");
  EXPECT_EQ(complaint_about_override("sensitvity.bist=[2]"),
            "78 --set: unknown key \"sensitvity.bist\"; did you mean \"sensitivity.bits\"?");
  EXPECT_EQ(complaint_about_override("bits=[2]"),
            "78 --set: unknown key \"bits\"; did you mean \"sensitivity.bits\"?");
  const auto complaint = complaint_about_override("a b.c\n[x]=1");
  EXPECT_EQ(complaint.rfind("78 --set: unknown key \"a b.c\\x0a[x]\"; valid at the top: schema, "
                            "name, kind, checkpoint, sensitivity, ",
                            0),
            0U)
      << complaint;
}

TEST(Override, MistakesInTheValueNameTheKey) {
  EXPECT_EQ(complaint_about_override("sensitivity.bits=[2,7]"),
            "78 --set: sensitivity.bits[1] must be one of 2, 3, 4, 5, 6, 8, not 7");
  EXPECT_EQ(complaint_about_override("sensitivity.bits=[2,4"),
            "78 --set: sensitivity.bits must be a list of integers, not the text \"[2,4\"; for "
            "example bits = [2, 3, 4, 5, 6, 8]");
  EXPECT_EQ(
      complaint_about_override("resources.threads="),
      "78 --set: resources.threads must be an integer, not the text \"\"; for example threads "
      "= 0");
  EXPECT_EQ(complaint_about_override("sensitivity.weights={svd=2}"),
            "78 --set: sensitivity.weights.svd must be between 0 and 1, not 2");
  EXPECT_EQ(complaint_about_override("sensitivity.weights={svdd=0.2}"),
            "78 --set: unknown key \"sensitivity.weights.svdd\"; did you mean "
            "\"sensitivity.weights.svd\"?");
  EXPECT_EQ(complaint_about_override("schema=2").substr(0, 29), "78 --set: schema 2 is not kno");
}

TEST(Override, IsOneValueOfOneKey) {
  EXPECT_THAT(complaint_about_override("resources.threads=1\nname = \"x\""),
              HasSubstr("resources.threads must be an integer, not the text"));
  EXPECT_THAT(complaint_about_override("resources.threads=" + std::string(500'000, '[')),
              HasSubstr("resources.threads must be an integer, not the text"));
  EXPECT_EQ(complaint_about_override("name=\xff"), "78 --set: the value of name is not UTF-8");
}

TEST(Override, ThresholdsAreCheckedTogether) {
  EXPECT_EQ(complaint_about_override("sensitivity.thresholds.bits16=0.5"),
            "78 --set: sensitivity.thresholds must be ordered bits2 <= bits8 <= bits16, are 0.1, "
            "0.65 and 0.5");
}

}  // namespace
}  // namespace moesweep::jobs
