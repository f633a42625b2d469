#include <gtest/gtest.h>

#include <moesweep/engine/launch/time_limit.hpp>

namespace moesweep::launch {
namespace {

TEST(TimeLimit, IsReadAsSbatchReadsIt) {
  EXPECT_EQ(parse_time_limit("90"), 5400);
  EXPECT_EQ(parse_time_limit("1:30"), 90);
  EXPECT_EQ(parse_time_limit("04:00:00"), 14400);
  EXPECT_EQ(parse_time_limit("1-12"), 129600);
  EXPECT_EQ(parse_time_limit("1-12:30"), 131400);
  EXPECT_EQ(parse_time_limit("2-03:04:05"), 183845);
}

TEST(TimeLimit, AnythingElseIsNone) {
  for (const auto* text : {"", "0", "0:00", "x", "1:", ":1", "1-", "-1", "1:2:3:4", "1--2", " 1",
                           "1-2-3", "+1", "UNLIMITED", "99999999999999999999", "400000000:00"}) {
    EXPECT_EQ(parse_time_limit(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace moesweep::launch
