#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/training/evaluation.hpp>

namespace moesweep::training {
namespace {

using testing::ElementsAre;

constexpr Forbidden veto_as_approve{2, 0};
using Bytes = std::vector<std::int8_t>;

// A float's log is not exact: 1e-6 is what is left of it.
float log_of(double p) {
  return static_cast<float>(std::log(p));
}

TEST(Evaluation, CountsBySplit) {
  // Truth V V A R V of which the last is of the calibration split.
  const std::vector<float> logits = {0, 0, 3,  // V
                                     3, 0, 0,  // A
                                     3, 0, 0,  // A
                                     0, 0, 3,  // V
                                     3, 0, 0};
  const auto out = evaluate(logits, 3, Bytes{2, 2, 0, 1, 2}, Bytes{2, 2, 2, 2, 1}, veto_as_approve);
  EXPECT_EQ(out.predicted, "20020");
  const auto& test = out.splits[2];
  EXPECT_EQ(test.samples, 4);
  EXPECT_DOUBLE_EQ(test.accuracy, 0.5);
  EXPECT_EQ(test.forbidden_truths, 2);
  EXPECT_EQ(test.forbidden_errors, 1);
  EXPECT_THAT(test.confusion, ElementsAre(1, 0, 0, 0, 0, 1, 1, 0, 1));
  EXPECT_EQ(out.splits[1].forbidden_errors, 1);
  EXPECT_EQ(out.splits[1].forbidden_truths, 1);
}

TEST(Evaluation, ASplitWithoutExamplesHasCountsOnly) {
  const auto out = evaluate(std::vector<float>{1, 0}, 2, Bytes{0}, Bytes{2}, {});
  EXPECT_EQ(out.splits[0].samples, 0);
  EXPECT_TRUE(std::isnan(out.splits[0].accuracy));
  EXPECT_TRUE(std::isnan(out.splits[0].loss));
  EXPECT_TRUE(std::isnan(out.splits[0].ece));
  EXPECT_EQ(out.splits[0].forbidden_truths, 0);
}

TEST(Evaluation, EquallyLikelyClassesAreDecidedForTheLowest) {
  EXPECT_EQ(
      evaluate(std::vector<float>{1, 2, 2, 0, 0, 0}, 3, Bytes{0, 0}, Bytes{2, 2}, {}).predicted,
      "10");
  EXPECT_EQ(evaluate(std::vector<float>{0}, 1, Bytes{1}, Bytes{2}, {}).predicted, "0");
}

TEST(Evaluation, LossIsTheMeanNegativeLogLikelihood) {
  // Probabilities 1/2, 1/4, 1/4 and 1/8, 3/4, 1/8; truths of 1/4 and 3/4.
  const std::vector<float> logits = {log_of(0.5),   log_of(0.25), log_of(0.25),
                                     log_of(0.125), log_of(0.75), log_of(0.125)};
  const auto out = evaluate(logits, 3, Bytes{1, 1}, Bytes{0, 0}, {});
  EXPECT_NEAR(out.splits[0].loss, 0.5 * (std::log(4.0) + std::log(4.0 / 3.0)), 1e-6);
}

TEST(Evaluation, LossOfACertainMistakeIsFinite) {
  const auto out = evaluate(std::vector<float>{2000, -2000}, 2, Bytes{1}, Bytes{0}, {});
  EXPECT_NEAR(out.splits[0].loss, 708.4, 0.1) << "-log of the smallest double";
}

TEST(Evaluation, CalibrationErrorIsByBinsOfConfidence) {
  // Confidence 0.75 twice, right once, and 0.95 once, wrong: 2/3 * 0.25 + 1/3 * 0.95.
  const std::vector<float> logits = {log_of(0.75), log_of(0.25), log_of(0.75),
                                     log_of(0.25), log_of(0.95), log_of(0.05)};
  const auto out = evaluate(logits, 2, Bytes{0, 1, 1}, Bytes{2, 2, 2}, {});
  EXPECT_NEAR(out.splits[2].ece, (0.5 + 0.95) / 3.0, 1e-6);
}

TEST(Evaluation, AucIsTheShareOfPairsInOrder) {
  // Class 1 scores 2 and 0, class 0 scores 1, 0 and -1: 3 + (1/2 + 1) of 6 pairs.
  const auto out =
      evaluate(std::vector<float>{2, 0, 1, 0, -1}, 1, Bytes{1, 1, 0, 0, 0}, Bytes(5, 2), {});
  EXPECT_DOUBLE_EQ(out.splits[2].auc, 4.5 / 6.0);
  EXPECT_LT(out.splits[2].auc_interval.lo, 4.5 / 6.0);
  EXPECT_GT(out.splits[2].auc_interval.hi, 4.5 / 6.0);
}

TEST(Evaluation, AucNeedsTwoClassesAndBothOfThem) {
  EXPECT_TRUE(std::isnan(
      evaluate(std::vector<float>{1, 2}, 1, Bytes{1, 1}, Bytes{2, 2}, {}).splits[2].auc));
  EXPECT_TRUE(
      std::isnan(evaluate(std::vector<float>{1, 2, 0, 0, 1, 2}, 3, Bytes{0, 1}, Bytes{2, 2}, {})
                     .splits[2]
                     .auc));
}

TEST(Evaluation, OneLogitIsTheLogOddsOfClassOne) {
  const Bytes labels = {0, 1, 1};
  const Bytes split = {2, 2, 2};
  const auto one = evaluate(std::vector<float>{-1, 2, -0.5}, 1, labels, split, {});
  const auto two = evaluate(std::vector<float>{0, -1, 0, 2, 0, -0.5}, 2, labels, split, {});
  EXPECT_EQ(one.predicted, "010");
  EXPECT_EQ(one.predicted, two.predicted);
  EXPECT_DOUBLE_EQ(one.splits[2].loss, two.splits[2].loss);
  EXPECT_DOUBLE_EQ(one.splits[2].auc, two.splits[2].auc);
  EXPECT_THAT(one.splits[2].confusion, ElementsAre(1, 0, 1, 1));
}

TEST(Evaluation, WithoutAForbiddenErrorNoneIsCounted) {
  const auto out = evaluate_decisions(Bytes{0, 0}, 3, Bytes{2, 0}, Bytes{2, 2}, {});
  EXPECT_EQ(out.splits[2].forbidden_truths, 0);
  EXPECT_EQ(out.splits[2].forbidden_errors, 0);
}

TEST(Evaluation, DecisionsHaveNoProbabilities) {
  const auto out =
      evaluate_decisions(Bytes{0, 2, 1}, 3, Bytes{2, 2, 1}, Bytes{2, 2, 2}, veto_as_approve);
  EXPECT_EQ(out.predicted, "021");
  EXPECT_DOUBLE_EQ(out.splits[2].accuracy, 2.0 / 3.0);
  EXPECT_EQ(out.splits[2].forbidden_errors, 1);
  EXPECT_TRUE(std::isnan(out.splits[2].loss));
  EXPECT_TRUE(std::isnan(out.splits[2].ece));
  EXPECT_TRUE(std::isnan(out.splits[2].auc));
}

}  // namespace
}  // namespace moesweep::training
