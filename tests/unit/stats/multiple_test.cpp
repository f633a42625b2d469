#include <array>

#include <moesweep/core/stats/multiple.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

void expect_each(const std::vector<double>& ours, const std::vector<double>& golden) {
  ASSERT_EQ(ours.size(), golden.size());
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_TRUE(agrees(ours[i], golden[i]));
}

TEST(Multiple, AgreesWithTheReference) {
  for_each_golden("multiple", [](const GoldenCase& golden) {
    expect_each(holm(golden.numbers("p")), golden.numbers("holm"));
    expect_each(bonferroni(golden.numbers("p")), golden.numbers("bonferroni"));
  });
}

TEST(Multiple, NanIsNoMemberOfTheFamily) {
  const std::array p = {0.01, std::numeric_limits<double>::quiet_NaN(), 0.04};
  EXPECT_EQ(holm(p)[0], 0.02);
  EXPECT_TRUE(std::isnan(holm(p)[1]));
  EXPECT_EQ(holm(p)[2], 0.04);
  EXPECT_EQ(bonferroni(p)[2], 0.08);
}

TEST(Multiple, AnEmptyFamilyStaysEmptyAndASingleTestIsItself) {
  EXPECT_TRUE(holm({}).empty());
  EXPECT_TRUE(bonferroni({}).empty());
  EXPECT_EQ(holm(std::array{0.03})[0], 0.03);
}

}  // namespace
}  // namespace moesweep::stats
