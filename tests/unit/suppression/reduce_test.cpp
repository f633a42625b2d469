#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/suppression/reduce.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::suppression {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const ReduceOptions options{.label_names = {"APPROVE", "REVISE", "VETO"},
                            .forbidden_truth = "VETO",
                            .forbidden_predicted = "APPROVE",
                            .replicates = 400};

records::PredictionRow without(std::int64_t seed, const std::string& predicted) {
  return {"2bit", "mlp", "L1", "mean", seed, predicted};
}

records::SuppressedPredictionRow with(std::int64_t seed, const std::string& predicted) {
  return {"2bit", "mlp", "L1", "mean", "hard_mask", 0.5, seed, predicted};
}

records::SuppressionSettingRow setting(const std::string& pooling, const std::string& no_op) {
  records::SuppressionSettingRow row;
  row.variant = "2bit";
  row.layer = "L1";
  row.pooling = pooling;
  row.mode = "hard_mask";
  row.parameter = 0.5;
  row.structural_no_op = no_op.empty() ? 0 : 1;
  row.reason = no_op;
  return row;
}

/// One train and four test samples, two seeds. Accuracy: d = 1, 0, 0, -1/2; forbidden errors of
/// the two VETO samples: d = -1, 0.
ReduceInput small_case() {
  return {.samples = {{0, "a", "VETO", "train", ""},
                      {1, "b", "VETO", "test", ""},
                      {2, "c", "VETO", "test", ""},
                      {3, "d", "APPROVE", "test", ""},
                      {4, "e", "REVISE", "test", ""}},
          .without = {without(0, "00201"), without(1, "00001")},
          .with = {with(0, "22200"), with(1, "22001")},
          .settings = {setting("mean", "")}};
}

TEST(Reduce, ThePrimaryEffectIsOverSamples) {
  const auto reduced = reduce(small_case(), options);
  ASSERT_THAT(reduced.tests, SizeIs(2));
  const auto& row = reduced.tests[0];
  EXPECT_EQ(row.measure, "accuracy");
  EXPECT_EQ(row.seeds, 2);
  EXPECT_EQ(row.samples, 4);
  EXPECT_EQ(row.clusters, 4);
  EXPECT_DOUBLE_EQ(row.effect, 0.125);
  EXPECT_NEAR(row.se_samples, std::sqrt(1.1875 / 3.0 / 4.0), 1e-15);
  EXPECT_NEAR(row.t, 0.125 / std::sqrt(1.1875 / 12.0), 1e-14);
  EXPECT_NEAR(row.p, 0.7176, 2e-4);
  EXPECT_GE(row.low, -0.5);
  EXPECT_LE(row.low, row.effect);
  EXPECT_LE(row.effect, row.high);
  EXPECT_LE(row.high, 1.0);
  EXPECT_EQ(row.reason, "");
}

TEST(Reduce, ForbiddenErrorsAreCountedOverTheForbiddenTruth) {
  const auto row = reduce(small_case(), options).tests[1];
  EXPECT_EQ(row.measure, "forbidden");
  EXPECT_EQ(row.samples, 2);
  EXPECT_DOUBLE_EQ(row.effect, -0.5);
  EXPECT_DOUBLE_EQ(row.t, -1.0);
  EXPECT_NEAR(row.p, 0.5, 1e-12);
}

TEST(Reduce, AnEffectWithoutSpreadIsNotTested) {
  auto input = small_case();
  for (std::size_t s = 0; s < input.with.size(); ++s) {
    input.with[s].predicted = input.without[s].predicted;
  }
  const auto tests = reduce(input, options).tests;
  for (const auto& row : tests) {
    EXPECT_EQ(row.effect, 0.0);
    EXPECT_TRUE(std::isnan(row.se_samples));
    EXPECT_TRUE(std::isnan(row.p));
    EXPECT_TRUE(std::isnan(row.p_holm));
    EXPECT_TRUE(std::isnan(row.low));
    EXPECT_TRUE(std::isnan(row.se_seeds));
    EXPECT_TRUE(std::isnan(row.p_seeds_t));
    EXPECT_EQ(row.reason, "no sample changed: there is no spread to test by");
  }
}

TEST(Reduce, StatisticsOverSeedsStandApart) {
  // Both seeds right on 3 of 4 with suppression; without it, 3 and 2.
  const auto row = reduce(small_case(), options).tests[0];
  EXPECT_DOUBLE_EQ(row.se_seeds, 0.125);
  EXPECT_NEAR(row.p_seeds_t, 0.5, 1e-12);
  EXPECT_GT(row.p_seeds_wilcoxon, 0.0);
}

TEST(Reduce, McNemarComparesTheMajorityVotes) {
  // Ties go to VETO, else to REVISE: the votes are 0 2 0 1 without and 2 2 0 1 with suppression.
  EXPECT_DOUBLE_EQ(reduce(small_case(), options).tests[0].p_mcnemar, 1.0);
  auto input = small_case();
  // Six more samples that only the suppressed heads get right: 7 to 0.
  for (std::int64_t i = 5; i < 11; ++i) {
    input.samples.push_back({i, std::to_string(i), "REVISE", "test", ""});
    for (auto& row : input.without) row.predicted.push_back('0');
    for (auto& row : input.with) row.predicted.push_back('1');
  }
  EXPECT_DOUBLE_EQ(reduce(input, options).tests[0].p_mcnemar, 2.0 / 128.0);
}

TEST(Reduce, EachSeedIsPairedWithItself) {
  const auto pairs = reduce(small_case(), options).pairs;
  ASSERT_THAT(pairs, SizeIs(2));
  EXPECT_EQ(pairs[0].seed, 0);
  EXPECT_DOUBLE_EQ(pairs[0].accuracy_without, 0.75);
  EXPECT_DOUBLE_EQ(pairs[0].accuracy_with, 0.75);
  EXPECT_EQ(pairs[0].forbidden_without, 1);
  EXPECT_EQ(pairs[0].forbidden_with, 0);
  EXPECT_EQ(pairs[1].seed, 1);
  EXPECT_DOUBLE_EQ(pairs[1].accuracy_without, 0.5);
  EXPECT_DOUBLE_EQ(pairs[1].accuracy_with, 0.75);
  EXPECT_EQ(pairs[1].forbidden_without, 2);
  EXPECT_EQ(pairs[1].forbidden_with, 1);
}

TEST(Reduce, SamplesOfOneClusterCountAsOne) {
  // Influence values of the clusters {b, e} and {c, d}: 0.25 and 0.
  auto input = small_case();
  for (auto& sample : input.samples) {
    sample.cluster = sample.sample == 1 || sample.sample == 4 ? "x" : "y";
  }
  const auto row = reduce(input, options).tests[0];
  EXPECT_EQ(row.clusters, 2);
  EXPECT_DOUBLE_EQ(row.effect, 0.125);
  EXPECT_DOUBLE_EQ(row.se_samples, 0.125);
  EXPECT_NEAR(row.p, 0.5, 1e-12);
}

TEST(Reduce, CopiesOfASampleInItsClusterAddNoCertainty) {
  auto input = small_case();
  for (std::int64_t i = 0; i < 5; ++i) {
    auto copy = input.samples[static_cast<std::size_t>(i)];
    copy.sample = i + 5;
    copy.cluster = input.samples[static_cast<std::size_t>(i)].cluster = copy.sample_id;
    input.samples.push_back(copy);
  }
  for (auto& row : input.without) row.predicted += row.predicted;
  for (auto& row : input.with) row.predicted += row.predicted;
  const auto expected = reduce(small_case(), options).tests[0];
  const auto row = reduce(input, options).tests[0];
  EXPECT_EQ(row.samples, 8);
  EXPECT_EQ(row.clusters, 4);
  EXPECT_NEAR(row.se_samples, expected.se_samples, 1e-15);
  EXPECT_NEAR(row.p, expected.p, 1e-12);
  EXPECT_DOUBLE_EQ(row.low, expected.low);
}

TEST(Reduce, HolmIsOverAllRowsOfTheTable) {
  const auto tests = reduce(small_case(), options).tests;
  EXPECT_DOUBLE_EQ(tests[1].p_holm, 1.0);
  EXPECT_DOUBLE_EQ(tests[0].p_holm, 1.0);
  auto alone = options;
  alone.forbidden_truth.clear();
  const auto single = reduce(small_case(), alone).tests;
  ASSERT_THAT(single, SizeIs(1));
  EXPECT_DOUBLE_EQ(single[0].p_holm, single[0].p);
}

TEST(Reduce, AStructuralNoOpIsNeverAResult) {
  auto input = small_case();
  input.settings.push_back(setting("last_token", "outside every span"));
  for (std::int64_t seed = 0; seed < 2; ++seed) {
    input.without.push_back({"2bit", "mlp", "L1", "last_token", seed, "00201"});
    input.with.push_back({"2bit", "mlp", "L1", "last_token", "hard_mask", 0.5, seed, "22222"});
  }
  const auto reduced = reduce(input, options);
  EXPECT_THAT(reduced.pairs, SizeIs(2));
  ASSERT_THAT(reduced.tests, SizeIs(4));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(reduced.tests[i].pooling, "last_token");
    EXPECT_EQ(reduced.tests[i].head, "mlp");
    EXPECT_EQ(reduced.tests[i].reason, "structural no-op: outside every span");
    EXPECT_TRUE(std::isnan(reduced.tests[i].effect));
    EXPECT_TRUE(std::isnan(reduced.tests[i].p));
    EXPECT_TRUE(std::isnan(reduced.tests[i].p_holm));
  }
  EXPECT_DOUBLE_EQ(reduced.tests[2].p_holm, reduce(small_case(), options).tests[0].p_holm);
}

TEST(Reduce, ASettingWithoutHeadsIsNamed) {
  auto input = small_case();
  input.with.clear();
  const auto reduced = reduce(input, options);
  ASSERT_THAT(reduced.tests, SizeIs(2));
  EXPECT_EQ(reduced.tests[0].head, "mlp");
  EXPECT_THAT(reduced.tests[0].reason, HasSubstr("no seed was trained"));
  EXPECT_TRUE(std::isnan(reduced.tests[0].p));
}

TEST(Reduce, SeedsWithoutAPartnerAreLeftOutAndCounted) {
  auto input = small_case();
  input.with.push_back(with(7, "22222"));
  const auto row = reduce(input, options).tests[0];
  EXPECT_EQ(row.seeds, 2);
  EXPECT_DOUBLE_EQ(row.effect, 0.125);
  EXPECT_EQ(row.reason, "1 seeds without a partner are left out");
}

TEST(Reduce, TheOrderOfTheRowsDoesNotMatter) {
  auto reversed = small_case();
  std::reverse(reversed.samples.begin(), reversed.samples.end());
  std::reverse(reversed.without.begin(), reversed.without.end());
  std::reverse(reversed.with.begin(), reversed.with.end());
  const auto row = reduce(reversed, options).tests[0];
  const auto expected = reduce(small_case(), options).tests[0];
  EXPECT_EQ(row.p, expected.p);
  EXPECT_EQ(row.low, expected.low);
  EXPECT_EQ(row.high, expected.high);
}

TEST(Reduce, AnUnknownForbiddenClassIsRefused) {
  auto wrong = options;
  wrong.forbidden_predicted = "ACCEPT";
  EXPECT_THAT([&] { reduce(small_case(), wrong); },
              testing::ThrowsMessage<Error>(HasSubstr("no class is called \"ACCEPT\"")));
}

}  // namespace
}  // namespace moesweep::suppression
