#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <moesweep/core/base/float16.hpp>

namespace moesweep {
namespace {

TEST(Float16, EveryPatternHasItsDefinedValue) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const int exponent = (half >> 10) & 0x1f;
    const double significand = half & 0x3ff;
    const double sign = (half & 0x8000) != 0 ? -1.0 : 1.0;
    const float value = float_of_half(half);
    if (exponent == 31) {
      EXPECT_FALSE(std::isfinite(value));
      EXPECT_EQ(std::isnan(value), significand != 0.0);
      continue;
    }
    const double expected = exponent == 0 ? std::ldexp(significand, -24)
                                          : std::ldexp(1024.0 + significand, exponent - 25);
    EXPECT_EQ(value, sign * expected) << bits;
    EXPECT_EQ(exact_half(value), half);
  }
}

TEST(Float16, ValuesThatAreNoHalfHaveNone) {
  for (const float value : {65520.0F, 1e30F, 1.0F + 0x1p-11F, 0x1p-25F, 0x1.8p-24F, 1e-40F,
                            std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(exact_half(value), std::nullopt) << value;
  }
  EXPECT_EQ(exact_half(-0.0F), 0x8000);
  EXPECT_EQ(exact_half(std::numeric_limits<float>::infinity()), 0x7c00);
}

}  // namespace
}  // namespace moesweep
