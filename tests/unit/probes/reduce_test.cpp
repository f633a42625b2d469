#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/probes/reduce.hpp>

namespace moesweep::probes {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

struct Tables {
  std::vector<records::ProbeRow> layers;
  std::vector<records::ProbePredictionRow> predictions;

  /// '1' where the layer is right; the truth is all ones.
  void add(std::int32_t index, const std::string& right, const std::string& skill = "decision") {
    const std::string layer = "L" + std::to_string(index);
    const auto hits = std::count(right.begin(), right.end(), '1');
    records::ProbeRow row;
    row.variant = "2bit";
    row.layer = layer;
    row.layer_index = index;
    row.skill = skill;
    row.pooling = "mean";
    row.split = "test";
    row.samples = static_cast<std::int64_t>(right.size());
    row.accuracy = static_cast<double>(hits) / static_cast<double>(right.size());
    layers.push_back(row);
    predictions.push_back(
        {"2bit", layer, index, skill, "mean", "test", std::string(right.size(), '1'), right});
    row.split = "train";
    row.accuracy = 1.0;
    layers.push_back(row);
  }
  std::vector<records::InversionRow> reduced() const { return reduce(layers, predictions); }
};

TEST(Inversion, ABottomLayerThatIsBestByFarMeansDestroyed) {
  Tables tables;
  tables.add(0, "111111110");
  tables.add(1, "000000000");
  tables.add(2, "100000001");
  const auto rows = tables.reduced();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].variant, "2bit");
  EXPECT_EQ(rows[0].layers, 3);
  EXPECT_EQ(rows[0].best_layer, "L0");
  EXPECT_EQ(rows[0].best_index, 0);
  EXPECT_DOUBLE_EQ(rows[0].best_accuracy, 8.0 / 9.0);
  EXPECT_DOUBLE_EQ(rows[0].top_accuracy, 2.0 / 9.0);
  EXPECT_EQ(rows[0].inverted, 1);
  // Against L2, the best above: 7 to 1, P(X >= 7 | 8, 1/2) = 9/256.
  EXPECT_DOUBLE_EQ(rows[0].p_bottom, 9.0 / 256.0);
  EXPECT_THAT(rows[0].reason, HasSubstr("better than L2 (p = 0.035)"));
  EXPECT_THAT(rows[0].reason, HasSubstr("destroy"));
}

TEST(Inversion, ANarrowLeadOfTheBottomIsNotDistinguishable) {
  Tables tables;
  tables.add(0, "1110");
  tables.add(1, "1001");
  const auto row = tables.reduced().at(0);
  EXPECT_EQ(row.inverted, 1);
  EXPECT_DOUBLE_EQ(row.p_bottom, 0.5);
  EXPECT_THAT(row.reason, HasSubstr("not distinguishable from L1 (p = 0.5)"));
}

TEST(Inversion, TiesGoToTheUpperLayer) {
  Tables tables;
  tables.add(0, "1100");
  tables.add(1, "1010");
  tables.add(2, "1000");
  const auto row = tables.reduced().at(0);
  EXPECT_EQ(row.best_layer, "L1");
  EXPECT_EQ(row.inverted, 0);
  EXPECT_DOUBLE_EQ(row.top_accuracy, 0.25);
  EXPECT_EQ(row.reason, "read best at L1, not at the bottom layer L0");
}

TEST(Inversion, OneLayerHasNothingToCompareWith) {
  Tables tables;
  tables.add(0, "1100");
  const auto row = tables.reduced().at(0);
  EXPECT_EQ(row.inverted, 0);
  EXPECT_TRUE(std::isnan(row.p_bottom));
  EXPECT_THAT(row.reason, HasSubstr("one layer"));
}

TEST(Inversion, EachSkillHasItsOwnRowWhateverTheOrder) {
  Tables tables;
  tables.add(1, "1110", "evidence");
  tables.add(1, "1110");
  tables.add(0, "1111", "evidence");
  tables.add(0, "1000");
  const auto rows = tables.reduced();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].skill, "decision");
  EXPECT_EQ(rows[0].inverted, 0);
  EXPECT_EQ(rows[1].skill, "evidence");
  EXPECT_EQ(rows[1].inverted, 1);
  EXPECT_THAT(rows[1].reason, HasSubstr("spans of one sample as independent"));
}

}  // namespace
}  // namespace moesweep::probes
