#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/engine/sweep/cost_model.hpp>

namespace moesweep::sweep {
namespace {

Cost cost(std::int64_t bytes, std::int64_t flops, double estimate) {
  return {bytes, flops, 1, estimate};
}

TEST(CostModel, OfEqualUnitsIsTheirMeanTime) {
  CostModel model;
  for (int i = 0; i < 10; ++i) model.expect_unit(cost(100, 1000, 2.0));
  EXPECT_FALSE(model.has_learnt());
  for (const double seconds : {5.0, 6.0, 7.0}) model.settle_unit(cost(100, 1000, 2.0), seconds);
  EXPECT_NEAR(model.left().expected, 7 * 6.0, 0.2);
  EXPECT_NEAR(model.ratio(), 3.0, 0.02);
  EXPECT_EQ(model.measured_seconds(), 18.0);
}

// Long units are bound by arithmetic that is four times slower than estimated, short ones by bytes
// that are as fast: the mean ratio of what is done says nothing of what is left.
TEST(CostModel, TellsShortUnitsFromLongOnes) {
  CostModel model;
  const auto unit = [](int i) {
    const double flops = 4000.0 / (1 + i % 7) - (i < 100 ? 0.0 : 500.0);
    const double bytes = 300.0 + 10.0 * (i % 5);
    return std::pair{cost(static_cast<std::int64_t>(bytes), static_cast<std::int64_t>(flops),
                          0.001 * bytes + 0.0005 * flops),
                     0.001 * bytes + 0.002 * flops};
  };
  double left = 0.0;
  for (int i = 0; i < 200; ++i) {
    model.expect_unit(unit(i).first);
    if (i >= 100) left += unit(i).second;
  }
  for (int i = 0; i < 100; ++i) model.settle_unit(unit(i).first, unit(i).second);
  EXPECT_NEAR(model.left().expected, left, 0.03 * left);
}

TEST(CostModel, NeverForetellsLessThanNothing) {
  CostModel model;
  for (int i = 1; i <= 40; ++i) model.expect_unit(cost(i, 1000 / i, 1.0));
  // The more bytes the shorter: a free fit would cross zero.
  for (int i = 1; i <= 20; ++i) model.settle_unit(cost(i, 1000 / i, 1.0), 10.0 - 0.4 * i);
  EXPECT_GT(model.left().expected, 0.0);
}

TEST(CostModel, FailedUnitsTeachNothingButAreSettled) {
  CostModel model;
  for (int i = 0; i < 4; ++i) model.expect_unit(cost(1, 1, 1.0));
  model.settle_unit(cost(1, 1, 1.0), std::nullopt);
  EXPECT_FALSE(model.has_learnt());
  model.settle_unit(cost(1, 1, 1.0), 3.0);
  EXPECT_NEAR(model.left().expected, 6.0, 0.1);
}

TEST(CostModel, LateUnitsCountMoreThanEarlyOnes) {
  CostModel model;
  for (int i = 0; i < 1000; ++i) model.expect_unit(cost(1, 1, 1.0));
  for (int i = 0; i < 400; ++i) model.settle_unit(cost(1, 1, 1.0), i < 200 ? 9.0 : 3.0);
  EXPECT_NEAR(model.left().expected, 600 * 3.0, 0.35 * 600 * 3.0);
}

TEST(CostModel, ErrorGrowsWithScatter) {
  const auto error_of = [](double scatter) {
    CostModel model;
    for (int i = 0; i < 100; ++i) model.expect_unit(cost(1, 1, 1.0));
    for (int i = 0; i < 50; ++i)
      model.settle_unit(cost(1, 1, 1.0), 2.0 + (i % 2 == 0 ? scatter : -scatter));
    return model.left().standard_error;
  };
  EXPECT_LT(error_of(0.01), error_of(0.5));
  // 50 units of sd 0.5, and their mean known from 50: sqrt(50 x 0.25 + 50^2 x 0.25 / 50) = 5.
  EXPECT_NEAR(error_of(0.5), 5.0, 0.8);
}

}  // namespace
}  // namespace moesweep::sweep
