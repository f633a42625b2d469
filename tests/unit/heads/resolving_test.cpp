#include <gtest/gtest.h>

#include <moesweep/analysis/heads/verdict.hpp>

namespace moesweep::heads {
namespace {

TEST(ResolvingSamples, WithoutDiscordantSamplesTheBoundDecides) {
  // The upper bound is z^2/(n + z^2), z^2 = 2.7055: within 0.02 from n = 132.6 on.
  EXPECT_EQ(resolving_samples(0, 0, 130, 0.02, 0.05), 133);
}

TEST(ResolvingSamples, AnExcessIsResolvedByTheTest) {
  // 3 of 20 grow to 5 discordant ones, p = 1/32, when n is 30 and 4.5 rounds to 5.
  EXPECT_EQ(resolving_samples(3, 0, 20, 0.02, 0.05), 30);
  // At the level of two comparisons p = 1/64 is needed: 5.5 rounds to 6 of n = 36.67.
  EXPECT_EQ(resolving_samples(3, 0, 20, 0.02, 0.025), 37);
}

TEST(ResolvingSamples, ThereIsNoneForAMarginThatCannotBeMet) {
  EXPECT_EQ(resolving_samples(0, 0, 100, 0.0, 0.05), -1);
}

TEST(ResolvingSamples, UpToTenMillionAreFound) {
  // z^2/(n + z^2) <= 2.72e-7 from n = 9.947 million on, beyond the last doubling of 150.
  const auto enough = resolving_samples(0, 0, 150, 2.72e-7, 0.05);
  EXPECT_GT(enough, 9'830'400);
  EXPECT_LT(enough, 10'000'000);
  EXPECT_EQ(resolving_samples(0, 0, 150, 2.70e-7, 0.05), -1);
}

}  // namespace
}  // namespace moesweep::heads
