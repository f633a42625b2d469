#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/kernels/moments.hpp>

#include "every_isa.hpp"
#include "samples.hpp"

namespace moesweep::kernels {
namespace {

struct TwoPass {
  long double mean = 0, m2 = 0, m3 = 0, m4 = 0, sum_squares = 0;
};

TwoPass two_pass(const std::vector<float>& values) {
  TwoPass sums;
  for (const float value : values) {
    const long double x = value;
    sums.mean += x;
    sums.sum_squares += x * x;
  }
  sums.mean /= static_cast<long double>(values.size());
  for (const float value : values) {
    const long double x = value - sums.mean;
    sums.m2 += x * x;
    sums.m3 += x * x * x;
    sums.m4 += x * x * x * x;
  }
  return sums;
}

void expect_relative(double actual, long double expected, long double scale, const char* what) {
  EXPECT_LE(std::fabs(static_cast<long double>(actual) - expected), 1e-10L * scale)
      << what << ": " << actual << " instead of " << static_cast<double>(expected);
}

void expect_like_two_pass(const std::vector<float>& values) {
  const TwoPass expected = two_pass(values);
  const Moments moments = moments_of(values);
  ASSERT_EQ(moments.count, static_cast<std::int64_t>(values.size()));
  const auto n = static_cast<long double>(values.size());
  const long double sd = std::sqrt(expected.m2 / n);
  expect_relative(moments.mean, expected.mean, std::fabs(expected.mean) + sd, "mean");
  expect_relative(moments.m2, expected.m2, expected.m2, "m2");
  expect_relative(moments.m3, expected.m3, n * sd * sd * sd, "m3");
  expect_relative(moments.m4, expected.m4, expected.m4, "m4");
  expect_relative(moments.sum_squares, expected.sum_squares, expected.sum_squares, "sum_squares");
  expect_relative(variance(moments), expected.m2 / n, expected.m2 / n, "variance");
  if (expected.m2 > 0) {
    const long double kurtosis = n * expected.m4 / (expected.m2 * expected.m2);
    expect_relative(excess_kurtosis(moments), kurtosis - 3, kurtosis, "excess kurtosis");
  }
}

TEST(Moments, AgreeWithTwoPassesInLongDoubleOnEveryIsa) {
  on_every_isa([] {
    for (const Sample& sample : finite_samples()) {
      for (const std::size_t count : {1U, 2U, 31U, 4096U, 4097U, 50000U}) {
        SCOPED_TRACE(sample.name + " x " + std::to_string(count));
        expect_like_two_pass(sample.values(count));
      }
    }
  });
}

TEST(Moments, AnOutlierInFrontCostsNoDigits) {
  on_every_isa([] {
    std::mt19937_64 random(3);
    std::vector<float> values(20000);
    for (float& value : values) value = gaussian(random);
    values[0] = 1e6F;
    expect_like_two_pass(values);
  });
}

// Where power sums about 0 just do, and just do not any more.
TEST(Moments, AMeanNearTheDeviationCostsNoDigits) {
  on_every_isa([] {
    for (const float mean : {0.5F, 0.95F, -0.99F, 1.0F, -1.01F, 1.05F, 4.0F, -1000.0F}) {
      SCOPED_TRACE(mean);
      std::mt19937_64 random(17);
      std::vector<float> values(3 * 4096);
      for (float& value : values) value = 0.25F * (mean + gaussian(random));
      expect_like_two_pass(values);
    }
  });
}

TEST(Moments, EqualValuesHaveExactlyNoSpread) {
  on_every_isa([] {
    for (const float value : {0.1F, -3.3e37F, 1e-44F, 0.0F}) {
      for (const std::size_t count : {1U, 7U, 100U, 4095U, 4097U, 12345U}) {
        const Moments moments = moments_of(std::vector<float>(count, value));
        EXPECT_EQ(moments.mean, double{value});
        EXPECT_EQ(moments.m2, 0.0);
        EXPECT_EQ(moments.m3, 0.0);
        EXPECT_EQ(moments.m4, 0.0);
        EXPECT_EQ(excess_kurtosis(moments), 0.0);
        EXPECT_EQ(moments.minimum, double{value});
        EXPECT_EQ(moments.maximum, double{value});
      }
    }
  });
}

TEST(Moments, ExtremesAreFoundAtEveryPosition) {
  on_every_isa([] {
    for (std::size_t i = 0; i < 40; ++i) {
      std::vector<float> values(40, 1.0F);
      values[i] = -5.0F;
      values[(i + 1) % 40] = 9.0F;
      const Moments moments = moments_of(values);
      EXPECT_EQ(moments.minimum, -5.0);
      EXPECT_EQ(moments.maximum, 9.0);
    }
  });
}

TEST(Moments, BitsDoNotDependOnAlignment) {
  on_every_isa([] {
    const auto values = finite_samples()[0].values(5000);
    const Moments reference = moments_of(values);
    for (std::size_t shift = 1; shift < 16; ++shift) {
      const auto shifted = shifted_by(shift, values);
      const Moments moments = moments_of(std::span<const float>(shifted).subspan(shift));
      EXPECT_EQ(std::bit_cast<std::uint64_t>(moments.m2),
                std::bit_cast<std::uint64_t>(reference.m2));
      EXPECT_EQ(std::bit_cast<std::uint64_t>(moments.m4),
                std::bit_cast<std::uint64_t>(reference.m4));
      EXPECT_EQ(std::bit_cast<std::uint64_t>(moments.sum_squares),
                std::bit_cast<std::uint64_t>(reference.sum_squares));
    }
  });
}

TEST(Moments, PartsMergeToTheWhole) {
  std::mt19937_64 random(11);
  std::vector<float> values(3000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = gaussian(random) + (i < 700 ? 50.0F : 0.0F);
  }
  const std::span<const float> all(values);
  const Moments merged = merge(merge(moments_of(all.first(700)), moments_of(all.subspan(700, 11))),
                               moments_of(all.subspan(711)));
  const TwoPass expected = two_pass(values);
  EXPECT_EQ(merged.count, 3000);
  expect_relative(merged.mean, expected.mean, expected.mean, "mean");
  expect_relative(merged.m2, expected.m2, expected.m2, "m2");
  expect_relative(merged.m3, expected.m3, std::fabs(expected.m3), "m3");
  expect_relative(merged.m4, expected.m4, expected.m4, "m4");
}

TEST(Moments, NothingMergesAsNeutral) {
  const Moments some = moments_of(std::vector<float>{-2.0F, 5.0F});
  for (const Moments& merged : {merge(some, Moments{}), merge(Moments{}, some)}) {
    EXPECT_EQ(merged.count, 2);
    EXPECT_EQ(merged.mean, 1.5);
    EXPECT_EQ(merged.m2, 24.5);
    EXPECT_EQ(merged.minimum, -2.0);
    EXPECT_EQ(merged.maximum, 5.0);
  }
  EXPECT_EQ(moments_of({}).count, 0);
  EXPECT_EQ(variance(Moments{}), 0.0);
  EXPECT_EQ(excess_kurtosis(Moments{}), 0.0);
  EXPECT_EQ(noise_amplification(Moments{}), 0.0);
}

TEST(Moments, ShapesOfKnownDistributions) {
  // Two equal points: m4 = m2^2, so kurtosis 1. One of four apart: p = 1/4, (1-3p(1-p))/(p(1-p)).
  EXPECT_DOUBLE_EQ(excess_kurtosis(moments_of(std::vector<float>{-1, 1, 1, -1})), -2.0);
  EXPECT_NEAR(excess_kurtosis(moments_of(std::vector<float>{0, 0, 0, 1})), 7.0 / 3.0 - 3.0, 1e-14);
  // Range 2, rms 1.
  EXPECT_DOUBLE_EQ(noise_amplification(moments_of(std::vector<float>{-1, 1})),
                   2.0 / (16.0 * std::sqrt(12.0)));
  EXPECT_EQ(noise_amplification(moments_of(std::vector<float>(9, 0.0F))), 0.0);
}

}  // namespace
}  // namespace moesweep::kernels
