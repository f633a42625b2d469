#include <moesweep/core/stats/power.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Power, AgreesWithScipy) {
  for_each_golden("power", [](const GoldenCase& golden) {
    const double p = golden.number("p");
    const double q = golden.number("q");
    const auto n = golden.cell("n").get<std::vector<std::int64_t>>();
    const double alpha = golden.number("alpha");
    const double power = golden.number("power");
    const double factor = detection_factor(alpha, power);
    EXPECT_TRUE(agrees(factor, golden.number("factor")));
    EXPECT_TRUE(agrees(power_two_proportions(p, q, n.at(0), n.at(1), alpha),
                       golden.number("two_proportions")));
    EXPECT_TRUE(
        agrees(power_two_means(0.3, p, n.at(0), n.at(1), alpha), golden.number("two_means")));
    EXPECT_TRUE(agrees(minimum_detectable_proportion(p, n.at(0), n.at(1), factor),
                       golden.number("detectable")));
    EXPECT_EQ(sample_size_two_proportions(p, q, factor), golden.number("size"));
    EXPECT_EQ(sample_size_equivalence(golden.number("true_difference"), p, 1.0, alpha, power),
              golden.number("equivalence"));
    EXPECT_EQ(sample_size_half_width(p, 0.03, alpha), golden.number("half_width"));
  });
}

TEST(Power, AtTheMinimumDetectableDifferenceIsWhatWasAskedFor) {
  const double detectable = minimum_detectable_mean(2.0, 90, 110, detection_factor(0.05, 0.8));
  EXPECT_NEAR(power_two_means(detectable, 2.0, 90, 110, 0.05), 0.8, 1e-5);
  const double size = sample_size_two_means(detectable, 2.0, detection_factor(0.05, 0.8));
  EXPECT_NEAR(size, 2.0 / (1.0 / 90.0 + 1.0 / 110.0), 1.0);
}

TEST(Power, WithoutADifferenceIsTheLevel) {
  EXPECT_DOUBLE_EQ(power_two_proportions(0.3, 0.3, 10, 20, 0.05), 0.05);
  EXPECT_DOUBLE_EQ(power_two_means(0.0, 0.3, 10, 20, 0.05), 0.05);
}

TEST(Power, WithoutVarianceNothingIsPlanned) {
  EXPECT_TRUE(std::isnan(power_two_proportions(1.0, 1.0, 10, 20, 0.05)));
  EXPECT_TRUE(std::isnan(power_two_proportions(0.0, 1.0, 10, 20, 0.05)));
  EXPECT_TRUE(std::isnan(power_two_means(-0.1, 0.0, 10, 20, 0.05)));
  EXPECT_TRUE(std::isnan(minimum_detectable_mean(0.0, 10, 20, 2.8)));
  EXPECT_TRUE(std::isnan(minimum_detectable_proportion(1.0, 10, 20, 2.8)));
  EXPECT_TRUE(std::isnan(sample_size_two_proportions(0.0, 1.0, 2.8)));
  EXPECT_TRUE(std::isnan(sample_size_two_means(0.1, 0.0, 2.8)));
  EXPECT_TRUE(std::isnan(sample_size_equivalence(0.01, 0.0, 0.03, 0.05, 0.8)));
  EXPECT_TRUE(std::isnan(sample_size_half_width(1.0, 0.01, 0.05)));
}

TEST(Power, OfAnEmptyArmIsUndefinedAndDetectsNothing) {
  EXPECT_TRUE(std::isnan(power_two_proportions(0.3, 0.4, 0, 20, 0.05)));
  EXPECT_TRUE(std::isnan(power_two_means(0.3, 0.4, 20, 0, 0.05)));
  EXPECT_EQ(minimum_detectable_proportion(0.5, 0, 20, 2.8), infinity);
  EXPECT_EQ(minimum_detectable_mean(0.5, 20, 0, 2.8), infinity);
}

TEST(SampleSize, NoNumberShowsWhatIsNotThere) {
  EXPECT_EQ(sample_size_two_proportions(0.5, 0.5, 2.8), infinity);
  EXPECT_EQ(sample_size_two_means(0.0, 1.0, 2.8), infinity);
  EXPECT_EQ(sample_size_equivalence(-0.03, 0.3, 0.03, 0.05, 0.8), infinity);
}

TEST(PairsForMargin, IsTheLeastNumberThatResolves) {
  const Discordant pairs{7.0, 5.0, 150.0};
  const auto bound = [&](double n) {
    return tango_upper({pairs.b / pairs.n * n, pairs.c / pairs.n * n, n}, 0.05);
  };
  const double needed = pairs_for_margin(pairs, 0.02, 0.05);
  EXPECT_GT(needed, 150.0);
  EXPECT_LE(bound(needed), 0.02);
  EXPECT_GT(bound(needed - 1.0), 0.02);
}

TEST(PairsForMargin, WithoutDiscordantPairsHasAClosedForm) {
  // z^2 / (n + z^2) <= 0.02, z^2 = 2.7055
  EXPECT_EQ(pairs_for_margin({0.0, 0.0, 150.0}, 0.02, 0.05), 133.0);
}

TEST(PairsForMargin, ScaledSharesNeverExceedThePairs) {
  for (double n = 2.0; n < 60.0; ++n) {
    for (double b = 0.0; b < n; ++b) {
      EXPECT_LT(pairs_for_margin({b, n - b, n}, (2.0 * b - n) / n + 0.01, 0.05), 1e6);
    }
  }
}

TEST(PairsForMargin, AnExcessBeyondTheMarginNeverResolves) {
  EXPECT_EQ(pairs_for_margin({9.0, 1.0, 100.0}, 0.02, 0.05), infinity);
  EXPECT_EQ(pairs_for_margin({2.0, 0.0, 100.0}, 0.02, 0.05), infinity);
  EXPECT_EQ(pairs_for_margin({2.0, 1.0, 3.0}, 0.02, 0.05), infinity);
  EXPECT_EQ(pairs_for_margin({1.0, 2.0, 3.0}, 1.0, 0.05), 1.0);
}

}  // namespace
}  // namespace moesweep::stats
