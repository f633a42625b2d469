#include <array>

#include <moesweep/core/stats/correlation.hpp>
#include <moesweep/core/stats/regression.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Regression, AgreesWithScipy) {
  for_each_golden("pairs", [](const GoldenCase& golden) {
    const auto line = regress(golden.numbers("x"), golden.numbers("y"));
    EXPECT_TRUE(agrees(line.slope, golden.number("slope")));
    EXPECT_TRUE(agrees(line.intercept, golden.number("intercept")));
    EXPECT_TRUE(agrees(line.r2, golden.number("r2")));
    EXPECT_TRUE(agrees(line.slope_error, golden.number("slope_error")));
    EXPECT_TRUE(agrees(line.intercept_error, golden.number("intercept_error")));
    // Under either name the test of a straight line is the same.
    EXPECT_TRUE(agrees(line.slope_p, golden.number("pearson_p")));
    EXPECT_TRUE(agrees(line.slope_t * line.slope_error, line.slope));
  });
}

TEST(Regression, AConstantHasNoSlopeOrNothingToExplain) {
  const auto upright = regress(std::array{1.0, 1.0, 1.0}, std::array{1.0, 2.0, 3.0});
  EXPECT_EQ(upright.count, 3);
  EXPECT_TRUE(std::isnan(upright.slope));
  EXPECT_TRUE(std::isnan(upright.slope_p));
  const auto flat = regress(std::array{1.0, 2.0, 4.0}, std::array{0.1, 0.1, 0.1});
  EXPECT_EQ(flat.slope, 0.0);
  EXPECT_EQ(flat.intercept, 0.1);
  EXPECT_TRUE(std::isnan(flat.r2));
  EXPECT_TRUE(std::isnan(flat.slope_error));
  EXPECT_TRUE(std::isnan(flat.slope_t));
  EXPECT_TRUE(std::isnan(flat.slope_p));
}

TEST(Regression, TwoPointsAreMetExactlyAndOneOrNoneNot) {
  const auto two = regress(std::array{1.0, 3.0}, std::array{2.0, 8.0});
  EXPECT_EQ(two.slope, 3.0);
  EXPECT_EQ(two.intercept, -1.0);
  EXPECT_TRUE(std::isnan(two.r2));
  EXPECT_TRUE(std::isnan(two.slope_error));
  EXPECT_TRUE(std::isnan(two.slope_p));
  EXPECT_TRUE(std::isnan(regress(std::array{1.0}, std::array{2.0}).slope));
  EXPECT_TRUE(std::isnan(regress({}, {}).intercept));
}

TEST(Regression, AnExactLineHasNoScatterToJudgeItBy) {
  // The second is exact but for the rounding of decimals.
  for (const auto& y : {std::array{-2.0, -4.0, -6.0}, std::array{0.7, 0.8, 0.9}}) {
    const auto exact = regress(std::array{1.0, 2.0, 3.0}, y);
    EXPECT_NEAR(exact.slope, y[1] - y[0], 1e-14);
    EXPECT_EQ(exact.r2, 1.0);
    EXPECT_TRUE(std::isnan(exact.slope_error));
    EXPECT_TRUE(std::isnan(exact.intercept_error));
    EXPECT_TRUE(std::isnan(exact.slope_t));
    EXPECT_TRUE(std::isnan(exact.slope_p));
  }
}

TEST(Regression, PairsWithNanAreLeftOutAndCounted) {
  const auto line = regress(std::array{1.0, nan, 3.0, 9.0}, std::array{2.0, 5.0, 8.0, nan});
  EXPECT_EQ(line.count, 2);
  EXPECT_EQ(line.slope, 3.0);
}

}  // namespace
}  // namespace moesweep::stats
