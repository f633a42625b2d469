#include <numbers>

#include <moesweep/core/stats/proportions.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

void expect_interval(const Interval& ours, const std::vector<double>& golden) {
  EXPECT_TRUE(agrees(ours.lo, golden.at(0)));
  EXPECT_TRUE(agrees(ours.hi, golden.at(1)));
}

TEST(Proportions, AgreeWithScipy) {
  for_each_golden("proportions", [](const GoldenCase& golden) {
    const auto k = golden.integer("k");
    const auto n = golden.integer("n");
    const double alpha = golden.number("alpha");
    EXPECT_TRUE(agrees(clopper_pearson_upper(k, n, alpha), golden.number("upper")));
    EXPECT_TRUE(agrees(clopper_pearson_lower(k, n, alpha), golden.number("lower")));
    expect_interval(clopper_pearson_interval(k, n, alpha), golden.numbers("interval"));
    expect_interval(wilson_interval(k, n, alpha), golden.numbers("wilson"));
    const double p = static_cast<double>(k) / static_cast<double>(n);
    EXPECT_TRUE(agrees(cohens_h(p, golden.number("other")), golden.number("h")));
  });
}

TEST(ClopperPearson, NoneOf150IsBelowTwoPercent) {
  EXPECT_NEAR(clopper_pearson_upper(0, 150, 0.05), 0.0198, 5e-5);
}

TEST(ClopperPearson, NoneAndAllTouchTheEnds) {
  EXPECT_EQ(clopper_pearson_lower(0, 20, 0.05), 0.0);
  EXPECT_EQ(clopper_pearson_upper(20, 20, 0.05), 1.0);
  EXPECT_NEAR(clopper_pearson_lower(20, 20, 0.05), 1.0 - clopper_pearson_upper(0, 20, 0.05), 1e-15);
  EXPECT_DOUBLE_EQ(clopper_pearson_upper(0, 1, 0.05), 0.95);
}

TEST(Wilson, NoneAndAllTouchTheEnds) {
  EXPECT_EQ(wilson_interval(0, 7, 0.05).lo, 0.0);
  EXPECT_EQ(wilson_interval(7, 7, 0.05).hi, 1.0);
  EXPECT_LT(wilson_interval(7, 7, 0.05).lo, 1.0);
}

TEST(Proportions, WithoutSamplesNothingIsExcluded) {
  for (const auto& interval : {clopper_pearson_interval(0, 0, 0.05), wilson_interval(0, 0, 0.05)}) {
    EXPECT_EQ(interval.lo, 0.0);
    EXPECT_EQ(interval.hi, 1.0);
  }
}

TEST(CohensH, IsSignedAndReachesPi) {
  EXPECT_DOUBLE_EQ(cohens_h(1.0, 0.0), std::numbers::pi);
  EXPECT_DOUBLE_EQ(cohens_h(0.0, 1.0), -std::numbers::pi);
  EXPECT_EQ(cohens_h(0.3, 0.3), 0.0);
}

}  // namespace
}  // namespace moesweep::stats
