#include <array>

#include <moesweep/core/stats/roc.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

TEST(RocAuc, AgreesWithScipy) {
  for_each_golden("roc", [](const GoldenCase& golden) {
    const auto positive = golden.cell("positive").get<std::vector<std::int8_t>>();
    EXPECT_TRUE(agrees(roc_auc(golden.numbers("scores"), positive), golden.number("auc")));
  });
}

TEST(RocAucInterval, AgreesWithComparingEveryPair) {
  for_each_golden("roc_interval", [](const GoldenCase& golden) {
    const auto scores = golden.numbers("scores");
    const auto positive = golden.cell("positive").get<std::vector<std::int8_t>>();
    const auto interval = roc_auc_interval(scores, positive, golden.number("alpha"));
    EXPECT_TRUE(agrees(roc_auc(scores, positive), golden.number("auc")));
    EXPECT_TRUE(agrees(interval.lo, golden.numbers("interval").at(0)));
    EXPECT_TRUE(agrees(interval.hi, golden.numbers("interval").at(1)));
  });
}

// 3 positives above 5 negatives: an area of 0.05^(1/3) = 0.368 still does so in 5 % of samples.
TEST(RocAucInterval, SeparatedClassesHaveAnExactBound) {
  const std::array scores = {9.0, 8.0, 7.0, 1.0, 2.0, 3.0, 4.0, 5.0};
  const std::array<std::int8_t, 8> first = {1, 1, 1, 0, 0, 0, 0, 0};
  const std::array<std::int8_t, 8> last = {0, 0, 0, 1, 1, 1, 1, 1};
  EXPECT_NEAR(roc_auc_interval(scores, first, 0.05).lo, std::cbrt(0.05), 1e-15);
  EXPECT_EQ(roc_auc_interval(scores, first, 0.05).hi, 1.0);
  EXPECT_EQ(roc_auc_interval(scores, last, 0.05).lo, 0.0);
  EXPECT_NEAR(roc_auc_interval(scores, last, 0.05).hi, 1.0 - std::cbrt(0.05), 1e-15);
}

TEST(RocAucInterval, WithoutVarianceOrASecondOfAClassThereIsNone) {
  const std::array<std::int8_t, 4> two_each = {1, 1, 0, 0};
  EXPECT_TRUE(std::isnan(roc_auc_interval(std::array{1.0, 1.0, 1.0, 1.0}, two_each, 0.05).lo));
  const std::array<std::int8_t, 4> one = {1, 0, 0, 0};
  EXPECT_TRUE(std::isnan(roc_auc_interval(std::array{2.0, 1.0, 3.0, 0.0}, one, 0.05).hi));
  EXPECT_TRUE(std::isnan(roc_auc_interval({}, {}, 0.05).lo));
}

TEST(RocAuc, EqualScoresCountHalf) {
  EXPECT_EQ(roc_auc(std::array{1.0, 1.0, 1.0}, std::array<std::int8_t, 3>{1, 0, 0}), 0.5);
  EXPECT_EQ(roc_auc(std::array{2.0, 1.0, 2.0}, std::array<std::int8_t, 3>{1, 0, 0}), 0.75);
}

TEST(RocAuc, AnEmptyClassHasNone) {
  EXPECT_TRUE(std::isnan(roc_auc({}, {})));
  EXPECT_TRUE(std::isnan(roc_auc(std::array{1.0, 2.0}, std::array<std::int8_t, 2>{1, 1})));
  EXPECT_TRUE(std::isnan(roc_auc(std::array{1.0, 2.0}, std::array<std::int8_t, 2>{0, 0})));
}

}  // namespace
}  // namespace moesweep::stats
