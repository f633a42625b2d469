#include <array>

#include <moesweep/core/stats/equivalence.hpp>
#include <moesweep/core/stats/welch.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Means, AgreeWithScipy) {
  for_each_golden("means", [](const GoldenCase& golden) {
    const auto a = summarize(golden.numbers("a"));
    const auto b = summarize(golden.numbers("b"));
    const auto welch = welch_t(a, b);
    EXPECT_TRUE(agrees(welch.difference, golden.number("difference")));
    EXPECT_TRUE(agrees(welch.standard_error, golden.number("standard_error")));
    EXPECT_TRUE(agrees(welch.freedom, golden.number("freedom")));
    EXPECT_TRUE(agrees(welch.t, golden.number("t")));
    EXPECT_TRUE(agrees(welch.p, golden.number("p")));
    EXPECT_TRUE(agrees(cohens_d(a, b), golden.number("d")));
    const double margin = golden.number("margin");
    const auto independent = tost(a, b, margin);
    EXPECT_TRUE(agrees(independent.p_lower, golden.numbers("tost").at(0)));
    EXPECT_TRUE(agrees(independent.p_upper, golden.numbers("tost").at(1)));
    const auto paired = tost_paired(golden.numbers("b"), margin);
    EXPECT_TRUE(agrees(paired.p_lower, golden.numbers("tost_paired").at(0)));
    EXPECT_TRUE(agrees(paired.p_upper, golden.numbers("tost_paired").at(1)));
  });
}

TEST(Means, OfCountsAgreeWithScipy) {
  for_each_golden("counts", [](const GoldenCase& golden) {
    const auto k = golden.cell("k").get<std::vector<std::int64_t>>();
    const auto n = golden.cell("n").get<std::vector<std::int64_t>>();
    const auto welch =
        welch_t(summarize_binary(k.at(0), n.at(0)), summarize_binary(k.at(1), n.at(1)));
    EXPECT_TRUE(agrees(welch.t, golden.number("t")));
    EXPECT_TRUE(agrees(welch.p, golden.number("p")));
  });
}

TEST(Summary, OfFewValuesSaysSo) {
  EXPECT_TRUE(std::isnan(summarize({}).mean));
  EXPECT_EQ(summarize(std::array{4.0}).mean, 4.0);
  EXPECT_TRUE(std::isnan(summarize(std::array{4.0}).variance));
  EXPECT_TRUE(std::isnan(summarize_binary(0, 0).mean));
  EXPECT_TRUE(std::isnan(summarize_binary(1, 1).variance));
  EXPECT_TRUE(std::isnan(summary_of(1, 0.3, 0.1).variance));
  EXPECT_TRUE(std::isnan(summary_of(0, 0.3, 0.1).mean));
  EXPECT_DOUBLE_EQ(summary_of(2, 0.3, 0.5).variance, 0.25);
}

TEST(Summary, EqualValuesHaveNoVariance) {
  const auto equal = summarize(std::array{0.1, 0.1, 0.1});
  EXPECT_EQ(equal.mean, 0.1);
  EXPECT_EQ(equal.variance, 0.0);
  EXPECT_EQ(summarize_binary(0, 9).variance, 0.0);
  EXPECT_EQ(summarize_binary(9, 9).variance, 0.0);
  EXPECT_EQ(summarize_binary(9, 9).mean, 1.0);
}

TEST(Welch, IdenticalArmsDoNotDiffer) {
  const auto arm = summarize_binary(198, 220);
  EXPECT_EQ(welch_t(arm, arm).t, 0.0);
  EXPECT_EQ(welch_t(arm, arm).p, 1.0);
  EXPECT_EQ(cohens_d(arm, arm), 0.0);
}

TEST(Welch, WithoutVarianceThereIsNoTest) {
  const auto all = summarize_binary(9, 9);
  const auto none = summarize_binary(0, 9);
  for (const auto& test : {welch_t(all, all), welch_t(none, all)}) {
    EXPECT_TRUE(std::isnan(test.standard_error));
    EXPECT_TRUE(std::isnan(test.freedom));
    EXPECT_TRUE(std::isnan(test.t));
    EXPECT_TRUE(std::isnan(test.p));
  }
  EXPECT_EQ(welch_t(none, all).difference, -1.0);
  EXPECT_TRUE(std::isnan(cohens_d(all, all)));
  EXPECT_TRUE(std::isnan(cohens_d(all, none)));
}

TEST(Welch, SingleValuesAndMissingMeansHaveNoTest) {
  const auto one = welch_t(summarize(std::array{4.0}), summarize(std::array{1.0, 2.0}));
  EXPECT_EQ(one.difference, 2.5);
  EXPECT_TRUE(std::isnan(one.p));
  EXPECT_TRUE(std::isnan(cohens_d(summarize_binary(1, 1), summarize_binary(1, 2))));
  EXPECT_TRUE(std::isnan(welch_t(summary_of(5, nan, 1.0), summary_of(5, 1.0, 1.0)).p));
}

TEST(Tost, WithoutVarianceNothingIsShown) {
  for (const auto& tests :
       {tost_paired(std::array{0.5, 0.5, 0.5}, 1.0), tost_paired(std::array{2.0, 2.0, 2.0}, 1.0),
        tost(summarize_binary(9, 9), summarize_binary(9, 9), 0.03)}) {
    EXPECT_FALSE(std::isnan(tests.difference));
    EXPECT_TRUE(std::isnan(tests.t_lower));
    EXPECT_TRUE(std::isnan(tests.p_upper));
    EXPECT_TRUE(std::isnan(tests.p));
  }
}

TEST(Tost, FewValuesHaveNoTest) {
  EXPECT_TRUE(std::isnan(tost_paired({}, 1.0).p));
  EXPECT_TRUE(std::isnan(tost_paired(std::array{0.1}, 1.0).p));
  EXPECT_EQ(tost_paired(std::array{0.1}, 1.0).difference, 0.1);
  EXPECT_TRUE(std::isnan(tost(summarize_binary(1, 1), summarize_binary(3, 9), 0.03).p_upper));
}

}  // namespace
}  // namespace moesweep::stats
