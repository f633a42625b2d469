#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include <moesweep/core/base/cast.hpp>

namespace moesweep {
namespace {

TEST(CheckedCast, KeepsValuesThatFit) {
  EXPECT_EQ(checked_cast<std::int8_t>(127), 127);
  EXPECT_EQ(checked_cast<std::uint64_t>(std::int64_t{5}), 5U);
}

TEST(CheckedCastDeathTest, EndsTheProcessWhenBitsWouldBeLost) {
  EXPECT_DEATH(checked_cast<std::int8_t>(128), "loses bits");
  EXPECT_DEATH(checked_cast<std::uint64_t>(-1), "loses bits");
}

TEST(CheckedProduct, IsNothingWhenItOverflows) {
  EXPECT_EQ(checked_product(std::uint64_t{1} << 32, std::uint64_t{1} << 31),
            std::uint64_t{1} << 63);
  EXPECT_EQ(checked_product(std::uint64_t{1} << 32, std::uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(checked_sum(std::numeric_limits<std::uint64_t>::max(), 1), std::nullopt);
}

}  // namespace
}  // namespace moesweep
