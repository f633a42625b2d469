#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/heads/ensemble.hpp>

#include "job_rows.hpp"

namespace moesweep::heads {
namespace {

using records::CascadeRow;
using testing::Each;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

using Percents = std::vector<std::int64_t>;

std::vector<CascadeRow> cascades(const JobRows& job, const Percents& veto,
                                 const Percents& approve) {
  return records::rows_of<CascadeRow>(ensembles(job.tables, {"VETO", "APPROVE", veto, approve}));
}

CascadeRow chosen_on(const std::string& split, const std::vector<CascadeRow>& rows) {
  CascadeRow found;
  int count = 0;
  for (const auto& row : rows) {
    if (row.split != split || row.chosen == 0) continue;
    found = row;
    ++count;
  }
  EXPECT_EQ(count, 1) << split;
  return found;
}

// What the cascade makes of one test sample: 'A', 'R' or 'V', from its votes.
char decision(const std::string& votes, std::int64_t pct_veto, std::int64_t pct_approve) {
  for (const char truth : {'A', 'R', 'V'}) {
    JobRows job;
    job.variant("bf16", true);
    job.samples("test", std::string(1, truth));
    job.predictions("bf16", seeds_of_votes({votes}));
    if (cascades(job, {pct_veto}, {pct_approve}).at(0).accuracy == 1.0) return truth;
  }
  return '?';
}

TEST(Cascade, VetoIsAskedBeforeApprove) {
  EXPECT_EQ(decision("VVAAA", 40, 60), 'V');
  EXPECT_EQ(decision("VVAAA", 60, 60), 'A');
}

TEST(Cascade, HalfAVoteIsRoundedToEven) {
  EXPECT_EQ(decision("VVAAA", 50, 60), 'V') << "2.5 votes are 2";
  EXPECT_EQ(decision("VVVAA", 70, 40), 'A') << "3.5 votes are 4";
  EXPECT_EQ(decision("VVVVAAAAA", 50, 50), 'V') << "4.5 votes are 4";
  EXPECT_EQ(decision("AARRR", 100, 50), 'A') << "2.5 votes are 2 for APPROVE too";
}

TEST(Cascade, AtLeastOneVoteIsNeededForVetoAndApprove) {
  EXPECT_EQ(decision("RRRRR", 0, 0), 'R');
  EXPECT_EQ(decision("AARRR", 10, 10), 'A') << "half a vote rounds to none, one is asked";
  EXPECT_EQ(decision("VRRRR", 10, 10), 'V');
}

TEST(Cascade, ReviseIsLeftEvenWithoutAVote) {
  EXPECT_EQ(decision("VVVAAA", 60, 60), 'R');
}

TEST(Cascade, WithTwoClassesTheForbiddenTruthIsLeft) {
  JobRows job("APPROVE,VETO");
  job.variant("bf16", true);
  job.samples("test", "A");
  job.predictions("bf16", seeds_of_votes({"VVAAA"}));
  EXPECT_EQ(cascades(job, {60}, {80}).at(0).accuracy, 0.0);
  EXPECT_EQ(cascades(job, {60}, {60}).at(0).accuracy, 1.0);
}

// Calibration samples of 10 seeds, and one test sample.
JobRows calibrated(const std::string& truths, std::vector<std::string> votes) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("calibration", truths);
  job.samples("test", "V");
  votes.emplace_back("VVVVVVVVVV");
  job.predictions("bf16", seeds_of_votes(votes));
  return job;
}

TEST(Cascade, FewestForbiddenErrorsComeBeforeAccuracy) {
  const auto job = calibrated("VAA", {"VVVVAAAAAA", "VVVVAAAAAA", "VVVVAAAAAA"});
  const auto rows = cascades(job, {50, 40}, {60});
  const auto chosen = chosen_on("calibration", rows);
  EXPECT_EQ(chosen.pct_veto, 40);
  EXPECT_EQ(chosen.forbidden_errors, 0);
  EXPECT_DOUBLE_EQ(chosen.accuracy, 1.0 / 3.0);
  EXPECT_EQ(rows[0].pct_veto, 50);
  EXPECT_EQ(rows[0].forbidden_errors, 1);
  EXPECT_DOUBLE_EQ(rows[0].accuracy, 2.0 / 3.0);
}

TEST(Cascade, AccuracyComesBeforeCaution) {
  const auto job = calibrated("VA", {"VVVVVVVVVV", "AAAAAARRRR"});
  const auto chosen = chosen_on("calibration", cascades(job, {50}, {70, 60}));
  EXPECT_EQ(chosen.pct_approve, 60);
  EXPECT_EQ(chosen.accuracy, 1.0);
}

TEST(Cascade, TiesGoToTheLowestVetoThenTheHighestApprove) {
  const auto job = calibrated("VA", {"VVVVVVVVVV", "AAAAAAAAAA"});
  const auto chosen = chosen_on("calibration", cascades(job, {60, 50, 90}, {70, 100, 50}));
  EXPECT_EQ(chosen.pct_veto, 50);
  EXPECT_EQ(chosen.pct_approve, 100);
}

TEST(Cascade, ALowerVetoComesBeforeAHigherApprove) {
  // The first is right below 70 % for APPROVE, the second at 60 % for VETO with 70 % for APPROVE:
  // (50, 50), (60, 50) and (60, 70) are equally good.
  // The third is a truth that no threshold misses.
  const auto job = calibrated("ARV", {"AAAAAARRRR", "VVVVVAAAAA", "VVVVVVVVVV"});
  const auto chosen = chosen_on("calibration", cascades(job, {50, 60}, {50, 70}));
  EXPECT_EQ(chosen.pct_veto, 50);
  EXPECT_EQ(chosen.pct_approve, 50);
}

TEST(Cascade, NothingIsChosenWithoutATruthThatMustBeCaught) {
  const auto job = calibrated("AR", {"AAAAAARRRR", "VVVVVAAAAA"});
  for (const auto& row : cascades(job, {50, 60}, {50, 70})) EXPECT_EQ(row.chosen, 0);
}

TEST(Cascade, TheTestSplitHasNoSayInTheChoice) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("calibration", "V");
  job.samples("test", "VV");
  job.predictions("bf16", seeds_of_votes({"VVVVV", "VVAAA", "VVAAA"}));
  const auto rows = cascades(job, {40, 60}, {60});
  EXPECT_EQ(chosen_on("test", rows).pct_veto, 40);
  const auto again = cascades(job, {60, 80}, {60});
  EXPECT_EQ(chosen_on("test", again).pct_veto, 60);
  EXPECT_EQ(chosen_on("test", again).forbidden_errors, 2);
}

TEST(Cascade, OnlyTheChosenTestRowCarriesABound) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("calibration", "V");
  job.samples("test", "VV");
  job.predictions("bf16", seeds_of_votes({"VVV", "VVV", "VVV"}));
  int bounds = 0;
  for (const auto& row : cascades(job, {50, 60}, {50})) {
    if (std::isnan(row.upper_bound)) continue;
    ++bounds;
    EXPECT_EQ(row.split, "test");
    EXPECT_EQ(row.chosen, 1);
    EXPECT_NEAR(row.upper_bound, 1.0 - std::sqrt(0.05), 1e-12) << "none of 2";
  }
  EXPECT_EQ(bounds, 1);
}

TEST(Cascade, VariantsThatAreComparedShareTheLevelOfTheBound) {
  JobRows job;
  job.variant("bf16", true);
  job.variant("4bit");
  job.samples("calibration", "V");
  job.samples("test", "VV");
  for (const auto* variant : {"bf16", "4bit"}) {
    job.predictions(variant, seeds_of_votes({"VVV", "VVV", "VVV"}));
  }
  int bounds = 0;
  for (const auto& row : cascades(job, {50}, {50})) {
    if (row.split != "test") continue;
    ++bounds;
    EXPECT_NEAR(row.upper_bound, 1.0 - std::sqrt(0.025), 1e-12) << row.variant;
  }
  EXPECT_EQ(bounds, 2);
}

TEST(Cascade, WithoutCalibrationNothingIsChosen) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("test", "VA");
  job.predictions("bf16", seeds_of_votes({"VVV", "AAA"}));
  const auto rows = cascades(job, {50, 60}, {50});
  EXPECT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows, Each(Field(&CascadeRow::chosen, 0)));
}

TEST(Cascade, OneHeadIsNone) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("calibration", "V");
  job.samples("test", "V");
  job.predictions("bf16", {"VV"});
  EXPECT_THAT(cascades(job, {50}, {50}), IsEmpty());
}

}  // namespace
}  // namespace moesweep::heads
