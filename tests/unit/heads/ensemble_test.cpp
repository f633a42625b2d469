#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/heads/ensemble.hpp>

#include "job_rows.hpp"

namespace moesweep::heads {
namespace {

using records::EnsembleRow;
using records::VoteRow;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const EnsembleOptions veto_as_approve{"VETO", "APPROVE", {50}, {50}};

// Three seeds on four test samples.
JobRows three_seeds() {
  JobRows job;
  job.variant("bf16", true);
  job.samples("test", "VVAR");
  job.predictions("bf16", {"VAAR", "VVAA", "AAAR"});
  return job;
}

TEST(Ensemble, AccuracyHasAStandardErrorOverSeedsAndOneOverSamples) {
  const auto rows = records::rows_of<EnsembleRow>(ensembles(three_seeds().tables, veto_as_approve));
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].split, "test");
  EXPECT_EQ(rows[0].seeds, 3);
  EXPECT_EQ(rows[0].samples, 4);
  // Seeds are right on 3, 3 and 2 of 4; samples by 2, 1, 3 and 2 of 3.
  EXPECT_DOUBLE_EQ(rows[0].accuracy_mean, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(rows[0].accuracy_se_seeds, 1.0 / 12.0);
  EXPECT_DOUBLE_EQ(rows[0].accuracy_se_samples, std::sqrt(1.0 / 54.0));
}

TEST(Ensemble, TheVoteIsTheMajorityOfSeeds) {
  const auto row =
      records::rows_of<EnsembleRow>(ensembles(three_seeds().tables, veto_as_approve)).at(0);
  EXPECT_DOUBLE_EQ(row.accuracy_ensemble, 0.75);
  EXPECT_EQ(row.forbidden_ensemble, 1);
}

TEST(Ensemble, ForbiddenErrorsAreCountedBySeed) {
  const auto row =
      records::rows_of<EnsembleRow>(ensembles(three_seeds().tables, veto_as_approve)).at(0);
  EXPECT_EQ(row.forbidden_truths, 2);
  // 1, 0 and 2 errors of the seeds; the two samples are misread by 1 and 2 of 3.
  EXPECT_DOUBLE_EQ(row.forbidden_mean, 1.0);
  EXPECT_DOUBLE_EQ(row.forbidden_se_seeds, std::sqrt(1.0 / 3.0));
  EXPECT_DOUBLE_EQ(row.forbidden_se_samples, 1.0 / 3.0);
}

TEST(Ensemble, SamplesOfOneClusterAreOneObservation) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("test", "AA", "first");
  job.samples("test", "AA", "second");
  job.predictions("bf16", {"AARR", "AARA"});
  const auto row = records::rows_of<EnsembleRow>(ensembles(job.tables, veto_as_approve)).at(0);
  // By sample 1, 1, 0, 1/2: deviations of the clusters' sums are +-3/4 around a mean of 5/8.
  EXPECT_DOUBLE_EQ(row.accuracy_se_samples, std::sqrt(2.0 * 2.0 * 9.0 / 16.0) / 4.0);
}

TEST(Ensemble, OneSeedHasNoStandardErrorOverSeeds) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("test", "AV");
  job.predictions("bf16", {"AA"});
  const auto row = records::rows_of<EnsembleRow>(ensembles(job.tables, veto_as_approve)).at(0);
  EXPECT_DOUBLE_EQ(row.accuracy_mean, 0.5);
  EXPECT_TRUE(std::isnan(row.accuracy_se_seeds));
}

TEST(Ensemble, SeedsAndSamplesThatAllAgreeHaveNoStandardError) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("test", "AVA");
  job.predictions("bf16", {"AVA", "AVA"});
  const auto row = records::rows_of<EnsembleRow>(ensembles(job.tables, veto_as_approve)).at(0);
  EXPECT_DOUBLE_EQ(row.accuracy_mean, 1.0);
  EXPECT_TRUE(std::isnan(row.accuracy_se_seeds));
  EXPECT_TRUE(std::isnan(row.accuracy_se_samples));
  EXPECT_DOUBLE_EQ(row.forbidden_mean, 0.0);
  EXPECT_TRUE(std::isnan(row.forbidden_se_seeds));
  EXPECT_TRUE(std::isnan(row.forbidden_se_samples));
}

TEST(Ensemble, EverySplitWithSamplesHasARow) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("train", "AR");
  job.samples("test", "V");
  job.predictions("bf16", {"ARV", "AAV"});
  const auto rows = records::rows_of<EnsembleRow>(ensembles(job.tables, veto_as_approve));
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].split, "train");
  EXPECT_EQ(rows[1].split, "test");
  EXPECT_DOUBLE_EQ(rows[1].accuracy_mean, 1.0);
  EXPECT_TRUE(std::isnan(rows[0].forbidden_mean)) << "no sample of the train split is VETO";
}

TEST(Ensemble, AForbiddenErrorOfUnknownClassesIsNone) {
  EnsembleOptions options = veto_as_approve;
  options.forbidden_truth = "DENY";
  const auto tables = ensembles(three_seeds().tables, options);
  const auto row = records::rows_of<EnsembleRow>(tables).at(0);
  EXPECT_EQ(row.forbidden_truths, 0);
  EXPECT_TRUE(std::isnan(row.forbidden_mean));
  EXPECT_THAT(records::rows_of<VoteRow>(tables), IsEmpty());
  EXPECT_THAT(records::rows_of<records::CascadeRow>(tables), IsEmpty());
}

TEST(Ensemble, PredictionsOfSpansDoNotVote) {
  auto job = three_seeds();
  job.predictions("bf16", {"AAAA"}, "attention_mlp", "L1", "span");
  EXPECT_THAT(records::rows_of<EnsembleRow>(ensembles(job.tables, veto_as_approve)), SizeIs(1));
}

TEST(Votes, AreAHistogramByTruth) {
  const auto rows = records::rows_of<VoteRow>(ensembles(three_seeds().tables, veto_as_approve));
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    lines.push_back(row.truth + " " + std::to_string(row.votes) + ": " + std::to_string(row.count));
  }
  EXPECT_THAT(lines, ElementsAre("APPROVE 0: 1", "REVISE 0: 1", "VETO 1: 1", "VETO 2: 1"));
}

}  // namespace
}  // namespace moesweep::heads
