#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/records/sensitivity.hpp>

namespace moesweep::sensitivity {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

MatrixView matrix(std::int64_t rows = 64, std::int64_t columns = 64) {
  return {.slices = 1, .rows = rows, .columns = columns, .skipped_because = {}};
}

Options patterns() {
  Options options;
  options.protected_patterns = {"embed_tokens"};
  options.sensitive_patterns = {"o_proj"};
  return options;
}

TEST(DecideBits, VectorsKeep16BeforeAnythingElse) {
  const auto decision =
      decide_bits("model.embed_tokens", {.skipped_because = "1-D"}, 0.0, patterns());
  EXPECT_EQ(decision.bits, 16);
  EXPECT_EQ(decision.reason, "1-D");
}

TEST(DecideBits, SmallMatricesKeep16) {
  EXPECT_EQ(decide_bits("w", matrix(31, 33), 0.0, patterns()).bits, 16);
  EXPECT_EQ(decide_bits("w", matrix(31, 33), 0.0, patterns()).reason, "fewer than 1,024 weights");
  EXPECT_EQ(decide_bits("w", matrix(32, 32), 0.0, patterns()).bits, 2);
}

TEST(DecideBits, ProtectedNamesKeep16WhateverTheCase) {
  const auto decision = decide_bits("model.Embed_Tokens.weight", matrix(), 0.0, patterns());
  EXPECT_EQ(decision.bits, 16);
  EXPECT_EQ(decision.reason, "protected pattern \"embed_tokens\"");
}

TEST(DecideBits, UnmeasuredCompositeKeeps16) {
  const auto decision = decide_bits("w", matrix(), not_a_number, patterns());
  EXPECT_EQ(decision.bits, 16);
  EXPECT_EQ(decision.reason, "composite not measured");
}

TEST(DecideBits, HighCompositeBeatsASensitiveName) {
  EXPECT_EQ(decide_bits("o_proj", matrix(), 0.90, patterns()).bits, 16);
  EXPECT_EQ(decide_bits("w", matrix(), 0.90, patterns()).bits, 16);
}

TEST(DecideBits, SensitiveNamesGet8BelowTheTopThreshold) {
  for (const double composite : {0.0, 0.5, 0.89}) {
    const auto decision = decide_bits("a.O_proj.weight", matrix(), composite, patterns());
    EXPECT_EQ(decision.bits, 8);
    EXPECT_EQ(decision.reason, "sensitive pattern \"o_proj\"");
  }
}

TEST(DecideBits, ThresholdsIncludeTheirValue) {
  const auto bits = [](double composite) {
    return decide_bits("w", matrix(), composite, Options{}).bits;
  };
  EXPECT_EQ(bits(0.0), 2);
  EXPECT_EQ(bits(0.10), 2);
  EXPECT_EQ(bits(0.1000001), 4);
  EXPECT_EQ(bits(0.6499999), 4);
  EXPECT_EQ(bits(0.65), 8);
  EXPECT_EQ(bits(0.8999999), 8);
  EXPECT_EQ(bits(0.90), 16);
  EXPECT_EQ(bits(1.0), 16);
}

TEST(DecideBits, ThresholdsComeFromTheOptions) {
  Options options;
  options.thresholds = {.bits2 = 0.3, .bits8 = 0.4, .bits16 = 0.5};
  EXPECT_EQ(decide_bits("w", matrix(), 0.3, options).bits, 2);
  EXPECT_EQ(decide_bits("w", matrix(), 0.35, options).bits, 4);
  EXPECT_EQ(decide_bits("w", matrix(), 0.45, options).bits, 8);
  EXPECT_EQ(decide_bits("w", matrix(), 0.55, options).bits, 16);
}

TEST(Scores, FollowThePublishedFormulas) {
  EXPECT_DOUBLE_EQ(score_svd(0.5), 0.5);
  EXPECT_DOUBLE_EQ(score_kurtosis(2.5), 0.25);
  EXPECT_DOUBLE_EQ(score_noise(1.0), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(score_noise(0.1), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(score_error(0.0275), 0.5);
}

TEST(Scores, AreClippedToTheUnitInterval) {
  EXPECT_EQ(score_svd(0.05), 0.0);
  EXPECT_EQ(score_svd(0.95), 1.0);
  EXPECT_EQ(score_kurtosis(-1.2), 0.0);
  EXPECT_EQ(score_kurtosis(400.0), 1.0);
  EXPECT_EQ(score_noise(0.0), 0.0);
  EXPECT_EQ(score_noise(1e-3), 0.0);
  EXPECT_EQ(score_noise(1e9), 1.0);
  EXPECT_EQ(score_error(0.001), 0.0);
  EXPECT_EQ(score_error(0.1), 1.0);
}

TEST(Scores, OfWhatWasNotMeasuredAreNotNumbers) {
  for (const auto score : {score_svd, score_kurtosis, score_noise, score_error}) {
    EXPECT_TRUE(std::isnan(score(not_a_number)));
  }
}

}  // namespace
}  // namespace moesweep::sensitivity
