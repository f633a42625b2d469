#include <array>

#include <moesweep/stats/roc.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

TEST(RocAuc, AgreesWithScipy) {
  for_each_golden("roc", [](const GoldenCase& golden) {
    const auto positive = golden.cell("positive").get<std::vector<std::int8_t>>();
    EXPECT_TRUE(agrees(roc_auc(golden.numbers("scores"), positive), golden.number("auc")));
  });
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
