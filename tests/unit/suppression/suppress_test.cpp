#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/suppression/suppress.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::suppression {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

constexpr double tau = 0.6;
constexpr double alpha = 1.0;
const Names names{.layer = "L1", .evidence_layer = "L0"};

/// Two samples of 8 tokens with spans of 2 and 3 tokens, two columns. Sample 0 is train; its first
/// span is cited, its second is not, and they differ by (3, 4): u = (0.6, 0.8).
struct Case {
  records::HiddenCacheInfo info;
  training::FeatureMatrix mean{2, 2, {2, 1, 1, 2}};
  training::FeatureMatrix last_token{2, 2, {7, -7, -3, 5}};
  training::FeatureMatrix span_means{4, 2, {1, 0, 4, 4, 5, 0, 0, 10}};
  std::vector<double> scores{1.0, 0.5, 0.25, 0.75};

  Case() {
    info.variant = "2bit";
    info.samples = 2;
    info.spans = 2;
    info.sample_id = {"a", "b"};
    info.split = {0, 2};
    info.label = {0, 2};
    info.cited = {1, 0, 1, 0};
    info.span_tokens = {0, 2, 2, 5, 0, 2, 2, 5};
    info.n_tokens = {8, 8};
  }
  LayerStates states(Pooling pooling) const {
    return {info, pooling == Pooling::last_token ? last_token : mean, span_means, scores};
  }
  Suppressed suppressed(Mode mode, double parameter, Pooling pooling) const {
    return suppress(states(pooling), {mode, parameter, pooling}, names);
  }
  std::vector<float> features(Mode mode, double parameter, Pooling pooling) const {
    return suppressed(mode, parameter, pooling).features.values;
  }
};

TEST(Suppress, SoftMaskScalesSpansUnderMean) {
  EXPECT_THAT(Case().features(Mode::soft_mask, 0.0, Pooling::mean),
              ElementsAre(1.25F, 0.25F, 0.0625F, 1.0625F));
}

TEST(Suppress, SoftMaskScalesSpansUnderEvidenceMean) {
  EXPECT_THAT(Case().features(Mode::soft_mask, 0.0, Pooling::evidence_mean),
              ElementsAre(1.6F, 1.2F, 0.5F, 4.5F));
}

TEST(Suppress, HardMaskTakesTheMeanOfTheTokensThatRemain) {
  EXPECT_THAT(Case().features(Mode::hard_mask, tau, Pooling::mean),
              Pointwise(FloatNear(1e-6F), {0.8F, -0.8F, -1.0F / 3.0F, 8.0F / 3.0F}));
}

TEST(Suppress, HardMaskTakesTheEvidenceMeanOfTheSpansThatRemain) {
  EXPECT_THAT(Case().features(Mode::hard_mask, tau, Pooling::evidence_mean),
              ElementsAre(1.0F, 0.0F, 0.0F, 10.0F));
}

TEST(Suppress, DirectionalTakesTheIrrelevantDirectionOutOfTheMean) {
  EXPECT_THAT(Case().features(Mode::directional, alpha, Pooling::mean),
              Pointwise(FloatNear(1e-6F), {1.37F, 0.16F, 0.2125F, 0.95F}));
}

TEST(Suppress, DirectionalTakesTheIrrelevantDirectionOutOfTheEvidenceMean) {
  EXPECT_THAT(Case().features(Mode::directional, alpha, Pooling::evidence_mean),
              Pointwise(FloatNear(1e-6F), {1.792F, 1.056F, 0.74F, 4.32F}));
}

TEST(Suppress, CountsWhatItDid) {
  const auto counts = Case().suppressed(Mode::hard_mask, 0.8, Pooling::mean).counts;
  EXPECT_EQ(counts.variant, "2bit");
  EXPECT_EQ(counts.layer, "L1");
  EXPECT_EQ(counts.evidence_layer, "L0");
  EXPECT_EQ(counts.mode, "hard_mask");
  EXPECT_EQ(counts.pooling, "mean");
  EXPECT_EQ(counts.parameter, 0.8);
  EXPECT_EQ(counts.spans, 4);
  EXPECT_EQ(counts.spans_dropped, 1);
  EXPECT_EQ(counts.samples_all_dropped, 1);
  EXPECT_EQ(counts.values_changed, 2);
  EXPECT_EQ(counts.structural_no_op, 0);
  EXPECT_EQ(counts.reason, "");
}

TEST(Suppress, ASampleThatWouldLoseEverySpanIsLeftAsItIs) {
  for (const Pooling pooling : {Pooling::mean, Pooling::evidence_mean}) {
    const auto all = Case().suppressed(Mode::hard_mask, 0.8, pooling).features;
    const auto baseline = baseline_features(Case().states(pooling), pooling);
    EXPECT_THAT(all.row(1), testing::ElementsAreArray(baseline.row(1)));
  }
}

TEST(Suppress, LastTokenOutsideEverySpanIsAStructuralNoOpByName) {
  for (const Mode mode : {Mode::soft_mask, Mode::hard_mask, Mode::directional}) {
    const auto suppressed = Case().suppressed(mode, 0.6, Pooling::last_token);
    EXPECT_EQ(suppressed.features.values, Case().last_token.values);
    EXPECT_EQ(suppressed.counts.values_changed, 0);
    EXPECT_EQ(suppressed.counts.structural_no_op, 1);
    EXPECT_EQ(suppressed.counts.reason,
              "last_token lies in the action, outside every span: span suppression cannot change "
              "it");
  }
}

TEST(Suppress, ALastTokenInsideASpanChangesAsAnyToken) {
  Case inside;
  inside.info.n_tokens = {5, 8};
  EXPECT_THAT(inside.features(Mode::soft_mask, 0.0, Pooling::last_token),
              ElementsAre(3.5F, -3.5F, -3.0F, 5.0F));
  // (7, -7).u = -1.4, half of it is taken along u.
  EXPECT_THAT(inside.features(Mode::directional, alpha, Pooling::last_token),
              Pointwise(FloatNear(1e-6F), {7.42F, -6.44F, -3.0F, 5.0F}));
  EXPECT_THAT([&] { inside.features(Mode::hard_mask, tau, Pooling::last_token); },
              testing::ThrowsMessage<Error>(HasSubstr("2bit, sample a")));
}

TEST(Suppress, TauOfZeroDropsNothing) {
  for (const Pooling pooling : {Pooling::mean, Pooling::evidence_mean}) {
    const auto suppressed = Case().suppressed(Mode::hard_mask, 0.0, pooling);
    EXPECT_EQ(suppressed.counts.spans_dropped, 0);
    EXPECT_EQ(suppressed.counts.structural_no_op, 1);
    EXPECT_EQ(suppressed.counts.reason, "no span scores below tau: none was dropped");
  }
}

TEST(Suppress, AlphaOfZeroChangesNothing) {
  for (const Pooling pooling : {Pooling::mean, Pooling::evidence_mean}) {
    const auto suppressed = Case().suppressed(Mode::directional, 0.0, pooling);
    EXPECT_EQ(suppressed.counts.structural_no_op, 1);
    EXPECT_EQ(suppressed.counts.reason, "alpha is 0: nothing is taken away");
  }
}

TEST(Suppress, TheDirectionIsLearntFromTheTrainSplitAlone) {
  Case other;
  other.info.cited = {1, 0, 0, 1};
  EXPECT_EQ(other.features(Mode::directional, alpha, Pooling::mean),
            Case().features(Mode::directional, alpha, Pooling::mean));
}

TEST(Suppress, EqualMeansGiveNoDirection) {
  Case same;
  same.span_means.values = {4, 4, 4, 4, 5, 0, 0, 10};
  const auto counts = same.suppressed(Mode::directional, alpha, Pooling::mean).counts;
  EXPECT_EQ(counts.structural_no_op, 1);
  EXPECT_THAT(counts.reason, HasSubstr("there is no direction"));
}

TEST(Suppress, ASpanThatIsNotThereIsIgnored) {
  Case absent;
  absent.info.span_tokens = {0, 2, 2, 5, 0, 0, 2, 5};
  const auto suppressed = absent.suppressed(Mode::soft_mask, 0.0, Pooling::mean);
  EXPECT_EQ(suppressed.counts.spans, 3);
  EXPECT_THAT(suppressed.features.row(1), ElementsAre(1.0F, 1.0625F));
}

TEST(Suppress, DirectionalWithoutUncitedTrainSpansIsRefused) {
  Case cited;
  cited.info.cited = {1, 1, 1, 0};
  EXPECT_THAT([&] { cited.features(Mode::directional, alpha, Pooling::mean); },
              testing::ThrowsMessage<Error>(HasSubstr("2bit: the train split has no uncited")));
}

TEST(Suppress, SpansLongerThanTheirSampleAreRefused) {
  Case overlong;
  overlong.info.n_tokens = {4, 8};
  EXPECT_THAT([&] { overlong.features(Mode::soft_mask, 0.0, Pooling::mean); },
              testing::ThrowsMessage<Error>(HasSubstr("sample a: its spans have 5 tokens")));
}

TEST(Suppress, NamesAreReadBack) {
  for (const Mode mode : {Mode::soft_mask, Mode::hard_mask, Mode::directional}) {
    EXPECT_EQ(parse_mode(mode_name(mode)), mode);
  }
  for (const Pooling pooling : {Pooling::last_token, Pooling::mean, Pooling::evidence_mean}) {
    EXPECT_EQ(parse_pooling(pooling_name(pooling)), pooling);
  }
  EXPECT_FALSE(parse_mode("hard"));
  EXPECT_FALSE(parse_pooling("max"));
}

}  // namespace
}  // namespace moesweep::suppression
