#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/stats/correlation.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

using ::testing::ElementsAre;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(MidRanks, EqualValuesShareTheMeanOfTheirPlaces) {
  EXPECT_THAT(mid_ranks(std::array{30.0, 10.0, 20.0, 10.0, 30.0, 30.0}),
              ElementsAre(5.0, 1.5, 3.0, 1.5, 5.0, 5.0));
}

TEST(Correlate, AgreesWithScipyOnAThousandCases) {
  for_each_golden("pairs", [](const GoldenCase& golden) {
    const auto found = correlate(golden.numbers("x"), golden.numbers("y"));
    EXPECT_TRUE(agrees(found.pearson, golden.number("pearson")));
    EXPECT_TRUE(agrees(found.pearson_p, golden.number("pearson_p")));
    EXPECT_TRUE(agrees(found.spearman, golden.number("spearman")));
    EXPECT_TRUE(agrees(found.spearman_p, golden.number("spearman_p")));
    const double alpha = golden.number("alpha");
    const auto interval = fisher_interval(found.pearson, found.count, alpha);
    EXPECT_TRUE(agrees(interval.lo, golden.numbers("interval").at(0)));
    EXPECT_TRUE(agrees(interval.hi, golden.numbers("interval").at(1)));
    const auto of_rho = fisher_interval_spearman(found.spearman, found.count, alpha);
    EXPECT_TRUE(agrees(of_rho.lo, golden.numbers("spearman_interval").at(0)));
    EXPECT_TRUE(agrees(of_rho.hi, golden.numbers("spearman_interval").at(1)));
  });
}

TEST(FisherInterval, FewPairsExcludeNothingAndAPerfectLineHasNone) {
  for (const double r : {0.9, 1.0, -1.0}) {
    EXPECT_EQ(fisher_interval(r, 3, 0.05).lo, -1.0);
    EXPECT_EQ(fisher_interval(r, 3, 0.05).hi, 1.0);
  }
  EXPECT_TRUE(std::isnan(fisher_interval(1.0, 9, 0.05).lo));
  EXPECT_TRUE(std::isnan(fisher_interval(-1.0, 9, 0.05).hi));
  EXPECT_TRUE(std::isnan(fisher_interval(nan, 9, 0.05).lo));
  EXPECT_TRUE(std::isnan(fisher_interval_spearman(nan, 9, 0.05).hi));
}

// scipy 1.11: pearsonr and spearmanr of these columns.
TEST(Correlate, AgreesWithScipy) {
  const std::array x = {1.0, 2.0, 3.0, 4.0, 5.0};
  const std::array y = {5.0, 6.0, 7.0, 8.0, 7.0};
  const auto found = correlate(x, y);
  EXPECT_EQ(found.count, 5);
  EXPECT_NEAR(found.pearson, 0.8320502943378437, 1e-14);
  EXPECT_NEAR(found.pearson_p, 0.08050957329849845, 1e-12);
  EXPECT_NEAR(found.spearman, 0.8207826816681233, 1e-14);
  EXPECT_NEAR(found.spearman_p, 0.08858700531354381, 1e-12);
}

TEST(Correlate, AStraightLineHasNoP) {
  // On a line but for the rounding of decimals, three pairs and many.
  const auto three = correlate(std::array{1.0, 2.0, 3.0}, std::array{0.1, 0.2, 0.3});
  EXPECT_EQ(three.pearson, 1.0);
  EXPECT_TRUE(std::isnan(three.pearson_p));
  const auto down = correlate(std::array{1.0, 2.0, 3.0, 7.0}, std::array{0.9, 0.7, 0.5, -0.3});
  EXPECT_EQ(down.pearson, -1.0);
  EXPECT_TRUE(std::isnan(down.pearson_p));
  const auto near = correlate(std::array{1.0, 2.0, 3.0, 7.0}, std::array{0.9, 0.7, 0.5, -0.3001});
  EXPECT_GT(near.pearson, -1.0);
  EXPECT_GT(near.pearson_p, 0.0);
}

TEST(Correlate, APerfectOrderHasTheExactP) {
  const auto of_three = correlate(std::array{1.0, 2.0, 3.0}, std::array{1.0, 5.0, 6.0});
  EXPECT_EQ(of_three.spearman, 1.0);
  EXPECT_NEAR(of_three.spearman_p, 1.0 / 3.0, 1e-15);  // 2 of 3! orders
  // 1, 2, 2 against the same: 2 of 6 orders give +1, and none -1.
  EXPECT_NEAR(correlate(std::array{1.0, 2.0, 2.0}, std::array{3.0, 4.0, 4.0}).spearman_p, 1.0 / 3.0,
              1e-15);
}

TEST(Correlate, MonotoneHasSpearmanOne) {
  const std::array x = {1.0, 2.0, 3.0, 4.0};
  const std::array y = {-1.0, -10.0, -100.0, -1000.0};
  const auto found = correlate(x, y);
  EXPECT_EQ(found.spearman, -1.0);
  EXPECT_NEAR(found.spearman_p, 1.0 / 12.0, 1e-15);
  EXPECT_GT(found.pearson, -0.9);
}

TEST(Correlate, PairsWithNanAreLeftOutAndCounted) {
  const std::array x = {1.0, nan, 3.0, 2.0, 7.0};
  const std::array y = {2.0, 4.0, nan, 4.0, 14.0};
  const auto found = correlate(x, y);
  EXPECT_EQ(found.count, 3);
  EXPECT_NEAR(found.pearson, 1.0, 1e-15);
}

TEST(Correlate, AConstantOrTwoPairsHaveNoCoefficient) {
  const auto constant = correlate(std::array{1.0, 1.0, 1.0}, std::array{1.0, 2.0, 3.0});
  EXPECT_TRUE(std::isnan(constant.pearson));
  EXPECT_TRUE(std::isnan(constant.spearman_p));
  const auto two = correlate(std::array{1.0, 2.0}, std::array{1.0, 2.0});
  EXPECT_EQ(two.count, 2);
  EXPECT_TRUE(std::isnan(two.spearman));
  EXPECT_TRUE(std::isnan(two.pearson_p));
}

}  // namespace
}  // namespace moesweep::stats
