#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/stats/leave_one_out.hpp>

namespace moesweep::stats {
namespace {

using ::testing::ElementsAre;

/// The indices as the digits of a number.
double digits(std::span<const std::int64_t> indices) {
  std::vector<std::int64_t> sorted(indices.begin(), indices.end());
  std::sort(sorted.begin(), sorted.end());
  double number = 0.0;
  for (const auto index : sorted) number = 10.0 * number + static_cast<double>(index);
  return number;
}

TEST(LeaveOneOut, LeavesOutEachElementInTurn) {
  EXPECT_EQ(statistic_of_all(digits, 4), 123.0);
  EXPECT_THAT(leave_one_out(digits, 3), ElementsAre(12.0, 2.0, 1.0));
  EXPECT_THAT(leave_one_out(digits, 1), ElementsAre(0.0));
  EXPECT_TRUE(leave_one_out(digits, 0).empty());
}

TEST(LeaveOneOut, RangePassesOverNan) {
  const Statistic needs_zero = [](std::span<const std::int64_t> indices) {
    return std::count(indices.begin(), indices.end(), 0) == 0 ? std::nan("") : digits(indices);
  };
  EXPECT_EQ(leave_one_out_range(needs_zero, 3).lo, 1.0);
  EXPECT_EQ(leave_one_out_range(needs_zero, 3).hi, 2.0);
  EXPECT_TRUE(std::isnan(leave_one_out_range(needs_zero, 1).lo));
  EXPECT_TRUE(std::isnan(leave_one_out_range(needs_zero, 0).hi));
}

}  // namespace
}  // namespace moesweep::stats
