#include <array>

#include <moesweep/core/stats/paired.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

TEST(PairedT, AgreesWithScipy) {
  for_each_golden("paired_t", [](const GoldenCase& golden) {
    const auto found = paired_t(golden.numbers("differences"));
    EXPECT_TRUE(agrees(found.mean, golden.number("mean")));
    EXPECT_TRUE(agrees(found.standard_error, golden.number("standard_error")));
    EXPECT_TRUE(agrees(found.t, golden.number("t")));
    EXPECT_TRUE(agrees(found.p, golden.number("p")));
  });
}

TEST(PairedT, IdenticalDifferencesHaveNoTest) {
  for (const double value : {0.0, -0.1}) {
    const auto constant = paired_t(std::array{value, value, value});
    EXPECT_EQ(constant.count, 3);
    EXPECT_EQ(constant.mean, value);
    EXPECT_TRUE(std::isnan(constant.standard_error));
    EXPECT_TRUE(std::isnan(constant.t));
    EXPECT_TRUE(std::isnan(constant.p));
  }
  EXPECT_TRUE(std::isnan(paired_t(std::array{0.1 + 0.2, 0.3}).p)) << "rounding is no variance";
}

TEST(PairedT, OneDifferenceHasNoErrorAndNoneNoMean) {
  const auto one = paired_t(std::array{2.5});
  EXPECT_EQ(one.count, 1);
  EXPECT_EQ(one.mean, 2.5);
  EXPECT_TRUE(std::isnan(one.standard_error));
  EXPECT_TRUE(std::isnan(one.p));
  const auto none = paired_t({});
  EXPECT_EQ(none.count, 0);
  EXPECT_TRUE(std::isnan(none.mean));
  EXPECT_TRUE(std::isnan(none.p));
}

TEST(McNemar, AgreesWithScipy) {
  for_each_golden("mcnemar", [](const GoldenCase& golden) {
    const auto b = golden.integer("b");
    const auto c = golden.integer("c");
    EXPECT_TRUE(agrees(mcnemar_exact(b, c), golden.number("p")));
    EXPECT_TRUE(agrees(mcnemar_exact_greater(b, c), golden.number("greater")));
  });
}

TEST(McNemar, WithoutDiscordantPairsNothingIsFound) {
  EXPECT_EQ(mcnemar_exact(0, 0), 1.0);
  EXPECT_EQ(mcnemar_exact_greater(0, 0), 1.0);
  EXPECT_EQ(mcnemar_exact_greater(0, 5), 1.0);
  EXPECT_EQ(mcnemar_exact_greater(5, 0), 1.0 / 32.0);
  EXPECT_EQ(mcnemar_exact(0, 5), 1.0 / 16.0);
}

TEST(Wilcoxon, AgreesWithAllChoicesOfSigns) {
  for_each_golden("wilcoxon", [](const GoldenCase& golden) {
    const auto found = wilcoxon_signed_rank(golden.numbers("differences"));
    EXPECT_TRUE(agrees(found.statistic, golden.number("statistic")));
    EXPECT_TRUE(agrees(found.p, golden.number("p")));
    EXPECT_EQ(found.exact, golden.cell("exact").get<bool>());
  });
}

TEST(Wilcoxon, NothingButZerosIsNoDifference) {
  const auto zeros = wilcoxon_signed_rank(std::array{0.0, -0.0});
  EXPECT_EQ(zeros.count, 0);
  EXPECT_EQ(zeros.p, 1.0);
  EXPECT_TRUE(std::isnan(wilcoxon_signed_rank({}).p));
}

TEST(Wilcoxon, OneDifferenceProvesNothing) {
  const auto one = wilcoxon_signed_rank(std::array{-3.0});
  EXPECT_TRUE(one.exact);
  EXPECT_EQ(one.statistic, 0.0);
  EXPECT_EQ(one.p, 1.0);
}

TEST(Wilcoxon, TiesAndZerosAreExactToo) {
  // Five of one size: 2 of 32 choices of signs are as one-sided. The normal approximation says
  // 0.025.
  EXPECT_EQ(wilcoxon_signed_rank(std::array{2.0, 2.0, 0.0, 2.0, 2.0, 2.0}).p, 1.0 / 16.0);
  EXPECT_EQ(wilcoxon_signed_rank(std::array{0.0, 0.0, 3.0}).p, 1.0);
}

}  // namespace
}  // namespace moesweep::stats
