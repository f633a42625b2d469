#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/probes/probe.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::probes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const ProbePlace place{"2bit", "L1", 1, "decision", "mean"};

/// Four train, one calibration and three test rows on a line; class 1 lies right of 0. The last
/// test row is on the wrong side.
ProbeData line() {
  return {.features = {8, 1, {-2, -1, 1, 3, 2, -3, 2, 1}},
          .labels = {0, 0, 1, 1, 1, 0, 1, 0},
          .split = {0, 0, 0, 0, 1, 2, 2, 2},
          .group = {0, 1, 2, 3, 4, 5, 6, 7},
          .classes = 2};
}

class EveryProbe : public testing::TestWithParam<ProbeKind> {};

TEST_P(EveryProbe, PredictsEverySplitFromTheTrainRows) {
  const auto result = run_probe(line(), place, {.kind = GetParam()});
  EXPECT_TRUE(result.converged);
  ASSERT_THAT(result.layers, SizeIs(3));
  const auto& train = result.layers[0];
  EXPECT_EQ(train.split, "train");
  EXPECT_EQ(train.accuracy, 1.0);
  EXPECT_TRUE(std::isnan(train.accuracy_se)) << "all right: nothing says how wrong others may be";
  const auto& test = result.layers[2];
  EXPECT_EQ(test.variant, "2bit");
  EXPECT_EQ(test.layer, "L1");
  EXPECT_EQ(test.layer_index, 1);
  EXPECT_EQ(test.skill, "decision");
  EXPECT_EQ(test.pooling, "mean");
  EXPECT_EQ(test.probe, probe_name(GetParam()));
  EXPECT_EQ(test.split, "test");
  EXPECT_EQ(test.samples, 3);
  EXPECT_DOUBLE_EQ(test.accuracy, 2.0 / 3.0);
  EXPECT_NEAR(test.accuracy_se, std::sqrt(2.0 / 9.0 / 2.0), 1e-15);
  EXPECT_EQ(result.predictions[2].split, "test");
  EXPECT_EQ(result.predictions[2].truth, "010");
  EXPECT_EQ(result.predictions[2].predicted, "011");
}

TEST_P(EveryProbe, ChanceIsTheMostFrequentTrainClass) {
  auto data = line();
  data.labels = {0, 0, 0, 1, 1, 0, 1, 0};
  const auto result = run_probe(data, place, {.kind = GetParam()});
  EXPECT_DOUBLE_EQ(result.layers[0].majority, 0.75);
  EXPECT_DOUBLE_EQ(result.layers[1].majority, 0.0);
  EXPECT_DOUBLE_EQ(result.layers[2].majority, 2.0 / 3.0);
}

TEST_P(EveryProbe, RowsLeftOutTeachNothingAndAreNotCounted) {
  auto data = line();
  data.features.values.push_back(1e6F);
  data.features.rows = 9;
  data.labels.push_back(0);
  data.split.push_back(-1);
  data.group.push_back(8);
  const auto result = run_probe(data, place, {.kind = GetParam()});
  const auto expected = run_probe(line(), place, {.kind = GetParam()});
  ASSERT_THAT(result.layers, SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(result.layers[i].samples, expected.layers[i].samples);
    EXPECT_EQ(result.predictions[i].predicted, expected.predictions[i].predicted);
  }
}

TEST_P(EveryProbe, ScalesOfTheFeaturesDoNotMatter) {
  auto data = line();
  for (float& value : data.features.values) value = 1024.0F * value + 4096.0F;
  EXPECT_EQ(run_probe(data, place, {.kind = GetParam()}).predictions[2].predicted, "011");
}

TEST_P(EveryProbe, ASingleTrainClassIsRefused) {
  auto data = line();
  data.labels = {1, 1, 1, 1, 1, 0, 1, 0};
  EXPECT_THAT([&] { run_probe(data, place, {.kind = GetParam()}); },
              testing::ThrowsMessage<Error>(
                  HasSubstr("2bit, skill decision: its train split has fewer than two classes")));
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryProbe, testing::Values(ProbeKind::logistic, ProbeKind::ridge),
                         [](const auto& kind) { return std::string(probe_name(kind.param)); });

TEST(Probe, OnlyLogisticHasALoss) {
  EXPECT_GT(run_probe(line(), place, {.kind = ProbeKind::logistic}).layers[2].loss, 0.0);
  EXPECT_TRUE(std::isnan(run_probe(line(), place, {.kind = ProbeKind::ridge}).layers[2].loss));
}

TEST(Probe, RowsOfOneGroupAreNotIndependent) {
  // Test rows right, right, wrong; one group leaves no degree of freedom, two leave one.
  auto data = line();
  data.group = {0, 1, 2, 3, 4, 5, 5, 5};
  EXPECT_TRUE(std::isnan(run_probe(data, place, {}).layers[2].accuracy_se));
  data.group = {0, 1, 2, 3, 4, 5, 5, 6};
  // Residuals 1/3 + 1/3 and -2/3, times 2/(2-1).
  EXPECT_NEAR(run_probe(data, place, {}).layers[2].accuracy_se,
              std::sqrt(2.0 * 2.0 * 4.0 / 9.0) / 3.0, 1e-15);
}

TEST(Probe, NamesAreReadBack) {
  EXPECT_EQ(parse_probe("logistic"), ProbeKind::logistic);
  EXPECT_EQ(parse_probe("ridge"), ProbeKind::ridge);
  EXPECT_FALSE(parse_probe("lasso"));
}

records::HiddenCacheInfo two_samples() {
  records::HiddenCacheInfo info;
  info.variant = "2bit";
  info.samples = 2;
  info.spans = 2;
  info.split = {0, 2};
  info.cited = {1, 0, 0, 1};
  info.span_tokens = {0, 2, 2, 5, 0, 2, 0, 0};
  return info;
}

TEST(ProbeData, SpansThatAreNotThereAreLeftOut) {
  const auto data = data_of_spans(two_samples(), {4, 1, {1, 2, 3, 4}});
  EXPECT_THAT(data.labels, ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(data.split, ElementsAre(0, 0, 2, -1));
  EXPECT_THAT(data.group, ElementsAre(0, 0, 1, 1));
  EXPECT_EQ(data.classes, 2);
}

TEST(ProbeData, ALabelOfMinusOneLeavesItsSampleOut) {
  const auto data = data_of_samples(two_samples(), {2, 1, {1, 2}}, {-1, 2}, 3, "tone");
  EXPECT_THAT(data.split, ElementsAre(-1, 2));
  EXPECT_THAT(data.group, ElementsAre(0, 1));
}

TEST(ProbeData, LabelsThatDoNotFitAreRefusedByName) {
  const auto attempt = [](std::vector<std::int8_t> labels) {
    return data_of_samples(two_samples(), {2, 1, {1, 2}}, std::move(labels), 3, "tone");
  };
  EXPECT_THAT(
      [&] {
        attempt({0, 1, 2});
      },
      testing::ThrowsMessage<Error>(HasSubstr("2bit, skill tone: it has 3 labels")));
  EXPECT_THAT(
      [&] {
        attempt({0, 3});
      },
      testing::ThrowsMessage<Error>(HasSubstr("2bit, skill tone: its labels are not")));
}

}  // namespace
}  // namespace moesweep::probes
