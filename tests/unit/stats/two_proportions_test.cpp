#include <array>
#include <cmath>

#include <moesweep/core/stats/two_proportions.hpp>
#include <moesweep/core/stats/two_proportions_power.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Relative whatever the size, but for what a z beyond 30 makes of its last digit.
testing::AssertionResult agrees_relatively(double ours, double golden) {
  if (std::fabs(ours - golden) <= 1e-10 * std::fabs(golden) + 1e-290) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << ours << " is not " << golden;
}

TEST(TwoProportions, AgreeWithEnumerationAndBisectionInDecimals) {
  for_each_golden("two_proportions", [](const GoldenCase& golden) {
    const auto k = golden.cell("k").get<std::vector<std::int64_t>>();
    const auto n = golden.cell("n").get<std::vector<std::int64_t>>();
    const Count a{k.at(0), n.at(0)};
    const Count b{k.at(1), n.at(1)};
    EXPECT_TRUE(agrees_relatively(fisher_exact(a, b), golden.number("fisher")));
    const auto score = score_tost(a, b, golden.number("margin"));
    EXPECT_TRUE(agrees(score.difference, golden.number("difference")));
    EXPECT_TRUE(agrees(score.z_lower, golden.number("z_lower")));
    EXPECT_TRUE(agrees_relatively(score.p_lower, golden.number("p_lower")));
    EXPECT_TRUE(agrees(score.z_upper, golden.number("z_upper")));
    EXPECT_TRUE(agrees_relatively(score.p_upper, golden.number("p_upper")));
    EXPECT_TRUE(agrees_relatively(score.p, golden.number("p")));
  });
}

TEST(TwoProportions, PowerOfFishersTestAgreesWithFullEnumeration) {
  for_each_golden("fisher_power", [](const GoldenCase& golden) {
    const double p = golden.number("p");
    const double q = golden.number("q");
    const double alpha = golden.number("alpha");
    EXPECT_TRUE(agrees(fisher_power(p, q, golden.integer("n"), alpha), golden.number("found")));
    EXPECT_EQ(fisher_sample_size(p, q, alpha, golden.number("power")), golden.number("size"));
  });
}

TEST(TwoProportions, PowerOfTheScoreTestsAgreesWithFullEnumeration) {
  for_each_golden("score_power", [](const GoldenCase& golden) {
    const double p = golden.number("p");
    const double q = golden.number("q");
    const double margin = golden.number("margin");
    const double alpha = golden.number("alpha");
    EXPECT_TRUE(
        agrees(score_tost_power(p, q, golden.integer("n"), margin, alpha), golden.number("found")));
    EXPECT_EQ(score_tost_sample_size(p, q, margin, alpha, golden.number("power")),
              golden.number("size"));
  });
}

// Fisher's own example, the lady who tasted tea: 3 of 4 right, and 4 of 4.
TEST(FisherExact, OfTheTastingOfTea) {
  EXPECT_NEAR(fisher_exact({3, 4}, {1, 4}), 34.0 / 70.0, 1e-15);
  EXPECT_NEAR(fisher_exact({4, 4}, {0, 4}), 2.0 / 70.0, 1e-15);
}

TEST(FisherExact, AllOrNoneIsNoProofByItself) {
  EXPECT_NEAR(fisher_exact({5, 5}, {0, 2}), 1.0 / 21.0, 1e-15);
  EXPECT_EQ(fisher_exact({5, 5}, {5, 5}), 1.0);
  EXPECT_EQ(fisher_exact({0, 7}, {0, 1}), 1.0);
  EXPECT_EQ(fisher_exact({1, 1}, {0, 1}), 1.0);
  EXPECT_TRUE(std::isnan(fisher_exact({0, 0}, {3, 9})));
}

TEST(FisherExact, OfManySamplesIsNeitherLostNorZero) {
  // 1e7 samples each, 100 apart about a half: sigma is 1,581 and the test a normal one.
  const double z = (300.0 - 1.0) / std::sqrt(0.5 * 1e7);
  EXPECT_NEAR(fisher_exact({5'000'150, 10'000'000}, {4'999'850, 10'000'000}),
              std::erfc(z / std::sqrt(2.0)), 1e-6);
  EXPECT_EQ(fisher_exact({5000, 5000}, {0, 5000}), std::numeric_limits<double>::min());
  EXPECT_TRUE(agrees(fisher_exact({3, 9}, {11, 20}), fisher_exact({11, 20}, {3, 9})));
  EXPECT_TRUE(agrees(fisher_exact({3, 9}, {11, 20}), fisher_exact({6, 9}, {9, 20})));
}

// statsmodels' tost_proportions_2indep(99, 100, 99, 100, -0.03, 0.03, method="score",
// correction=False); 0.0682 with its default correction.
TEST(ScoreTost, AgreementOfFewIsNoEquivalence) {
  EXPECT_NEAR(score_tost({99, 100}, {99, 100}, 0.03).p, 0.067, 0.002);
  const auto five = score_tost({5, 5}, {5, 5}, 0.03);
  EXPECT_NEAR(five.z_lower, 0.03 / std::sqrt(0.03 * 0.97 / 5.0), 1e-14);
  EXPECT_GT(five.p, 0.3);
  EXPECT_GT(score_tost({50, 50}, {50, 50}, 0.03).p, 0.1);
  EXPECT_LT(score_tost({150, 150}, {150, 150}, 0.03).p, 0.05);
  EXPECT_GT(score_tost({1, 1}, {1, 1}, 0.03).p, 0.4);
}

TEST(ScoreTost, SidesMirrorEachOther) {
  const auto one = score_tost({3, 9}, {11, 20}, 0.1);
  const auto other = score_tost({11, 20}, {3, 9}, 0.1);
  EXPECT_DOUBLE_EQ(one.p_lower, other.p_upper);
  EXPECT_DOUBLE_EQ(one.p_upper, other.p_lower);
  const auto turned = score_tost({6, 9}, {9, 20}, 0.1);
  EXPECT_DOUBLE_EQ(one.p_lower, turned.p_upper);
}

TEST(ScoreTost, OfNothingOrAgainstEverythingIsUndefined) {
  EXPECT_TRUE(std::isnan(score_tost({0, 0}, {3, 9}, 0.1).p));
  EXPECT_TRUE(std::isnan(score_tost({3, 9}, {3, 9}, 1.0).p));
}

TEST(SampleSize, OfSharesWithoutVarianceIsWhatSuchCountsNeed) {
  // n of n twice is within 3 pp from z^2 (1 - 0.03)/0.03 = 87.5 on.
  EXPECT_EQ(score_tost_sample_size(1.0, 1.0, 0.03, 0.05, 0.8), 88.0);
  EXPECT_GT(score_tost({87, 87}, {87, 87}, 0.03).p, 0.05);
  EXPECT_LT(score_tost({88, 88}, {88, 88}, 0.03).p, 0.05);
  // 0 of 4 against 4 of 4 has p = 2/70, 0 of 3 against 3 of 3 has 2/20.
  EXPECT_EQ(fisher_sample_size(0.0, 1.0, 0.05, 0.8), 4.0);
}

TEST(SampleSize, NoNumberOfAnswersShowsWhatIsNotThere) {
  EXPECT_EQ(fisher_sample_size(0.4, 0.4, 0.05, 0.8), infinity);
  EXPECT_EQ(score_tost_sample_size(0.4, 0.43, 0.03, 0.05, 0.8), infinity);
  EXPECT_EQ(fisher_detectable(3, 0.05, 0.8), infinity);
}

TEST(Detectable, IsFoundWithThePowerAskedFor) {
  for (const std::int64_t n : {4, 30, 256}) {
    const double d = fisher_detectable(n, 0.05, 0.8);
    EXPECT_NEAR(fisher_power((1.0 - d) / 2.0, (1.0 + d) / 2.0, n, 0.05), 0.8, 1e-9);
  }
  const double d = fisher_detectable(1000, 0.05, 0.8);
  EXPECT_NEAR(fisher_sample_size((1.0 - d) / 2.0, (1.0 + d) / 2.0, 0.05, 0.8), 1000.0, 1.0);
  EXPECT_LT(d, fisher_detectable(256, 0.05, 0.8));
}

}  // namespace
}  // namespace moesweep::stats
