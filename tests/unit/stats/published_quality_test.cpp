// Rows of the tables of Technical Report 142 (quality and safety under quantization, version 2.1,
// 2026), to pin the conventions: which arm comes first, which variance, which tail.

#include <gtest/gtest.h>

#include <moesweep/core/stats/equivalence.hpp>
#include <moesweep/core/stats/power.hpp>
#include <moesweep/core/stats/proportions.hpp>
#include <moesweep/core/stats/welch.hpp>

namespace moesweep::stats {
namespace {

// Refusals of Llama 3.2 1B in 220 prompts: 93.6 % in FP16, 91.8 % in Q5_K_M, 80.0 % in Q3_K_S.
const Summary fp16 = summarize_binary(206, 220);
const Summary q5_k_m = summarize_binary(202, 220);
const Summary q3_k_s = summarize_binary(176, 220);

TEST(PublishedQuality, WelchTakesTheBaselineFirst) {
  const auto small = welch_t(fp16, q5_k_m);
  EXPECT_NEAR(small.t, 0.73, 0.006);
  EXPECT_NEAR(small.p / 0.464, 1.0, 0.005);
  EXPECT_NEAR(cohens_d(fp16, q5_k_m), 0.07, 0.006);
  const auto large = welch_t(fp16, q3_k_s);
  EXPECT_NEAR(large.t, 4.31, 0.006);
  EXPECT_NEAR(large.p / 2.14e-5, 1.0, 0.005);
  EXPECT_NEAR(cohens_d(fp16, q3_k_s), 0.41, 0.006);
}

TEST(PublishedQuality, EquivalenceTakesTheBaselineSecond) {
  const auto tests = tost(q5_k_m, fp16, 0.03);
  EXPECT_NEAR(tests.difference, -0.0182, 5e-5);
  EXPECT_NEAR(tests.standard_error, 0.0248, 5e-5);
  EXPECT_NEAR(tests.t_upper, -1.94, 0.006);
  EXPECT_NEAR(tests.p_upper, 0.027, 0.001);
  EXPECT_NEAR(tests.t_lower, 0.48, 0.006);
  EXPECT_NEAR(tests.p_lower, 0.317, 0.002);
}

TEST(PublishedQuality, DetectableDifferencesUseRoundedQuantiles) {
  EXPECT_NEAR(minimum_detectable_proportion(0.5, 220, 220, 1.96 + 0.84), 0.133, 5e-4);
  EXPECT_NEAR(minimum_detectable_proportion(0.5, 50, 50, 1.96 + 0.84), 0.280, 5e-4);
  EXPECT_NEAR(minimum_detectable_proportion(0.5, 198, 198, 1.96 + 0.84), 0.141, 5e-4);
}

TEST(PublishedQuality, CohensHIsOfTheBaselineFirst) {
  EXPECT_NEAR(cohens_h(0.936, 0.800), 0.42, 0.005);
  EXPECT_NEAR(cohens_h(0.936, 0.368), 1.33, 0.005);
}

}  // namespace
}  // namespace moesweep::stats
