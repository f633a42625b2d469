#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/heads/train_block.hpp>
#include <moesweep/core/base/philox.hpp>

namespace moesweep::heads {
namespace {

using records::ConfusionRow;
using records::PredictionRow;
using records::SeedRow;
using testing::ElementsAre;
using testing::SizeIs;

// 24 samples of 3 classes, half of them to train on, the other half to test.
class TrainBlock : public testing::Test {
 protected:
  TrainBlock() {
    for (std::uint32_t i = 0; i < 24; ++i) {
      labels_.push_back(static_cast<std::int8_t>(i % 3));
      split_.push_back(static_cast<std::int8_t>(i < 12 ? 0 : 2));
      for (std::uint32_t j = 0; j < 6; ++j) {
        const auto words = philox4x32_10({i, j, 0, 0}, {11, 0});
        const float noise = static_cast<float>(words[0] >> 8) / 8388608.0F - 1.0F;
        features_.values.push_back(noise + (j == i % 3 ? 0.5F : 0.0F));
      }
    }
    block_.axis = {"4bit", "mlp", "L1", "mean"};
    block_.examples = {&features_, {}, labels_, split_};
    block_.options.shape = {training::HeadKind::mlp, 6, 3, 8, 4};
    block_.options.epochs = 3;
    block_.options.batch = 5;
    block_.label_names = {"APPROVE", "REVISE", "VETO"};
    block_.forbidden = {2, 0};
  }

  training::FeatureMatrix features_{24, 6, {}};
  std::vector<std::int8_t> labels_;
  std::vector<std::int8_t> split_;
  Block block_;
};

TEST_F(TrainBlock, TellsEverySeedOnEverySplitThatHasSamples) {
  const auto result = train_block(block_, {4, 2});
  const auto rows = records::rows_of<SeedRow>(result.tables);
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_EQ(rows[0].seed, 4);
  EXPECT_EQ(rows[0].split, "train");
  EXPECT_EQ(rows[1].split, "test");
  EXPECT_EQ(rows[3].seed, 5);
  EXPECT_EQ(rows[3].variant, "4bit");
  EXPECT_EQ(rows[3].samples, 12);
  EXPECT_EQ(rows[3].forbidden_truths, 4);
  EXPECT_EQ(rows[3].epochs, 3);
}

TEST_F(TrainBlock, PredictionsAndConfusionAreOfTheHeadThatIsKept) {
  const auto result = train_block(block_, {4, 1});
  ASSERT_THAT(result.heads, SizeIs(1));
  EXPECT_EQ(result.heads[0].seed, 4);
  const training::TrainedHead<float> head{block_.options.shape, result.heads[0].tensors, 3};
  const auto evaluation = training::evaluate(training::logits_of(head, block_.examples), 3, labels_,
                                             split_, block_.forbidden);
  EXPECT_EQ(records::rows_of<PredictionRow>(result.tables).at(0).predicted, evaluation.predicted);
  std::vector<std::int64_t> of_test;
  for (const auto& row : records::rows_of<ConfusionRow>(result.tables)) {
    if (row.split != "test") continue;
    of_test.push_back(row.count);
    EXPECT_DOUBLE_EQ(row.share, static_cast<double>(row.count) / 4.0) << "4 samples a truth";
  }
  EXPECT_EQ(of_test, evaluation.splits[2].confusion);
}

TEST_F(TrainBlock, ASeedIsTheSameInAnyBlock) {
  const auto together = train_block(block_, {0, 3});
  const auto alone = train_block(block_, {2, 1});
  EXPECT_EQ(records::rows_of<PredictionRow>(together.tables).at(2).predicted,
            records::rows_of<PredictionRow>(alone.tables).at(0).predicted);
  EXPECT_EQ(together.heads.at(2).tensors.at(0).values, alone.heads.at(0).tensors.at(0).values);
  EXPECT_NE(together.heads.at(1).tensors.at(0).values, alone.heads.at(0).tensors.at(0).values);
}

TEST_F(TrainBlock, SpansThatAreNotThereGetNoDigit) {
  block_.slot_count = 26;
  for (std::int64_t i = 0; i < 24; ++i) block_.slots.push_back(i < 2 ? i : i + 2);
  const auto in_slots =
      records::rows_of<PredictionRow>(train_block(block_, {0, 1}).tables).at(0).predicted;
  block_.slots.clear();
  const auto predicted =
      records::rows_of<PredictionRow>(train_block(block_, {0, 1}).tables).at(0).predicted;
  EXPECT_EQ(in_slots, predicted.substr(0, 2) + "--" + predicted.substr(2));
}

TEST(RowsOfDecisions, AreThoseOfSeedZeroWithoutProbabilities) {
  const std::vector<std::int8_t> decided = {0, 2, 1};
  const std::vector<std::int8_t> labels = {2, 2, 1};
  const std::vector<std::int8_t> split = {2, 2, 2};
  const auto evaluation = training::evaluate_decisions(decided, 3, labels, split, {2, 0});
  const auto tables =
      rows_of_decisions({"4bit", "generation", "", ""}, evaluation, {"APPROVE", "REVISE", "VETO"});
  const auto seeds = records::rows_of<SeedRow>(tables);
  ASSERT_THAT(seeds, SizeIs(1));
  EXPECT_EQ(seeds[0].seed, 0);
  EXPECT_EQ(seeds[0].epochs, 0);
  EXPECT_DOUBLE_EQ(seeds[0].accuracy, 2.0 / 3.0);
  EXPECT_EQ(seeds[0].forbidden_errors, 1);
  EXPECT_TRUE(std::isnan(seeds[0].loss));
  EXPECT_EQ(records::rows_of<PredictionRow>(tables).at(0).predicted, "021");
  std::vector<std::int64_t> counts;
  for (const auto& row : records::rows_of<ConfusionRow>(tables)) counts.push_back(row.count);
  EXPECT_THAT(counts, ElementsAre(0, 0, 0, 0, 1, 0, 1, 0, 1));
}

}  // namespace
}  // namespace moesweep::heads
