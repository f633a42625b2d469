#include <gtest/gtest.h>

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/error.hpp>

#include "job_text.hpp"

namespace moesweep::jobs {
namespace {

constexpr auto head = "schema = 1\nkind = \"quality_safety\"\n[quality]\n";
constexpr auto roles = "[quality.metrics]\nquality = [\"q\"]\nsafety = [\"s\"]\n";

std::string complaint_about(const std::string& toml) {
  return test::complaint([&] { parse_job(toml, "job.toml"); });
}

std::string analysis(const std::string& keys, const std::string& metrics = roles) {
  return complaint_about(head + keys + metrics);
}

TEST(QualityRules, OneInputIsGiven) {
  EXPECT_EQ(analysis("matrix = \"m.csv\"\nbaseline = \"full\"\n"), "accepted");
  EXPECT_EQ(analysis("heads_run = \"run\"\n", ""), "accepted");
  EXPECT_EQ(analysis("baseline = \"full\"\n"),
            "78 job.toml:2: none of quality.matrix, quality.samples and quality.heads_run are "
            "given; give one of them");
  EXPECT_EQ(analysis("matrix = \"m.csv\"\nsamples = \"s.jsonl\"\nbaseline = \"full\"\n"),
            "78 job.toml:2: several of quality.matrix, quality.samples and quality.heads_run are "
            "given; give one of them");
}

TEST(QualityRules, BaselineAndRolesAreNeededButOfHeads) {
  EXPECT_EQ(analysis("matrix = \"m.csv\"\n"),
            "78 job.toml:2: quality.baseline is not given; name the level that the others are "
            "compared with");
  EXPECT_EQ(analysis("matrix = \"m.csv\"\nbaseline = \"full\"\n",
                     "[quality.metrics]\nquality = [\"q\"]\n"),
            "78 default: quality.metrics.safety is empty; name the input's metrics of quality and "
            "of safety");
}

TEST(QualityRules, AMetricHasOneRole) {
  EXPECT_EQ(analysis("matrix = \"m.csv\"\nbaseline = \"full\"\n",
                     "[quality.metrics]\nquality = [\"a\"]\nsafety = [\"a\"]\n"),
            "78 job.toml:8: a is in quality.metrics.quality and in quality.metrics.safety; a "
            "metric has one role");
}

TEST(QualityRules, WhatIsSaidOfAMetricIsSaidOfOneWithARole) {
  EXPECT_EQ(analysis("matrix = \"m.csv\"\nbaseline = \"full\"\n",
                     std::string(roles) + "refusal = [\"typo\"]\n"),
            "78 job.toml:9: quality.metrics.refusal names typo, which has no role; add it to "
            "quality.metrics.quality, .safety or .capability");
}

TEST(QualityRules, TheStageOfAPipelineNeedsHeads) {
  constexpr auto pipeline =
      "schema = 1\nkind = \"pipeline\"\n[cache]\ndir = \"c\"\nvariants = [\"a\"]\nbaseline = "
      "\"a\"\n[heads]\nlayers = [\"L0\"]\n[pipeline]\nstages = ";
  EXPECT_EQ(complaint_about(std::string(pipeline) + "[\"heads\", \"quality\"]\n"), "accepted");
  EXPECT_EQ(complaint_about(std::string(pipeline) + "[\"probes\", \"quality\"]\n"),
            "78 job.toml:10: pipeline.stages have quality without heads; the analysis compares the "
            "heads' variants; add \"heads\"");
}

}  // namespace
}  // namespace moesweep::jobs
