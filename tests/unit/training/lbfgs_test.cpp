#include "lbfgs.hpp"

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace moesweep::training {
namespace {

/// Sum of scale_i (x_i - i)^2 / 2 with scales over six orders of magnitude.
double stretched_bowl(std::span<const double> at, std::span<double> gradient) {
  double value = 0.0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double scale = std::pow(10.0, static_cast<double>(i % 7));
    const double off = at[i] - static_cast<double>(i);
    value += 0.5 * scale * off * off;
    gradient[i] = scale * off;
  }
  return value;
}

TEST(Lbfgs, FindsTheBottomOfAStretchedBowl) {
  const auto minimum = minimize(stretched_bowl, std::vector<double>(20, 0.0), {});
  EXPECT_TRUE(minimum.converged);
  EXPECT_LE(minimum.gradient_norm, 1e-6);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(minimum.at[i], static_cast<double>(i), 1e-6);
  }
}

TEST(Lbfgs, AStartAtTheMinimumIsKept) {
  const auto minimum = minimize(stretched_bowl, {0.0, 1.0, 2.0}, {});
  EXPECT_TRUE(minimum.converged);
  EXPECT_EQ(minimum.iterations, 0);
  EXPECT_EQ(minimum.at, (std::vector<double>{0.0, 1.0, 2.0}));
}

TEST(Lbfgs, StopsAtTheIterationsAllowed) {
  const auto minimum =
      minimize(stretched_bowl, std::vector<double>(20, 0.0), {.max_iterations = 3});
  EXPECT_FALSE(minimum.converged);
  EXPECT_EQ(minimum.iterations, 3);
}

TEST(Lbfgs, AValueThatIsNotANumberIsSteppedBackFrom) {
  // -log(1 - x) + x^2 - 3x has its domain below 1, where the first steps overshoot.
  const auto barrier = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = 1.0 / (1.0 - at[0]) + 2.0 * at[0] - 3.0;
    return at[0] < 1.0 ? -std::log(1.0 - at[0]) + at[0] * at[0] - 3.0 * at[0]
                       : std::numeric_limits<double>::quiet_NaN();
  };
  const auto minimum = minimize(barrier, {-3.0}, {});
  EXPECT_TRUE(minimum.converged);
  // 1 + (2x - 3)(1 - x) = 0, so 2x^2 - 5x + 2 = 0, x = 1/2.
  EXPECT_NEAR(minimum.at[0], 0.5, 1e-6);
}

}  // namespace
}  // namespace moesweep::training
