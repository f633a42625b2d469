#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/training/evidence.hpp>
#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

#include "small_cache.hpp"

namespace moesweep::training {
namespace {

using testing::ElementsAre;

const records::EvidenceRow& row_of(const Evidence& evidence, const std::string& split) {
  return *std::find_if(evidence.rows.begin(), evidence.rows.end(),
                       [&](const auto& row) { return row.split == split; });
}

std::vector<double> scores_of(const Evidence& evidence, std::int64_t sample) {
  const auto first = evidence.scores.begin() + 3 * sample;
  return {first, first + 3};
}

TEST(Evidence, ReportsEverySplitInOrder) {
  const auto info = small_cache(80);
  const auto evidence = fit_evidence(info, "L0", small_span_means(info, 4, 1.0F), {});
  std::vector<std::string> splits;
  for (const auto& row : evidence.rows) {
    splits.push_back(row.split);
    EXPECT_EQ(row.variant, "4bit");
    EXPECT_EQ(row.layer, "L0");
  }
  EXPECT_THAT(splits, ElementsAre("train", "train_out_of_fold", "calibration", "test"));
  EXPECT_EQ(row_of(evidence, "train").spans, 180);
  EXPECT_EQ(row_of(evidence, "train").cited, 90);
  EXPECT_EQ(row_of(evidence, "test").spans, 30);
  EXPECT_TRUE(evidence.head.converged);
  EXPECT_TRUE(evidence.folds_converged);
}

TEST(Evidence, AScoreIsBetweenZeroAndOneAndHigherForCitedSpans) {
  const auto info = small_cache(80);
  const auto evidence = fit_evidence(info, "L0", small_span_means(info, 4, 1.5F), {});
  for (const double score : evidence.scores) {
    EXPECT_GE(score, 0.0);
    EXPECT_LE(score, 1.0);
  }
  EXPECT_GT(row_of(evidence, "train_out_of_fold").auc, 0.8);
  EXPECT_GT(row_of(evidence, "test").auc, 0.8);
}

TEST(Evidence, NoiseIsLearntInSampleButNotOutOfFold) {
  const auto info = small_cache(80);
  const auto evidence = fit_evidence(info, "L0", small_span_means(info, 150, 0.0F), {});
  EXPECT_GT(row_of(evidence, "train").auc, 0.95);
  EXPECT_NEAR(row_of(evidence, "train_out_of_fold").auc, 0.5, 0.15);
}

TEST(Evidence, ATrainScoreDoesNotKnowWhetherItsOwnSpanIsCited) {
  const auto info = small_cache(80);
  const auto means = small_span_means(info, 4, 1.0F);
  const auto before = fit_evidence(info, "L0", means, {});
  auto turned = info;
  for (std::size_t j = 0; j < 3; ++j) turned.cited[3 * 8 + j] ^= 1;
  const auto after = fit_evidence(turned, "L0", means, {});
  EXPECT_EQ(scores_of(before, 8), scores_of(after, 8));
  EXPECT_NE(before.in_sample_scores, after.in_sample_scores);
}

TEST(Evidence, SamplesOfOneClusterAreHeldOutTogether) {
  auto info = small_cache(80);
  for (std::int64_t i = 0; i < 80; ++i) info.cluster.push_back("c" + std::to_string(i / 4));
  const auto means = small_span_means(info, 4, 1.0F);
  const auto before = fit_evidence(info, "L0", means, {});
  auto turned = info;
  for (std::size_t j = 0; j < 3; ++j) turned.cited[3 * 8 + j] ^= 1;
  const auto after = fit_evidence(turned, "L0", means, {});
  for (const std::int64_t member : {8, 9, 10}) {
    EXPECT_EQ(scores_of(before, member), scores_of(after, member)) << member;
  }
  EXPECT_NE(scores_of(before, 12), scores_of(after, 12));
}

TEST(Evidence, OtherSplitsAreScoredByTheHeadOfAllTrainSpans) {
  const auto info = small_cache(80);
  const auto means = small_span_means(info, 4, 1.0F);
  const auto evidence = fit_evidence(info, "L0", means, {});
  const auto log_odds = evidence_log_odds(evidence.head, means);
  for (std::size_t i = 0; i < evidence.scores.size(); ++i) {
    const double by_head = 1.0 / (1.0 + std::exp(-log_odds[i]));
    EXPECT_NEAR(evidence.in_sample_scores[i], by_head, 1e-15);
    if (info.split[i / 3] == 0) continue;
    EXPECT_EQ(evidence.scores[i], evidence.in_sample_scores[i]);
  }
}

TEST(Evidence, LabelsOfOtherSplitsChangeNoScore) {
  const auto info = small_cache(80);
  const auto means = small_span_means(info, 4, 1.0F);
  auto turned = info;
  for (std::size_t i = 0; i < turned.cited.size(); ++i) {
    if (turned.split[i / 3] != 0) turned.cited[i] ^= 1;
  }
  EXPECT_EQ(fit_evidence(info, "L0", means, {}).scores,
            fit_evidence(turned, "L0", means, {}).scores);
}

TEST(Evidence, FoldsFollowTheSeed) {
  const auto info = small_cache(80);
  const auto means = small_span_means(info, 4, 1.0F);
  const auto zero = fit_evidence(info, "L0", means, {});
  EXPECT_EQ(zero.scores, fit_evidence(info, "L0", means, {}).scores);
  EXPECT_NE(zero.scores, fit_evidence(info, "L0", means, {.logistic = {}, .seed = 1}).scores);
}

TEST(Evidence, ASpanThatIsNotThereIsNeitherFittedNorCounted) {
  auto info = small_cache(80);
  info.span_tokens[6 * 8 + 2] = info.span_tokens[6 * 8 + 3] = 0;  // span 1 of sample 8
  auto means = small_span_means(info, 4, 1.0F);
  const auto evidence = fit_evidence(info, "L0", means, {});
  EXPECT_EQ(row_of(evidence, "train").spans, 179);
  EXPECT_EQ(scores_of(evidence, 8)[1], 1.0);
  means.values[(3 * 8 + 1) * 4] = 1e6F;
  EXPECT_EQ(fit_evidence(info, "L0", means, {}).scores, evidence.scores);
}

TEST(Evidence, ATrainSplitWithoutCitedSpansIsRefused) {
  auto info = small_cache(16);
  std::fill(info.cited.begin(), info.cited.end(), std::int8_t{0});
  try {
    fit_evidence(info, "L0", small_span_means(info, 2, 0.0F), {});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), testing::HasSubstr("4bit: the train split has no cited span"));
  }
}

TEST(Spans, TheEvidenceMeanWeighsSpansByTheirTokens) {
  const auto info = small_cache(1);  // spans of 2, 3 and 4 tokens
  const FeatureMatrix means{3, 2, {9, 0, 0, 9, 18, -9}};
  EXPECT_THAT(evidence_mean(info, means).values, ElementsAre(10.0F, -1.0F));
}

TEST(Spans, ASampleWithoutSpansHasNoEvidenceMean) {
  auto info = small_cache(1);
  std::fill(info.span_tokens.begin(), info.span_tokens.end(), 4);
  const FeatureMatrix means{3, 1, {1, 2, 3}};
  EXPECT_THAT([&] { evidence_mean(info, means); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("sample s0")));
  EXPECT_THAT(span_splits(info), ElementsAre(-1, -1, -1));
}

}  // namespace
}  // namespace moesweep::training
