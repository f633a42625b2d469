#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/analysis/training/binary_evaluation.hpp>

namespace moesweep::training {
namespace {

double log_odds(double p) {
  return std::log(p / (1.0 - p));
}

TEST(BinaryEvaluation, AgreesWithAHandComputedCase) {
  // Bins: 0.12 and 0.18 together, 0.65 and 0.95 alone.
  const std::vector<double> scores{log_odds(0.12), log_odds(0.18), log_odds(0.65), log_odds(0.95)};
  const std::vector<std::int8_t> labels{0, 1, 0, 1};
  const auto evaluation = evaluate_binary(scores, labels);
  EXPECT_DOUBLE_EQ(evaluation.auc, 0.75);
  // Components 1/2, 1 and 1/2, 1 of variance 1/8 each: error sqrt(1/8); logit log 3 +- 1.96 x that
  // over 3/16.
  const double half = 1.959963984540054 * std::sqrt(0.125) / 0.1875;
  EXPECT_NEAR(evaluation.auc_interval.lo, 1.0 / (1.0 + std::exp(half) / 3.0), 1e-12);
  EXPECT_NEAR(evaluation.auc_interval.hi, 1.0 / (1.0 + std::exp(-half) / 3.0), 1e-12);
  EXPECT_NEAR(evaluation.loss,
              -(std::log(0.88) + std::log(0.18) + std::log(0.35) + std::log(0.95)) / 4.0, 1e-14);
  EXPECT_NEAR(evaluation.brier, (0.0144 + 0.6724 + 0.4225 + 0.0025) / 4.0, 1e-14);
  EXPECT_NEAR(evaluation.ece, (std::abs(0.30 - 1.0) + 0.65 + 0.05) / 4.0, 1e-14);
}

TEST(BinaryEvaluation, EqualScoresCountOneHalf) {
  const std::vector<double> scores{0.0, 0.0, 0.0};
  const std::vector<std::int8_t> labels{0, 1, 1};
  EXPECT_DOUBLE_EQ(evaluate_binary(scores, labels).auc, 0.5);
}

TEST(BinaryEvaluation, CertaintyBelongsToTheLastBin) {
  const std::vector<double> scores{1000.0, -1000.0};
  const std::vector<std::int8_t> labels{1, 0};
  const auto evaluation = evaluate_binary(scores, labels);
  EXPECT_EQ(evaluation.auc, 1.0);
  EXPECT_NEAR(evaluation.auc_interval.lo, 0.05, 1e-15) << "one pair in order says little";
  EXPECT_EQ(evaluation.auc_interval.hi, 1.0);
  EXPECT_EQ(evaluation.ece, 0.0);
  EXPECT_EQ(evaluation.loss, 0.0);
}

TEST(BinaryEvaluation, NothingCanBeSaidOfNoRows) {
  const auto evaluation = evaluate_binary({}, {});
  EXPECT_TRUE(std::isnan(evaluation.auc));
  EXPECT_TRUE(std::isnan(evaluation.auc_interval.lo));
  EXPECT_TRUE(std::isnan(evaluation.loss));
  EXPECT_TRUE(std::isnan(evaluation.ece));
}

}  // namespace
}  // namespace moesweep::training
